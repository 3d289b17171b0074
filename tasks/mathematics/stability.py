"""How far one fit is from another of the same channels: overlap of intervals, change in sd."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.documents.effects import Quantiles

type Ends = Mapping[str, float]

_SD_IN_90 = 3.29
"""Width of a normal distribution's 90 % interval, in standard deviations."""


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
