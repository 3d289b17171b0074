"""Mean scores by basis, scope and periods ahead."""

import math

import pandas as pd

from schemas.documents.forecast_scores import AHEAD, ANY_AHEAD, Basis, ScoreSummary
from schemas.names import ForecastScope


def summarize_scores(scores: pd.DataFrame) -> list[ScoreSummary]:
    """Average the scores of all runs; groups without any are left out.

    Parameters
    ----------
    scores
        ``schemas.documents.forecast_scores.SCORE_COLUMNS``.
    """
    found = []
    for scope in (ForecastScope.ALL, ForecastScope.ENTITY):
        for basis in Basis:
            part = scores[(scores["scope"] == scope.value) & (scores["basis"] == basis.value)]
            for name, (first, last) in {ANY_AHEAD: (1, math.inf), **AHEAD}.items():
                rows = part[part["periods_ahead"].between(first, last)]
                if len(rows):
                    found.append(_summarize(rows, basis, scope, name))
    return found


def _summarize(
    rows: pd.DataFrame, basis: Basis, scope: ForecastScope, periods_ahead: str
) -> ScoreSummary:
    compared = rows[rows["naive_error"].notna()]
    naive = float(compared["naive_error"].mean()) if len(compared) else 0.0
    return ScoreSummary(
        basis=basis,
        scope=scope,
        periods_ahead=periods_ahead,
        n=len(rows),
        crps=_finite(rows["crps"].mean()),
        coverage_50=float(rows["in_50"].mean()),
        coverage_90=float(rows["in_90"].mean()),
        mape=_finite(rows["ape"].mean()),
        skill=_finite(1 - compared["abs_error"].mean() / naive) if naive > 0 else None,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
