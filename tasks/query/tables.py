"""Tables of an export, each with the same columns in every export. No I/O."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import BaseModel

from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import EntityCurve, ResponseCurve, ResponseCurves, RoiMetrics
from schemas.documents.fit import PosteriorSummary
from schemas.documents.plan import Plan
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
    ForecastScope,
)
from schemas.spec.run_spec import RunSpec

CURVE_COLUMNS = (CHANNEL_DIM, ENTITY_COLUMN, "unit", "x", "median", "low_90", "high_90", "scope")
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
    roi_metrics: RoiMetrics
    diagnostics: Diagnostics
    posterior_summary: PosteriorSummary
    response_curves: ResponseCurves | None = None
    roas_by_entity: pd.DataFrame | None = None
    forecast: pd.DataFrame | None = None
    forecast_actuals: pd.DataFrame | None = None
    plan: Plan | None = None


def build_tables(documents: RunDocuments) -> dict[str, pd.DataFrame]:
    """Return all tables of an export by file stem; those of files that a run lacks are left out."""
    return {
        "contributions": documents.contributions[list(CONTRIBUTION_COLUMNS)],
        "fitted": documents.fitted[list(FITTED_COLUMNS)],
        "roas": _keyed(documents.roi_metrics.items(), CHANNEL_DIM, (CHANNEL_DIM, *ROAS_COLUMNS)),
        **_selected("roas_by_entity", documents.roas_by_entity, ROAS_BY_ENTITY_COLUMNS),
        **_curves(documents.response_curves),
        **_selected("forecast", documents.forecast, FORECAST_COLUMNS),
        **_selected("forecast_actuals", documents.forecast_actuals, FORECAST_ACTUALS_COLUMNS),
        **_plan(documents.plan),
        "diagnostics": _keyed(
            documents.diagnostics.parameters.items(), "parameter", DIAGNOSTICS_COLUMNS
        ),
        "gates": _rows(documents.diagnostics.gates, GATE_COLUMNS),
        "posterior_summary": _summary(documents.posterior_summary),
    }


def _selected(
    name: str, frame: pd.DataFrame | None, columns: Sequence[str]
) -> dict[str, pd.DataFrame]:
    return {} if frame is None else {name: frame[list(columns)]}


def _plan(plan: Plan | None) -> dict[str, pd.DataFrame]:
    if plan is None:
        return {}
    return {
        "plan_summary": _rows([plan], PLAN_SUMMARY_COLUMNS),
        "plan": _keyed(plan.channels.items(), "channel", PLAN_COLUMNS),
        "plan_allocation": _rows(plan.allocation, ALLOCATION_COLUMNS),
    }


def _curves(curves: ResponseCurves | None) -> dict[str, pd.DataFrame]:
    if curves is None:
        return {}
    rows = [row for channel, curve in curves.items() for row in _curve_rows(channel, curve)]
    return {"response_curves": pd.DataFrame(rows, columns=list(CURVE_COLUMNS))}


def _curve_rows(channel: str, curve: ResponseCurve) -> Iterator[tuple[Any, ...]]:
    """Yield the points of a channel's curve, then those of its entities."""
    parts: list[tuple[str, ResponseCurve | EntityCurve]]
    parts = [(ALL_ENTITIES, curve), *(curve.entities or {}).items()]
    for entity, part in parts:
        points = zip(part.x, part.median, part.low_90, part.high_90, strict=True)
        scope = ForecastScope.ALL if part is curve else ForecastScope.ENTITY
        yield from ((channel, entity, curve.unit, *point, scope.value) for point in points)


def _keyed(
    entries: Iterable[tuple[str, BaseModel]], key: str, columns: Sequence[str]
) -> pd.DataFrame:
    rows = [{key: name, **entry.model_dump(mode="json")} for name, entry in entries]
    return pd.DataFrame(rows, columns=list(columns))


def _rows(entries: Iterable[BaseModel], columns: Sequence[str]) -> pd.DataFrame:
    rows = [entry.model_dump(mode="json", include=set(columns)) for entry in entries]
    return pd.DataFrame(rows, columns=list(columns))


def _summary(document: PosteriorSummary) -> pd.DataFrame:
    rows = [
        {"parameter": name, **row.model_dump(mode="json", by_alias=True)}
        for name, row in document.items()
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["parameter"])
