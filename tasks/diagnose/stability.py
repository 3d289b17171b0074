"""How far a refit moved from the champion: returns per channel, and the advised mix of spend."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.gates import StabilityGates
from schemas.outcomes import GateOutcome
from tasks.mmm.judging import judge_at_least

_SD_IN_90 = 3.29
"""Width of a normal distribution's 90 % interval, in standard deviations."""
_REMEDY = (
    "Look at what changed since the champion was fitted: restated history, the spec, many new "
    "periods, a new experiment. If the move is right, promote this version by hand: "
    "`mmm rollback --dataset ID --to VERSION`."
)

type Rows = Mapping[str, Mapping[str, Any]]


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


def compute_change(now: Mapping[str, Any], then: Mapping[str, Any], quantity: str) -> float | None:
    """Change of the median over the standard deviation of the champion's posterior.

    The standard deviation is the width of its 90 % interval over 3.29, as of a normal
    distribution; None where that interval has no width and the median moved.
    """
    change = float(now[f"{quantity}_median"]) - float(then[f"{quantity}_median"])
    width = float(then[f"{quantity}_high_90"]) - float(then[f"{quantity}_low_90"])
    if width > 0:
        return change * _SD_IN_90 / width
    return 0.0 if change == 0 else None


def compute_planned_shares(plan: Mapping[str, Any] | None) -> dict[str, float] | None:
    """Share of each channel in the planned budget of ``plan.json``; None without any budget."""
    planned = {
        name: float(row["planned"]) for name, row in (plan or {}).get("channels", {}).items()
    }
    total = sum(planned.values())
    return {name: value / total for name, value in planned.items()} if total > 0 else None


def compute_churn(
    now: Mapping[str, float] | None, then: Mapping[str, float] | None
) -> float | None:
    """Half the sum of absolute differences of two mixes: the share of money that moves, in [0, 1].

    A channel that only one mix has counts as 0 in the other; None where either mix is absent.
    """
    if now is None or then is None:
        return None
    return sum(abs(now.get(name, 0.0) - then.get(name, 0.0)) for name in {*now, *then}) / 2


def compare_channels(
    now: Rows, then: Rows, mix_now: Mapping[str, float] | None, mix_then: Mapping[str, float] | None
) -> list[ChannelShift]:
    """Compare the channels that both fits have, in the order of the new one.

    Parameters
    ----------
    now, then
        ``channel_quantiles.json`` of this run and of the champion's.
    mix_now, mix_then
        Shares of the planned budgets.
    """
    shifts = []
    for channel in (name for name in now if name in then):
        quantity = next(
            (q for q in ("roas", "share") if _has(q, now[channel], then[channel])), None
        )
        if quantity is None:
            continue
        has_mix = mix_now is not None and mix_then is not None
        shifts.append(
            ChannelShift(
                channel=channel,
                quantity=quantity,
                overlap=compute_overlap(
                    _half(now[channel], quantity), _half(then[channel], quantity)
                ),
                change_sd=compute_change(now[channel], then[channel], quantity),
                planned_share_change=(mix_now or {}).get(channel, 0.0)
                - (mix_then or {}).get(channel, 0.0)
                if has_mix
                else None,
            )
        )
    return shifts


def judge_stability(shifts: list[ChannelShift], gates: StabilityGates) -> list[GateOutcome]:
    """Judge the channel that moved most: a REVIEW at worst, for a refit may move rightly.

    Nothing to compare, as for other channels than the champion's, is no outcome.
    """
    if not shifts:
        return []
    worst = min(shifts, key=lambda shift: shift.overlap)
    limit = gates.min_overlap_review
    moved = [shift.channel for shift in shifts if shift.overlap < limit] or [worst.channel]
    return [judge(worst.overlap, gates, where=", ".join(moved))]


def judge(overlap: float, gates: StabilityGates, *, where: str) -> GateOutcome:
    """Judge one overlap; NaN says that it could not be computed."""
    limits = (gates.min_overlap_review, float("-inf"))
    return judge_at_least("stability_overlap_min", overlap, limits, _REMEDY, where=where)


def _has(quantity: str, *rows: Mapping[str, Any]) -> bool:
    ends = ("median", "low_50", "high_50", "low_90", "high_90")
    return all(row.get(f"{quantity}_{end}") is not None for row in rows for end in ends)


def _half(row: Mapping[str, Any], quantity: str) -> tuple[float, float]:
    return float(row[f"{quantity}_low_50"]), float(row[f"{quantity}_high_50"])
