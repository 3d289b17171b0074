"""Tables of an export, each with the same columns in every export. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schemas.names import (
    ALL_ENTITIES,
    CHANNEL_DIM,
    CONTRIBUTION_COLUMNS,
    ENTITY_COLUMN,
    FITTED_COLUMNS,
    FORECAST_ACTUALS_COLUMNS,
    FORECAST_COLUMNS,
    PERIOD_COLUMN,
    ROAS_BY_ENTITY_COLUMNS,
    ROAS_COLUMNS,
)
from schemas.spec.run_spec import RunSpec

CURVE_COLUMNS = (CHANNEL_DIM, ENTITY_COLUMN, "unit", "x", "median", "low_90", "high_90")
PLAN_SUMMARY_COLUMNS = (
    "scenario_id", "name", "advice", "reason", "utility", "unit", "first_period", "last_period",
    "budget", "current_budget", "gain_mean", "gain_low", "gain_high", "prob_gain",
    "expected_regret", "change_mean", "change_low", "change_high", "incremental_mean",
    "incremental_low", "incremental_high", "return_mean",
)  # fmt: skip
PLAN_COLUMNS = (
    "channel", "current", "planned", "candidate", "low", "high", "action", "reason",
    "mroas_mean", "mroas_low", "mroas_high", "mroas_candidate_mean", "incremental_current_mean",
    "incremental_candidate_mean", "prob_raise", "prior_driven", "observed_low", "observed_high",
    "is_beyond_observed",
)  # fmt: skip
ALLOCATION_COLUMNS = (
    ENTITY_COLUMN, CHANNEL_DIM, PERIOD_COLUMN, "current", "planned", "candidate",
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
    """Files of one run, opened. What a run need not have is None where it has none."""

    spec: RunSpec
    contributions: pd.DataFrame
    fitted: pd.DataFrame
    roi_metrics: Mapping[str, Mapping[str, Any]]
    diagnostics: Mapping[str, Any]
    posterior_summary: Any
    response_curves: Mapping[str, Mapping[str, Any]] | None = None
    roas_by_entity: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    forecast_actuals: pd.DataFrame | None = None
    plan: Mapping[str, Any] | None = None
    """``plan.json``."""


def build_tables(documents: RunDocuments) -> dict[str, pd.DataFrame]:
    """Return all tables of an export by file stem; those of files that a run lacks are left out."""
    return {
        "contributions": documents.contributions[list(CONTRIBUTION_COLUMNS)],
        "fitted": documents.fitted[list(FITTED_COLUMNS)],
        "roas": _keyed(documents.roi_metrics, CHANNEL_DIM, (CHANNEL_DIM, *ROAS_COLUMNS)),
        **_selected("roas_by_entity", documents.roas_by_entity, ROAS_BY_ENTITY_COLUMNS),
        **_curves(documents.response_curves),
        **_selected("forecast", documents.forecast, FORECAST_COLUMNS),
        **_selected("forecast_actuals", documents.forecast_actuals, FORECAST_ACTUALS_COLUMNS),
        **_plan(documents.plan),
        "diagnostics": _keyed(
            documents.diagnostics.get("parameters", {}), "parameter", DIAGNOSTICS_COLUMNS
        ),
        "gates": pd.DataFrame(documents.diagnostics.get("gates", []), columns=list(GATE_COLUMNS)),
        "posterior_summary": _summary(documents.posterior_summary),
    }


def _selected(
    name: str, frame: pd.DataFrame | None, columns: Sequence[str]
) -> dict[str, pd.DataFrame]:
    return {} if frame is None else {name: frame[list(columns)]}


def _plan(plan: Mapping[str, Any] | None) -> dict[str, pd.DataFrame]:
    if plan is None:
        return {}
    return {
        "plan_summary": pd.DataFrame([plan], columns=list(PLAN_SUMMARY_COLUMNS)),
        "plan": _keyed(plan["channels"], "channel", PLAN_COLUMNS),
        "plan_allocation": pd.DataFrame(plan["allocation"], columns=list(ALLOCATION_COLUMNS)),
    }


def _curves(curves: Mapping[str, Mapping[str, Any]] | None) -> dict[str, pd.DataFrame]:
    if curves is None:
        return {}
    rows = [row for channel, curve in curves.items() for row in _curve_rows(channel, curve)]
    return {"response_curves": pd.DataFrame(rows, columns=list(CURVE_COLUMNS))}


def _curve_rows(channel: str, curve: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the points of a channel's curve, then those of its entities."""
    for entity, part in [(ALL_ENTITIES, curve), *curve.get("entities", {}).items()]:
        points = zip(part["x"], part["median"], part["low_90"], part["high_90"], strict=True)
        yield from ((channel, entity, curve["unit"], *point) for point in points)


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
