"""How far one fit is from another of the same channels: overlap of intervals, change in sd."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.documents.effects import Quantiles

type Ends = Mapping[str, float]

_SD_IN_90 = 3.29
"""Width of a normal distribution's 90 % interval, in standard deviations."""


_HALF_IN_SD = 0.6745
"""Distance of a normal distribution's quartiles from its mean, in standard deviations."""
_MEDIAN_NOISE = math.pi / 2
"""Variance of the median of normal draws, over that of their mean."""
USUAL_SHARE = 0.25
"""Share of new data for which the limit of an overlap is stated: 26 weeks beside 104."""
SMALLEST_MOVE = 0.5
"""Standard deviations within which no move is called: it is no reason to act differently."""
LOWEST_OVERLAP = 0.05
"""Limit where most data are new: intervals that hardly touch are looked at, whatever is new."""


class NewData(NamedTuple):
    """What one fit knows that the other did not, and how well both were sampled."""

    share: float
    """Of the cells (entity and period) of both together, those that are in one alone."""
    ess_now: float
    ess_then: float
    """Least effective sample size of either fit's draws."""


def compute_explained(new: NewData) -> float:
    """Return the move that new data and draws explain, in standard deviations of the posterior.

    Posterior means of a fit and of the same with more data differ by a variance that is the part of
    the posterior's that the new data took away: about their share. To it comes the noise of two
    medians of draws.
    """
    draws = _MEDIAN_NOISE * (1 / new.ess_now + 1 / new.ess_then)
    return math.sqrt(new.share + draws)


def scale_overlap(stated: float, new: NewData) -> float:
    """Return the limit of an overlap for a share of new data.

    Parameters
    ----------
    stated
        Limit where a quarter of the data is new. For intervals of one width it is a move; what is
        allowed grows with what is explained.
    new
        What is new.

    Returns
    -------
    float
        In [0, 1]; never above that of a move by ``SMALLEST_MOVE``, nor below ``LOWEST_OVERLAP``,
        unless what is stated is.
    """
    move = (1 - stated) * 2 * _HALF_IN_SD
    allowed = max(move * compute_explained(new) / math.sqrt(USUAL_SHARE), SMALLEST_MOVE)
    return max(1 - allowed / (2 * _HALF_IN_SD), min(LOWEST_OVERLAP, stated))


@dataclass(frozen=True)
class ChannelShift:
    """One channel now against the champion."""

    channel: str
    quantity: str
    """``roas``, or ``share`` of the KPI where either fit has no ROAS."""
    overlap: float
    """Of the 50 % intervals, in [0, 1]; 1 where they are the same."""
    change_sd: float | None
    """Change of the median in standard deviations of the champion's posterior."""
    planned_share_change: float | None = None
    """Share of the planned budget, now minus then; None where either has no plan."""


def compute_overlap(now: tuple[float, float], then: tuple[float, float]) -> float:
    """Twice the length that two intervals share, over the sum of their widths.

    1 for equal intervals, 0 where they are apart. Two points are equal or apart.
    """
    widths = (now[1] - now[0]) + (then[1] - then[0])
    if widths <= 0:
        return 1.0 if now == then else 0.0
    shared = min(now[1], then[1]) - max(now[0], then[0])
    return 2.0 * max(shared, 0.0) / widths


def compute_change(now: Mapping[str, float], then: Mapping[str, float]) -> float | None:
    """Change of the median over the standard deviation of the champion's posterior.

    The standard deviation is the width of its 90 % interval over 3.29, as of a normal
    distribution; None where that interval has no width and the median moved.
    """
    change = now["median"] - then["median"]
    width = then["high_90"] - then["low_90"]
    if width > 0:
        return change * _SD_IN_90 / width
    return 0.0 if change == 0 else None


def compare_channels(
    now: Mapping[str, Quantiles],
    then: Mapping[str, Quantiles],
    mix_now: Mapping[str, float] | None = None,
    mix_then: Mapping[str, float] | None = None,
) -> list[ChannelShift]:
    """Compare the channels that both fits have, in the order of the new one.

    Parameters
    ----------
    now, then
        Quantiles of every channel, of this fit and of the champion's.
    mix_now, mix_then
        Shares of the planned budgets.
    """
    shifts = []
    for channel in (name for name in now if name in then):
        found = _comparable(now[channel], then[channel])
        if found is None:
            continue
        quantity, mine, theirs = found
        has_mix = mix_now is not None and mix_then is not None
        shifts.append(
            ChannelShift(
                channel=channel,
                quantity=quantity,
                overlap=compute_overlap(_half(mine), _half(theirs)),
                change_sd=compute_change(mine, theirs),
                planned_share_change=(mix_now or {}).get(channel, 0.0)
                - (mix_then or {}).get(channel, 0.0)
                if has_mix
                else None,
            )
        )
    return shifts


def _comparable(now: Quantiles, then: Quantiles) -> tuple[str, Ends, Ends] | None:
    """Quantity that both have, and its quantiles in both: ROAS, or else the share of the KPI."""
    for quantity in ("roas", "share"):
        mine, theirs = now.ends(quantity), then.ends(quantity)
        if mine is not None and theirs is not None:
            return quantity, mine, theirs
    return None


def _half(ends: Ends) -> tuple[float, float]:
    return ends["low_50"], ends["high_50"]
