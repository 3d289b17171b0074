"""Put what is planned for coming periods into a panel that has been continued into them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.errors import SpecError
from schemas.hints import suggest
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.planned import PlannedPeriod
from tasks.mathematics.calendar import PERIODS_PER_YEAR, next_start

KNOWN_MEDIA, KNOWN_CONTROLS = "known_media", "known_controls"
"""Variables that are true where a coming value was stated, dims of ``media`` and ``controls``."""


class _Place(NamedTuple):
    """Which variable a column of the data is, and where in it."""

    variable: str
    at: int


def require_columns(
    rows: Sequence[PlannedPeriod], entities: Sequence[str], metadata: FeatureMetadata
) -> None:
    """Refuse planned rows that the panel has no place for.

    Parameters
    ----------
    rows
        ``planned`` of the run spec.
    entities
        Those of the panel.
    metadata
        Channels and controls with their columns.

    Raises
    ------
    SpecError
        Naming the row, the column or the entity, with what it might have been.
    """
    known = _places(metadata)
    for row in rows:
        where = f"planned, {row.period_start}"
        if row.entity is None and len(entities) > 1:
            listed = ", ".join(entities[:5])
            raise SpecError(f"{where}: names no entity, and the panel has several ({listed}).")
        if row.entity is not None and row.entity not in entities:
            hint = suggest(row.entity, entities, "it is none of the panel's.")
            raise SpecError(f"{where}: entity {row.entity!r} is not in the data; {hint}")
        for column, value in row.values.items():
            if column not in known:
                hint = suggest(column, list(known), "name a column of media or controls.")
                raise SpecError(f"{where}: column {column!r} is not in the data; {hint}")
            if value < 0 and known[column].variable != "controls":
                raise SpecError(f"{where}: {column} is {value:g}; spend is never below zero.")


def keep_known(rows: Sequence[PlannedPeriod], metadata: FeatureMetadata) -> list[PlannedPeriod]:
    """Return rows of a file without columns that the model does not have, such as idle controls."""
    known = _places(metadata)
    kept = []
    for row in rows:
        values = {column: value for column, value in row.values.items() if column in known}
        if values:
            kept.append(row.model_copy(update={"values": values}))
    return kept


def place_planned(
    continued: xr.Dataset, n_past: int, metadata: FeatureMetadata, rows: Sequence[PlannedPeriod]
) -> xr.Dataset:
    """Return a continued panel with planned values in it.

    Parameters
    ----------
    continued
        A panel with its coming periods.
    n_past
        Periods of it that were observed: what is planned for them is left out.
    metadata
        Channels and controls with their columns, and what rows of the file plan.
    rows
        ``planned`` of the run spec; it comes before what the file plans. Rows for other periods do
        not matter.

    Returns
    -------
    xr.Dataset
        The panel with ``known_media`` and ``known_controls``. Where only money or only activity of
        a channel is stated, the other follows at the rate of its last year.

    Raises
    ------
    SpecError
        As ``require_columns``; if two rows speak of one period of an entity.
    """
    entities = [str(e) for e in continued[ENTITY_DIM].values]
    require_columns(rows, entities, metadata)
    cells = {name: continued[name].to_numpy().copy() for name in ("media", "spend", "controls")}
    stated = {name: np.zeros(values.shape, bool) for name, values in cells.items()}
    for source in (metadata.planned or (), rows):
        found = _state(source, continued, n_past, metadata)
        # Money and activity are one statement: who states one of them anew takes back the other.
        media = found["media"].mask | found["spend"].mask
        for name, (values, mask) in found.items():
            cells[name][mask] = values[mask]
            again = mask if name == "controls" else media
            stated[name] = (stated[name] & ~again) | mask
    _complete(continued, n_past, metadata, cells, stated)
    panel = continued.assign(
        {name: continued[name].copy(data=values) for name, values in cells.items()}
    )
    known = continued["media"].copy(data=stated["media"] | stated["spend"])
    controls = continued["controls"].copy(data=stated["controls"])
    return panel.assign({KNOWN_MEDIA: known, KNOWN_CONTROLS: controls})


class _Stated(NamedTuple):
    """Cells of one variable that were stated."""

    values: NDArray[np.float64]
    mask: NDArray[np.bool_]


def _state(
    rows: Sequence[PlannedPeriod], continued: xr.Dataset, n_past: int, metadata: FeatureMetadata
) -> dict[str, _Stated]:
    """Values of one source by variable, in the shape of the continued panel."""
    entities = [str(e) for e in continued[ENTITY_DIM].values]
    shapes = {name: continued[name].shape for name in ("media", "spend", "controls")}
    found = {n: _Stated(np.zeros(shape), np.zeros(shape, bool)) for n, shape in shapes.items()}
    known = _places(metadata)
    for row, entity, period in _coming(rows, entities, continued, n_past, metadata):
        for column, value in row.values.items():
            place = known[column]
            values, mask = found[place.variable]
            at = (entity, place.at, period)
            if mask[at]:
                raise SpecError(f"planned, {row.period_start}: {column} is there twice; keep one.")
            values[at], mask[at] = value, True
    return found


def _coming(
    rows: Sequence[PlannedPeriod],
    entities: Sequence[str],
    continued: xr.Dataset,
    n_past: int,
    metadata: FeatureMetadata,
) -> Iterator[tuple[PlannedPeriod, int, int]]:
    """Rows of coming periods with the positions of their entity and period."""
    starts = [pd.Timestamp(d).date() for d in continued[DATE_DIM].values[n_past:]]
    if not starts:
        return
    end = next_start(starts[-1], metadata.grain)
    for row in rows:
        if starts[0] <= row.period_start < end:
            period = sum(start <= row.period_start for start in starts) - 1
            yield row, entities.index(row.entity) if row.entity else 0, n_past + period


def _places(metadata: FeatureMetadata) -> dict[str, _Place]:
    """Where every column that may be planned belongs, by its names."""
    found: dict[str, _Place] = {}
    for index, control in enumerate(metadata.controls):
        found |= dict.fromkeys([control.name, control.column], _Place("controls", index))
    for index, channel in enumerate(metadata.channels):
        names = [channel.input_column, channel.input_source]
        found |= {n: _Place("media", index) for n in names if n is not None}
        if channel.spend_column is not None:
            found[channel.spend_column] = _Place("spend", index)
    return found


def _complete(
    continued: xr.Dataset,
    n_past: int,
    metadata: FeatureMetadata,
    cells: dict[str, NDArray[np.float64]],
    stated: dict[str, NDArray[np.bool_]],
) -> None:
    """Let activity follow stated money, and money stated activity."""
    year = PERIODS_PER_YEAR[metadata.grain]
    recent = continued.isel({DATE_DIM: slice(max(n_past - year, 0), n_past)})
    media = recent["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy().sum(axis=-1)
    spend = np.nan_to_num(
        recent["spend"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy()
    ).sum(axis=-1)
    for index, channel in enumerate(metadata.channels):
        if channel.spend_column is None:
            continue
        same = channel.input_column == channel.spend_column
        units = np.divide(media, spend, out=np.zeros_like(media), where=spend > 0)
        rate = np.ones(len(media)) if same else units[:, index]
        price = np.divide(1.0, rate, out=np.zeros_like(rate), where=rate > 0)
        for source, target, factor in (("spend", "media", rate), ("media", "spend", price)):
            follows = stated[source][:, index] & ~stated[target][:, index] & (factor > 0)[:, None]
            values = cells[source][:, index] * factor[:, None]
            cells[target][:, index][follows] = values[follows]
