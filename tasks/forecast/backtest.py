"""Scores of fits at past dates: one fit, and one candidate over all its dates."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from schemas.answers.backtest import CandidateScore, InformationScore, SliceReturn, SliceScore
from schemas.documents.forecast_scores import ANY_AHEAD
from schemas.names import ForecastScope
from tasks.forecast.deployed import predict_deployed
from tasks.forecast.forecast import forecast_kpi
from tasks.forecast.ledger import match_run, score_deployed
from tasks.forecast.summary import summarize_scores
from tasks.mathematics.panel import estimation_window
from tasks.models.contract import FittedModel
from tasks.models.information import BAD_K, BAD_VARIANCE, measure_information
from tasks.models.opening import FitData
from tasks.models.returns import channel_quantiles, evaluate

_RUN = "backtest"


class Horizon(NamedTuple):
    """What is scored after a fit."""

    n_periods: int
    seed: int


def score_fit(
    model: FittedModel, data: FitData, inputs: pd.DataFrame, horizon: Horizon
) -> pd.DataFrame:
    """Score a fit on the periods after it, with the media and controls that happened.

    Parameters
    ----------
    model, data
        The fit, and what it was made of.
    inputs
        From ``tasks.store.warehouse.actuals.read_known_inputs``: the KPI among them.
    horizon
        Periods after the fit, and the seed of the noise.

    Returns
    -------
    pd.DataFrame
        ``schemas.documents.forecast_scores.SCORE_COLUMNS``, one row per entity and period, and one
        per period of all together; KPI units.
    """
    panel, metadata = data.panel, data.metadata
    made = forecast_kpi(model, panel, metadata, horizon=horizon.n_periods, seed=horizon.seed)
    known = inputs.rename(columns={metadata.kpi_column: "actual"})
    known = known[["entity_id", "period_start", "actual"]].dropna()
    rows = match_run(made.assign(run_id=_RUN), known)
    prediction = predict_deployed(
        model, panel, metadata, inputs, horizon=horizon.n_periods, seed=horizon.seed
    )
    return score_deployed(rows, prediction)


def average_scores(rows: pd.DataFrame) -> dict[str, Any]:
    """Return mean scores of the sum over entities, by field of ``SliceScore``; null without rows.

    Parameters
    ----------
    rows
        ``SCORE_COLUMNS``.
    """
    for summary in summarize_scores(rows):
        if summary.scope is ForecastScope.ALL and summary.periods_ahead == ANY_AHEAD:
            kept = ("crps", "mape", "coverage_50", "coverage_90", "skill")
            return {"n_scored": summary.n, **{name: getattr(summary, name) for name in kept}}
    return {"n_scored": 0} | dict.fromkeys(("crps", "mape", "coverage_50", "coverage_90", "skill"))


def measure_slice_returns(model: FittedModel, data: FitData) -> dict[str, SliceReturn]:
    """Return ROAS of every channel over the fitted window, or its share of the KPI without one."""
    window = estimation_window(data.panel)
    measured = channel_quantiles(evaluate(model, data.panel).channels, window, data.metadata)
    return {name: _pick(row) for name, row in measured.items()}


def inform(model: FittedModel, data: FitData) -> InformationScore:
    """Return PSIS-LOO and WAIC of a fit, as means over its values.

    Kinds fit as many periods as their carryover leaves, so sums could not be compared.
    """
    found = measure_information(model, data.panel)
    loo = found.elpd_loo / found.n
    return InformationScore(
        n=found.n,
        elpd_loo=loo if np.isfinite(loo) else None,
        p_loo=found.p_loo if np.isfinite(loo) else None,
        n_bad_k=found.n_bad_k,
        elpd_waic=found.elpd_waic / found.n,
        n_bad_variance=found.n_bad_variance,
    )


def worst_r_hat(draws: xr.Dataset) -> float | None:
    """Return the largest R-hat of any parameter; None where none varies.

    Parameters
    ----------
    draws
        Dims ``(chain, draw, ...)``.
    """
    # A constant has no R-hat: NaN is the answer and no warning.
    with np.errstate(invalid="ignore", divide="ignore"):
        found = az.rhat(draws)
    values = np.concatenate([v.to_numpy().ravel() for v in found.data_vars.values()])
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else None


def _pick(row: Mapping[str, float | None]) -> SliceReturn:
    quantity = "roas" if row["roas_median"] is not None else "share"
    ends = {end: row[f"{quantity}_{end}"] for end in ("median", "low_90", "high_90")}
    return SliceReturn.model_validate({"quantity": quantity, **ends})


def summarize_candidate(
    name: str,
    kind: str,
    made: Sequence[SliceScore],
    rows: Mapping[date, pd.DataFrame],
) -> CandidateScore:
    """Summarize one candidate.

    Parameters
    ----------
    name, kind
        Of the candidate.
    made
        Every date, those without a fit too.
    rows
        Scores of single periods by date that is counted, ``SCORE_COLUMNS``.

    Returns
    -------
    CandidateScore
        Means over all scored periods of these dates.
    """
    fitted = [one for one in made if one.error is None]
    counted = [one for one in fitted if one.origin in rows]
    scores = average_scores(pd.concat(rows.values(), ignore_index=True) if rows else _NONE)
    channels = dict.fromkeys(channel for one in fitted for channel in one.returns)
    return CandidateScore(
        candidate=name,
        model_kind=kind,
        n_slices=len(rows),
        n_failed=len(made) - len(fitted),
        seconds=sum(one.seconds for one in made),
        return_spread={channel: _spread(channel, fitted) for channel in channels},
        **scores,
        **_inform(counted),
        **_advise(counted),
    )


def _inform(counted: Sequence[SliceScore]) -> dict[str, float | None]:
    """Means over dates of what is known of every one of them."""
    known = [one.information for one in counted if one.information is not None]
    if not known or len(known) < len(counted):
        return dict.fromkeys(("elpd_loo", "elpd_waic", "bad_k"))
    loo = [one.elpd_loo for one in known if one.elpd_loo is not None]
    return {
        "elpd_loo": float(np.mean(loo)) if len(loo) == len(known) else None,
        "elpd_waic": float(np.mean([one.elpd_waic for one in known])),
        "bad_k": sum(one.n_bad_k for one in known) / sum(one.n for one in known),
    }


def _advise(counted: Sequence[SliceScore]) -> dict[str, float | None]:
    known = [one.advice for one in counted if one.advice is not None]
    return {
        "n_advised": len(known),
        "n_followed": sum(one.follow for one in known),
        "n_losing": sum(one.follow and one.gain < 0 for one in known),
        "regret": float(np.mean([one.regret for one in known])) if known else None,
    }


def describe_limits(made: Sequence[SliceScore]) -> list[str]:
    """Say in words where PSIS-LOO and WAIC of fits are not to be relied on.

    Parameters
    ----------
    made
        Every candidate at every date.
    """
    notes = []
    for name in dict.fromkeys(one.candidate for one in made):
        known = [one.information for one in made if one.candidate == name and one.information]
        n_bad_k, n = sum(one.n_bad_k for one in known), sum(one.n for one in known)
        if n_bad_k:
            notes.append(
                f"{name}: Pareto k is above {BAD_K:g} for {n_bad_k} of {n} fitted values. Each of "
                "them decides the fit so much that PSIS-LOO cannot leave it out: read its mean as "
                "too good, look at these periods for errors or events, and go by the scores of "
                "the periods after each date."
            )
        n_bad_variance = sum(one.n_bad_variance for one in known)
        if n_bad_variance:
            notes.append(
                f"{name}: WAIC is off for {n_bad_variance} of {n} fitted values, whose log density "
                f"varies by more than {BAD_VARIANCE:g}; where it differs from PSIS-LOO, go by that."
            )
    return notes


_NONE = pd.DataFrame({"scope": [], "basis": [], "periods_ahead": []})


def _spread(channel: str, fitted: Sequence[SliceScore]) -> float | None:
    values = [one.returns[channel].median for one in fitted if channel in one.returns]
    mean = abs(float(np.mean(values)))
    return float(np.std(values, ddof=1)) / mean if len(values) > 1 and mean > 0 else None
