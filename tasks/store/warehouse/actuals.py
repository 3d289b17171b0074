"""What has really happened: the KPI, media and controls that ``canonical`` knows now."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from schemas.documents.features import FeatureMetadata
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.roles import UNIT_VALUE_COLUMN
from tasks.store.home import Home
from tasks.store.warehouse.canonical import PanelColumn, read_panel
from tasks.store.warehouse.connection import reading

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = """
    select 'kpi' as role, entity_id, period_start, name, value
      from canonical.kpi where dataset_id = $dataset
    union all
    select measure, entity_id, period_start, name, value
      from canonical.media where dataset_id = $dataset
    union all
    select 'control', entity_id, period_start, name, value
      from canonical.controls where dataset_id = $dataset
"""


def read_known_kpi(home: Home, dataset_id: str, kpi: str) -> "pd.DataFrame":
    """Return the KPI of every entity and period, restatements included.

    Returns
    -------
    pd.DataFrame
        ``entity_id, period_start, actual``, sorted by both.
    """
    with reading(home, dataset_id) as con:
        return con.execute(
            f"select {ENTITY_COLUMN}, {PERIOD_COLUMN}::timestamp as {PERIOD_COLUMN}, "  # noqa: S608 - constants
            "value as actual from canonical.kpi where dataset_id = ? and name = ? order by 1, 2",
            [dataset_id, kpi],
        ).df()


def read_known_inputs(home: Home, dataset_id: str, metadata: FeatureMetadata) -> "pd.DataFrame":
    """Return what a model takes in, as it is known now.

    Parameters
    ----------
    home, dataset_id
        Whose data.
    metadata
        ``feature_metadata.json`` of the model.

    Returns
    -------
    pd.DataFrame
        ``entity_id, period_start`` and the KPI, channel, control and unit value columns of the
        metadata; one row per entity and period of which anything is known, NaN where a number is
        not. Entities are those of the file: nothing is summed and nothing filled.
    """
    wanted = [PanelColumn("kpi", metadata.kpi_column, metadata.kpi_column)]
    if metadata.unit_value_column:
        wanted.append(PanelColumn("unit_value", UNIT_VALUE_COLUMN, metadata.unit_value_column))
    for channel in metadata.channels:
        if channel.input_column != channel.spend_column:
            wanted.append(PanelColumn("activity", channel.name, channel.input_column))
        if channel.spend_column:
            wanted.append(PanelColumn("spend", channel.name, channel.spend_column))
    wanted += [PanelColumn("control", c.name, c.column) for c in metadata.controls]
    with reading(home, dataset_id) as con:
        return read_panel(con, dataset_id=dataset_id, as_of=date.max, wanted=wanted, staged=False)


def digest_known(
    home: Home, dataset_id: str, spans: Mapping[str, tuple[date, date]]
) -> dict[str, str]:
    """Return a digest of all that is known of some spans of time and of the year before each.

    Parameters
    ----------
    home, dataset_id
        Whose data.
    spans
        First and last period by any name.

    Returns
    -------
    dict[str, str]
        By the same names: equal as long as no value, entity or period changes there.
    """
    found = {}
    with reading(home, dataset_id) as con:
        for name, (first, last) in spans.items():
            row = con.execute(
                "select count(*), bit_xor(hash(role, entity_id, period_start, name, value)) "  # noqa: S608 - constants
                f"from ({_NUMBERS}) where period_start between $first and $last",
                {"dataset": dataset_id, "first": first - timedelta(days=366), "last": last},
            ).fetchone()
            found[name] = "-".join(map(str, row or ()))
    return found
