"""A hand-written plan as variables."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.spec.plan_request import SpendRow
from tasks.optimize.bounds import require_channel
from tasks.optimize.space import PlanSpace

Array = NDArray[np.float64]


def asks_for_entities(rows: Sequence[SpendRow]) -> bool:
    """Say whether a plan speaks of single entities."""
    return any(row.entity_id is not None for row in rows)


def asks_for_periods(rows: Sequence[SpendRow]) -> bool:
    """Say whether a plan speaks of single periods."""
    return any(row.period is not None for row in rows)


def apply_rows(space: PlanSpace, rows: Sequence[SpendRow]) -> Array:
    """Turn rows into spend per variable; what no row names stays as today.

    Parameters
    ----------
    space
        Variables, with entities and periods of their own where the rows speak of them.
    rows
        Money or change per channel, for all or one of its entities and periods. Money for several
        variables is split as they cost today.

    Returns
    -------
    NDArray
        Money, ``(variable,)``.

    Raises
    ------
    SpecError
        If a row names an unknown channel, entity or period, or two rows speak of one variable.
    """
    money = space.current.copy()
    spoken = np.zeros(len(money), bool)
    for row in rows:
        require_channel(row.channel, space.channels, where="the plan file")
        mine = _variables_of(space, row)
        if spoken[mine].any():
            raise SpecError(f"The plan file speaks of {row.channel!r} twice; keep one row of it.")
        spoken[mine] = True
        if row.change is not None:
            money[mine] *= 1 + row.change
            continue
        today = space.current[mine]
        total = today.sum()
        even = np.full(len(today), 1 / len(today))
        money[mine] = (row.spend or 0.0) * (today / total if total > 0 else even)
    return money


def _variables_of(space: PlanSpace, row: SpendRow) -> NDArray[np.intp]:
    """Positions of the variables that a row speaks of."""
    channel = space.channels.index(row.channel)
    entities, horizon = _known_cells(space, channel)
    if row.entity_id is not None and row.entity_id not in entities:
        hint = suggest(row.entity_id, entities, f"entities: {', '.join(entities[:10])}.")
        raise SpecError(f"Entity {row.entity_id!r} in the plan file is not in the model; {hint}")
    if row.period is not None and row.period > horizon:
        raise SpecError(
            f"Period {row.period} in the plan file is after the horizon of {horizon}; plan further "
            "ahead with --horizon."
        )
    found: set[int] = set()
    for piece in space.pieces:
        cells = piece.places[piece.allocation.variable]
        for entity, name in enumerate(piece.allocation.entities):
            if row.entity_id is not None and name != row.entity_id:
                continue
            periods = slice(None) if row.period is None else slice(row.period - 1, row.period)
            found |= set(cells[entity, :, periods].ravel().tolist())
    return np.array(sorted(v for v in found if space.channel_of[v] == channel), dtype=np.intp)


def _known_cells(space: PlanSpace, channel: int) -> tuple[list[str], int]:
    """Entities and number of periods of the models that have a channel."""
    mine = [piece for piece in space.pieces if (space.channel_of[piece.places] == channel).any()]
    entities = [entity for piece in mine for entity in piece.allocation.entities]
    return entities, mine[0].horizon.horizon
