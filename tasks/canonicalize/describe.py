"""``column_info.json``: what every column of the panel is, and how it looks."""

import math
from typing import Any

import pandas as pd

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.roles import UNIT_VALUE_COLUMN, ColumnRoles
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.panel_rules import ModelPanel


def describe_columns(
    panel: pd.DataFrame, known: pd.DataFrame | None, roles: ColumnRoles
) -> dict[str, dict[str, Any]]:
    """Describe every number of the panel, with its drift against what was known before.

    Parameters
    ----------
    panel
        The panel with missing values as they are.
    known
        The panel as it was before this batch; None without one.
    roles
        Roles of the columns.
    """
    kinds = _kinds(roles)
    sources = roles.numeric_sources()
    return {
        column: {
            "source": sources[column],
            "role": kinds[column],
            "missing_rate": round(float(panel[column].isna().mean()), 6) if len(panel) else 0.0,
            **{how: _number(panel[column].agg(how)) for how in ("min", "max", "mean", "sum")},
            "drift_ratio": None if known is None else drift_ratio(panel, known, column),
        }
        for column in sources
    }


def drift_ratio(panel: pd.DataFrame, known: pd.DataFrame, column: str) -> float | None:
    """Return the median of the batch's new or changed periods over that of all known before.

    Over values that are not 0, so that a pulsed channel has a median; None where there is none.
    """
    keys = [ENTITY_COLUMN, PERIOD_COLUMN]
    merged = panel[[*keys, column]].merge(
        known[[*keys, column]], on=keys, how="left", suffixes=("", " known")
    )
    changed = merged[column].ne(merged[f"{column} known"]) & merged[column].notna()
    new, old = merged.loc[changed, column], known[column]
    after, before = new[new != 0].median(), old[old.notna() & (old != 0)].median()
    if pd.isna(after) or pd.isna(before) or before == 0:
        return None
    return float(abs(after / before))


def describe_panel(shaped: ModelPanel, roles: ColumnRoles, spec: RunSpec) -> dict[str, Any]:
    """Return the document but for its columns."""
    panel = shaped.wide
    starts = panel[PERIOD_COLUMN]
    entities = sorted(panel[ENTITY_COLUMN].unique())
    return {
        "dataset_id": spec.dataset_id,
        "grain": shaped.grain.value,
        "detected_grain": shaped.detected.value if shaped.detected else None,
        "n_future_periods": shaped.n_future,
        "running_periods": [day.isoformat() for day in shaped.running],
        "level": spec.effective_level.value,
        "roles": roles.model_dump(mode="json"),
        "kpi": {"column": roles.kpi_name, "source": roles.kpi, "kind": spec.kpi.kind.value},
        "unit_value": {
            "column": UNIT_VALUE_COLUMN if roles.unit_value else None,
            "constant": spec.kpi.value_per_unit
            if isinstance(spec.kpi.value_per_unit, float | int)
            else None,
        },
        "channels": [
            {
                **channel.model_dump(mode="json", include={"name", "kind", "prior"}),
                "activity_column": channel.activity_column,
                "spend_column": channel.spend_column,
                "input_column": channel.input_column,
            }
            for channel in roles.channels
        ],
        "controls": [{"name": c.name, "column": c.column} for c in roles.controls],
        "n_rows": len(panel),
        "n_entities": len(entities),
        "entities": entities,
        "periods": {
            "n": int(starts.nunique()),
            "first": f"{starts.min():%Y-%m-%d}" if len(panel) else None,
            "last": f"{starts.max():%Y-%m-%d}" if len(panel) else None,
        },
    }


def _kinds(roles: ColumnRoles) -> dict[str, str]:
    kinds = {roles.kpi_name: "kpi", UNIT_VALUE_COLUMN: "unit_value"}
    for channel in roles.channels:
        kinds |= {c: "activity" for c in [channel.activity_column] if c}
        kinds |= {c: "spend" for c in [channel.spend_column] if c}
    return kinds | {c.column: "control" for c in roles.controls}


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
