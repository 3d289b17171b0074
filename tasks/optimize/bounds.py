"""From what a spec or a file allows to limits of variables."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.spec.optimizer import ChannelBounds, GroupBounds, OptimizerSpec, PlanBounds
from schemas.words import format_share
from tasks.optimize.limits import Limits, box
from tasks.optimize.space import PlanSpace

Array = NDArray[np.float64]


def build_limits(space: PlanSpace, bounds: PlanBounds, settings: OptimizerSpec) -> Limits:
    """Bounds of variables and groups, without the budget.

    A channel may move by ``max_change`` against current spend unless it has bounds of its own; one
    that rests may be reopened with up to ``max_change`` of the most it was seen to spend; no
    variable leaves its observed range unless ``beyond_observed``; a channel that its data did not
    decide, or whose effect they cannot tell from none, stays as it is. Bounds in money, and bounds
    of a channel whose periods have variables of their own, hold for the sum of its variables; a
    single entity may then move as far as without them, a single period as far as was observed
    (``beyond_observed``: as the channel may).

    Raises
    ------
    SpecError
        If bounds name a channel that is not planned.
    """
    _require_known(space, bounds)
    lower, upper = np.zeros(len(space.current)), np.zeros(len(space.current))
    sums: list[tuple[Array, float, float, str]] = []
    for place, name in enumerate(space.channels):
        mine = space.channel_of == place
        current = space.current[mine]
        if space.held[place]:
            lower[mine] = upper[mine] = current
            continue
        stated = bounds.channels.get(name, ChannelBounds())
        low, high = channel_range(stated, float(current.sum()), settings)
        if not current.any() and stated == ChannelBounds():
            high = settings.max_change * float(space.observed[1, mine].sum())
        lower[mine], upper[mine] = _variable_ranges(space, mine, (low, high), stated, settings)
        if space.flighting or (space.by_entity and _is_in_money(stated)):
            sums.append((mine.astype(float), low, high, f"The bounds of {name}"))
    if not settings.beyond_observed:
        lower, upper = _within_observed(space, lower, upper)
    limits = box(lower, upper)
    for row, low, high, label in sums:
        limits = limits.with_row(row, low, high, label)
    for group in bounds.groups:
        limits = _with_group(limits, space, group)
    return limits


def channel_range(
    stated: ChannelBounds, current: float, settings: OptimizerSpec
) -> tuple[float, float]:
    """Least and most spend of a channel over the horizon, money."""
    low, high = (1 - settings.max_change) * current, (1 + settings.max_change) * current
    if stated.low is not None:
        low = stated.low * current
    if stated.high is not None:
        high = stated.high * current
    if stated.min_spend is not None:
        low = stated.min_spend
    if stated.max_spend is not None:
        high = stated.max_spend
    # A bound on one side alone may lie beyond the default of the other side.
    if stated.low is None and stated.min_spend is None:
        low = min(low, high)
    if stated.high is None and stated.max_spend is None:
        high = max(low, high)
    return max(low, 0.0), high


def _variable_ranges(
    space: PlanSpace,
    mine: NDArray[np.bool_],
    channel: tuple[float, float],
    stated: ChannelBounds,
    settings: OptimizerSpec,
) -> tuple[Array, Array]:
    """Least and most of each variable of one channel, whose sum has the range ``channel``."""
    low, high = channel
    current = space.current[mine]
    if space.flighting:
        least, most = space.observed[:, mine]
        if settings.beyond_observed:
            return np.zeros_like(least), np.maximum(most, high)
        return np.minimum(least, current), np.maximum(most, current)
    if space.by_entity and _is_in_money(stated):
        usual = channel_range(ChannelBounds(), float(current.sum()), settings)
        low, high = min(low, usual[0]), max(high, usual[1])
    share = _shares(current)
    return low * share, high * share


def _is_in_money(stated: ChannelBounds) -> bool:
    return stated.min_spend is not None or stated.max_spend is not None


def with_budget(limits: Limits, budget: float) -> Limits:
    """Return the limits with the budget fixed."""
    return limits.with_row(np.ones(len(limits.lower)), budget, budget, "The budget")


def _shares(current: Array) -> Array:
    total = current.sum()
    return current / total if total > 0 else np.full(len(current), 1.0 / len(current))


def _within_observed(space: PlanSpace, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Cut bounds to what was observed; today's spend stays possible."""
    least = np.minimum(space.observed[0], space.current)
    most = np.maximum(space.observed[1], space.current)
    for label, low, high, a, b in zip(space.labels, lower, upper, least, most, strict=True):
        if low > b * (1 + 1e-9) or high < a * (1 - 1e-9):
            raise SpecError(
                f"The bounds of {label} lie outside what was ever spent ({a:,.0f} to {b:,.0f} over "
                "the horizon); the model cannot know what happens there. Widen them, or insist "
                "with --beyond-observed."
            )
    return np.maximum(lower, least), np.minimum(upper, most)


def _with_group(limits: Limits, space: PlanSpace, group: GroupBounds) -> Limits:
    members = space.row(group.channels)
    name = f"The bounds of group {group.name!r}"
    if group.min_spend is not None or group.max_spend is not None:
        low = -np.inf if group.min_spend is None else group.min_spend
        high = np.inf if group.max_spend is None else group.max_spend
        limits = limits.with_row(members, low, high, name)
    for share, sign in ((group.min_share, 1.0), (group.max_share, -1.0)):
        if share is not None:
            end = "least" if sign > 0 else "largest"
            label = f"The {end} share of group {group.name!r} ({format_share(share)} of the budget)"
            limits = limits.with_row(sign * (members - share), 0.0, np.inf, label)
    return limits


def _require_known(space: PlanSpace, bounds: PlanBounds) -> None:
    named = [*bounds.channels, *(c for group in bounds.groups for c in group.channels)]
    for name in named:
        require_channel(name, space.channels, where="the bounds")


def require_channel(name: str, channels: Sequence[str], *, where: str) -> None:
    """Raise unless a plan has a channel of that name.

    Raises
    ------
    SpecError
        Suggesting the nearest name.
    """
    if name in channels:
        return
    hint = suggest(name, channels, f"planned channels: {', '.join(channels)}.")
    raise SpecError(f"Channel {name!r} in {where} cannot be planned; {hint}")
