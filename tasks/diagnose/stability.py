"""Whether a refit moved too far from the champion, and how far the advised mix of spend did."""

from collections.abc import Mapping

from schemas.documents.features import FeatureMetadata
from schemas.outcomes import GateOutcome
from schemas.spec.gates import StabilityGates
from tasks.mathematics.calendar import n_periods_between
from tasks.mathematics.judging import judge_at_least
from tasks.mathematics.stability import ChannelShift, NewData, scale_overlap

_REMEDY = (
    "Look at what changed since the champion was fitted: restated history, the spec, many new "
    "periods, a new experiment. If the move is right, promote this version by hand: "
    "`mmm rollback --dataset ID --to VERSION`."
)


def compute_planned_shares(planned: Mapping[str, float]) -> dict[str, float] | None:
    """Share of each channel in a planned budget, money by channel; None without any budget."""
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


def measure_new_share(now: FeatureMetadata, then: FeatureMetadata) -> float:
    """Return the share of fitted cells (entity and period) of two fits that only one has."""
    entities = set(now.entities) & set(then.entities)
    first = max(now.estimation_start, then.estimation_start)
    last = min(now.estimation_end, then.estimation_end)
    periods = max(n_periods_between(first, last, now.grain) + 1, 0) if first <= last else 0
    common = len(entities) * periods
    cells = sum(len(fit.entities) * fit.n_estimation_periods for fit in (now, then)) - common
    return 1 - common / cells


def judge_stability(
    shifts: list[ChannelShift], gates: StabilityGates, new: NewData | None = None
) -> list[GateOutcome]:
    """Judge the channel that moved most: a REVIEW at worst, for a refit may move rightly.

    Nothing to compare, as for other channels than the champion's, is no outcome. The limit goes
    with what is ``new`` to the champion; where that is not known, it is as stated.
    """
    if not shifts:
        return []
    worst = min(shifts, key=lambda shift: shift.overlap)
    stated = gates.min_overlap_review
    limit = stated if new is None else scale_overlap(stated, new)
    moved = [shift.channel for shift in shifts if shift.overlap < limit] or [worst.channel]
    return [judge(worst.overlap, limit, where=", ".join(moved))]


def judge(overlap: float, limit: float, *, where: str) -> GateOutcome:
    """Judge one overlap; NaN says that it could not be computed."""
    limits = (limit, float("-inf"))
    return judge_at_least("stability_overlap_min", overlap, limits, _REMEDY, where=where)
