"""Tables of an export and the meaning of their columns. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schemas.names import CONTRIBUTION_COLUMNS, FITTED_COLUMNS
from schemas.run_spec import KpiKind, RunSpec

_ENDS = {
    "mean": "posterior mean",
    "low": "lower end of the 94 % interval",
    "high": "upper end of the 94 % interval",
}
ROAS_COLUMNS = (
    "channel", "spend", "contribution_mean", "contribution_low", "contribution_high",
    "roas_mean", "roas_low", "roas_high", "mroas_mean",
    "cost_per_unit_mean", "cost_per_unit_low", "cost_per_unit_high", "prior_driven",
)  # fmt: skip
DIAGNOSTICS_COLUMNS = ("parameter", "r_hat", "ess_bulk", "ess_tail")
GATE_COLUMNS = (
    "battery",
    "gate",
    "verdict",
    "observed",
    "pass_limit",
    "review_limit",
    "where",
    "reason",
)


@dataclass(frozen=True)
class RunDocuments:
    """Files of one run, opened."""

    spec: RunSpec
    contributions: pd.DataFrame
    fitted: pd.DataFrame
    roi_metrics: Mapping[str, Mapping[str, Any]]
    diagnostics: Mapping[str, Any]
    posterior_summary: Any


def build_tables(documents: RunDocuments) -> dict[str, pd.DataFrame]:
    """Return all tables of an export by file stem, each with the same columns in every export."""
    return {
        "contributions": documents.contributions[list(CONTRIBUTION_COLUMNS)],
        "fitted": documents.fitted[list(FITTED_COLUMNS)],
        "roas": _keyed(documents.roi_metrics, "channel", ROAS_COLUMNS),
        "diagnostics": _keyed(
            documents.diagnostics.get("parameters", {}), "parameter", DIAGNOSTICS_COLUMNS
        ),
        "gates": pd.DataFrame(documents.diagnostics.get("gates", []), columns=list(GATE_COLUMNS)),
        "posterior_summary": _summary(documents.posterior_summary),
    }


def build_dictionary(tables: Mapping[str, pd.DataFrame], spec: RunSpec) -> pd.DataFrame:
    """Return one row per column of every table: table, column, unit, meaning."""
    rows = [
        (table, str(column), *_meaning(table, str(column), spec))
        for table, frame in tables.items()
        for column in frame.columns
    ]
    return pd.DataFrame(rows, columns=["table", "column", "unit", "meaning"])


def _keyed(
    entries: Mapping[str, Mapping[str, Any]], key: str, columns: Sequence[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        [{key: name, **entry} for name, entry in entries.items()], columns=list(columns)
    )


def _summary(document: Any) -> pd.DataFrame:
    if isinstance(document, Mapping):
        rows = [
            {"parameter": name, **entry}
            for name, entry in document.items()
            if isinstance(entry, Mapping)
        ]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["parameter"])
    return pd.DataFrame(document)


def _meaning(table: str, column: str, spec: RunSpec) -> tuple[str, str]:
    unit = "currency of the file" if spec.kpi.kind is KpiKind.REVENUE else "count"
    kpi = f"{spec.kpi_name} ({unit})"
    fixed = {
        "entity_id": ("text", "market, store or brand"),
        "period_start": ("date", "first day of the period"),
        "component": ("text", "channel, control, seasonality, trend or baseline"),
        "kind": ("text", "channel, control, seasonality, trend, baseline or event"),
        "actual": (kpi, "observed KPI"),
        "channel": ("text", "channel of the run spec"),
        "spend": ("currency of the file", "money spent in the estimation window"),
        "mroas_mean": (
            "KPI value per unit of spend",
            "return of one more unit of spend, posterior mean",
        ),
        "prior_driven": (
            "true/false",
            "the data moved the prior too little to decide this channel",
        ),
        "parameter": ("text", "name in the posterior"),
        "r_hat": ("ratio", "rank-normalized split R-hat; 1 is perfect"),
        "ess_bulk": ("draws", "effective sample size of the bulk"),
        "ess_tail": ("draws", "effective sample size of the tails"),
        "battery": ("text", "sampling or fit"),
        "gate": ("text", "name of the check"),
        "verdict": ("text", "PASS, REVIEW, FAIL or NOT_EVALUATED"),
        "observed": ("unit of the gate", "judged number; empty where it could not be computed"),
        "pass_limit": ("unit of the gate", "limit of PASS"),
        "review_limit": ("unit of the gate", "limit of REVIEW"),
        "where": ("text", "parameter, channel or series that gave the number"),
        "reason": ("text", "why it is not a PASS, and what to do"),
    }
    if column in fixed:
        return fixed[column]
    stem, _, end = column.rpartition("_")
    units = {
        "contribution": (kpi, "part of the expected KPI due to the component"),
        "fitted": (kpi, "KPI as the model expects it"),
        "roas": ("KPI value per unit of spend", "return on ad spend over the estimation window"),
        "cost_per_unit": ("currency of the file", "spend per unit of the KPI"),
    }
    if stem in units and end in _ENDS:
        unit, meaning = units[stem]
        return unit, f"{meaning}, {_ENDS[end]}"
    return "unit of the parameter", f"{column} of the {table.replace('_', ' ')}"
