"""The space of plans: every variable of one or several models, with what is known of each.

One budget can drive several KPIs: channels of one name are then the same money, and every model
says what it brings to its KPI. Or several brands share a budget: their channels are different money
(``separate``), named ``<dataset>/<channel>``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.documents.plan import SpendCell
from schemas.errors import SpecError
from schemas.names import ALL_ENTITIES
from schemas.words import format_number
from tasks.optimize.allocation import Allocation, build_allocation
from tasks.optimize.outcome import Horizon
from tasks.optimize.response import Piece

Array = NDArray[np.float64]

SAME_SPEND = 0.01
"""Spend of one channel in two models may differ by this share and still be the same money."""


@dataclass(frozen=True)
class PlanSpace:
    """Variables of a plan."""

    pieces: tuple[Piece, ...]
    channels: tuple[str, ...]
    """Names of planned channels."""
    channel_of: NDArray[np.intp]
    """Channel of each variable, ``(variable,)``."""
    labels: tuple[str, ...]
    """Names of variables, for messages."""
    current: Array
    """Spend of the reference window, money, ``(variable,)``."""
    observed: Array
    """Observed range of spend per period times the variable's periods, ``(2, variable)``."""
    prior_driven: NDArray[np.bool_]
    """Channels that no model's data decided, ``(channel,)``."""
    unclear: NDArray[np.bool_]
    """Channels whose effect no model's data can tell from none, ``(channel,)``."""
    confounded: NDArray[np.bool_]
    """Channels whose effect no model's data can tell from demand, ``(channel,)``."""
    by_entity: bool
    """Whether entities have variables of their own."""
    flighting: bool
    """Whether periods have variables of their own."""

    @property
    def held(self) -> NDArray[np.bool_]:
        """Channels that a plan does not move, ``(channel,)``."""
        return self.prior_driven | self.unclear | self.confounded

    def by_channel(self, money: Array) -> Array:
        """Sum variables per channel, ``(channel,)``."""
        return np.array([money[self.channel_of == c].sum() for c in range(len(self.channels))])

    def row(self, channels: Sequence[str]) -> Array:
        """Return 1 for variables of some channels and 0 elsewhere."""
        wanted = [self.channels.index(channel) for channel in channels]
        return np.isin(self.channel_of, wanted).astype(float)


def build_space(
    horizons: Mapping[str, Horizon],
    prior_driven: Mapping[str, Sequence[str]],
    *,
    unclear: Mapping[str, Sequence[str]] | None = None,
    confounded: Mapping[str, Sequence[str]] | None = None,
    separate: bool,
    by_entity: bool,
    flighting: bool,
) -> PlanSpace:
    """Lay out the variables.

    Parameters
    ----------
    horizons, prior_driven
        Models, and channels that their data did not decide, by dataset.
    unclear, confounded
        Channels whose effect their data cannot tell from none, and from demand, by dataset;
        default: none.
    separate
        Channels of one name in several models are different money.
    by_entity, flighting
        Whether entities, and whether periods, have variables of their own.

    Raises
    ------
    SpecError
        If models cannot share a plan: other periods, or one channel with different spend.
    """
    _require_common_periods(horizons)
    if len(horizons) > 1 and not separate:
        if by_entity or flighting:
            raise SpecError(
                "Plans by entity or by period are for one model, or for models whose channels are "
                "separate money (--separate)."
            )
        _require_common_spend(horizons)
    names: list[str] = []
    labels: list[str] = []
    channel_of: list[int] = []
    current: list[float] = []
    observed: list[Array] = []
    undecided: dict[str, bool] = {}
    doubtful: dict[str, bool] = {}
    beside_demand: dict[str, bool] = {}
    unclear, confounded = unclear or {}, confounded or {}
    pieces = []
    for dataset, horizon in horizons.items():
        allocation = build_allocation(
            horizon.reference, horizon.history, horizon.channels, horizon.entities,
            by_entity=by_entity, flighting=flighting,
        )  # fmt: skip
        prefix = f"{dataset}/" if separate and len(horizons) > 1 else ""
        ranges = observed_ranges(horizon, allocation, by_entity=by_entity, flighting=flighting)
        cells = _cell_labels(allocation, horizon, by_entity=by_entity, flighting=flighting)
        places = []
        for variable, channel in enumerate(allocation.channel_of):
            name = f"{prefix}{allocation.channels[channel]}"
            own = allocation.channels[channel]
            undecided[name] = undecided.get(name, True) and own in prior_driven[dataset]
            doubtful[name] = doubtful.get(name, True) and own in unclear.get(dataset, ())
            beside_demand[name] = beside_demand.get(name, True) and own in confounded.get(
                dataset, ()
            )
            label = f"{name}{cells[variable]}"
            if label not in labels:
                if name not in names:
                    names.append(name)
                labels.append(label)
                channel_of.append(names.index(name))
                current.append(float(allocation.current[variable]))
                observed.append(ranges[:, variable])
            places.append(labels.index(label))
        pieces.append(Piece(horizon, allocation, np.array(places)))
    return PlanSpace(
        pieces=tuple(pieces),
        channels=tuple(names),
        channel_of=np.array(channel_of),
        labels=tuple(labels),
        current=np.array(current),
        observed=np.stack(observed, axis=1),
        prior_driven=np.array([undecided[name] for name in names]),
        unclear=np.array([doubtful[name] for name in names]),
        confounded=np.array([beside_demand[name] for name in names]),
        by_entity=by_entity,
        flighting=flighting,
    )


def observed_ranges(
    horizon: Horizon, allocation: Allocation, *, by_entity: bool, flighting: bool
) -> Array:
    """Observed range of every variable, money over its periods, ``(2, variable)``."""
    entity, channel, _ = np.indices(allocation.variable.shape)
    first = np.unique(allocation.variable.ravel(), return_index=True)[1]
    if by_entity:
        per_period = horizon.observed_by_entity[:, entity.ravel()[first], channel.ravel()[first]]
    else:
        per_period = horizon.observed[:, channel.ravel()[first]]
    return np.asarray(per_period * (1 if flighting else horizon.horizon))


def _cell_labels(
    allocation: Allocation, horizon: Horizon, *, by_entity: bool, flighting: bool
) -> list[str]:
    """Return what reports variables of one channel apart, as text."""
    entity, _, period = np.indices(allocation.variable.shape)
    first = np.unique(allocation.variable.ravel(), return_index=True)[1]
    starts = horizon.starts
    return [
        (f" in {allocation.entities[entity.ravel()[cell]]}" if by_entity else "")
        + (f", {starts[period.ravel()[cell]]}" if flighting else "")
        for cell in first
    ]


def _require_common_periods(horizons: Mapping[str, Horizon]) -> None:
    periods = {dataset: (o.starts[0], o.starts[-1]) for dataset, o in horizons.items()}
    if len(set(periods.values())) > 1:
        listing = ", ".join(f"{name} {first} to {last}" for name, (first, last) in periods.items())
        raise SpecError(
            f"The models plan different periods: {listing}. Refit them at one grain, on data up to "
            "the same day."
        )


def _require_common_spend(horizons: Mapping[str, Horizon]) -> None:
    spent: dict[str, tuple[str, float]] = {}
    for dataset, horizon in horizons.items():
        for channel, money in zip(
            horizon.channels, horizon.reference.sum(axis=(0, 2)), strict=True
        ):
            other, before = spent.setdefault(channel, (dataset, float(money)))
            if abs(money - before) > SAME_SPEND * max(before, float(money)):
                raise SpecError(
                    f"{channel} costs {format_number(before)} in {other} and "
                    f"{format_number(float(money))} in {dataset}: that is not the same money. "
                    "Plan them as separate channels (--separate)."
                )


def list_cells(space: PlanSpace, planned: Array, candidate: Array) -> list[SpendCell]:
    """Spend per period, and per entity where entities are planned; shared money counts once."""
    cells: dict[tuple[str, str, str], Array] = {}
    for piece in space.pieces:
        spends = np.stack(
            [piece.spend(money) for money in (space.current, planned, candidate)], axis=-1
        )
        if not space.by_entity:
            spends = spends.sum(axis=0, keepdims=True)
        entities = piece.allocation.entities if space.by_entity else (ALL_ENTITIES,)
        own = space.channel_of[piece.places[piece.allocation.variable[0, :, 0]]]
        cells |= {
            (entity_id, space.channels[place], start): spends[entity, channel, period]
            for channel, place in enumerate(own)
            for entity, entity_id in enumerate(entities)
            for period, start in enumerate(piece.horizon.starts)
        }
    return [
        SpendCell(
            entity_id=entity, channel=channel, period_start=start,
            current=float(money[0]), planned=float(money[1]), candidate=float(money[2]),
        )
        for (entity, channel, start), money in cells.items()
    ]  # fmt: skip
