"""Fits of a backtest and their scores: read, call, write. Logic: ``backtest``."""

import logging
import os
import time
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.answers.backtest import (
    BacktestPlan,
    BacktestReport,
    ScoredSlice,
    SlicedFit,
    SliceScore,
)
from schemas.errors import SamplingError
from schemas.refs import StepKey
from schemas.spec.run_spec import RunSpec
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import read_parquet, write_parquet
from tasks.store.files.fits import read_features
from tasks.store.home import Home, current_home
from tasks.store.runs.resume import fit_dir, forget_steps, resumable
from tasks.store.tracking import experiments
from tasks.store.tracking.auxiliary_fits import AuxiliaryFit, log_auxiliary_fits
from tasks.store.tracking.backtests import log_backtest
from tasks.store.warehouse.actuals import read_known_inputs

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

N_SCORED_DRAWS = 1000
"""Draws that a fit is scored with."""
WORST_R_HAT = 1.05
"""Above it a note says that chains of a fit do not agree."""
_SCORES_FILE = "scores.parquet"


@task(name="fit-slice", cache_policy=NO_CACHE)
@resumable
def fit_slice(key: StepKey, fit: SlicedFit, spec: RunSpec) -> ScoredSlice:
    """Fit one candidate at one date and score it. A fit that cannot be sampled is on record."""
    from tasks.forecast import backtest
    from tasks.models.kind import Watch
    from tasks.models.opening import open_data
    from tasks.models.quantities import thin_draws

    home, started = current_home(), time.perf_counter()
    data = open_data(read_features(home, fit.features))
    inputs = read_known_inputs(home, spec.dataset_id, data.metadata)
    try:
        sampled = data.kind.fit(
            data.panel, data.inputs, spec.sampler, Watch(len(os.sched_getaffinity(0)))
        )
    except SamplingError as error:
        log.warning("%s at %s: %s", fit.candidate, fit.data.slice.origin, error)
        seconds = round(time.perf_counter() - started, 3)
        return ScoredSlice(
            score=_without_fit(fit, data.metadata.n_estimation_periods, seconds, str(error)),
            rows=None,
        )
    draws = sampled.tree["posterior"].to_dataset()
    model = data.kind.open(thin_draws(draws, N_SCORED_DRAWS), data.inputs)
    horizon = backtest.Horizon(fit.horizon, spec.sampler.random_seed)
    rows = backtest.score_fit(model, data, inputs, horizon)
    score = SliceScore(
        candidate=fit.candidate,
        origin=fit.data.slice.origin,
        as_of=fit.data.slice.as_of,
        as_known=fit.data.as_known,
        n_fitted=data.metadata.n_estimation_periods,
        r_hat_max=backtest.worst_r_hat(draws) if data.kind.sampling_gates else None,
        seconds=round(time.perf_counter() - started, 3),
        returns=backtest.measure_slice_returns(model, data),
        **backtest.average_scores(rows),
    )
    log.info("%s at %s: CRPS %s in %.1f s", fit.candidate, score.origin, score.crps, score.seconds)
    return ScoredSlice(
        score=score, rows=write_parquet(home, fit_dir(home, key) / _SCORES_FILE, rows)
    )


@task(name="answer-backtest", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def answer_backtest(plan: BacktestPlan, made: list[ScoredSlice]) -> BacktestReport:
    """Summarize a backtest, and put it on record: one MLflow run with one nested run per fit."""
    from tasks.forecast import backtest

    home = current_home()
    scores = [one.score for one in made]
    whole = _dates_of_all(plan, scores)
    candidates = [
        backtest.summarize_candidate(
            candidate.name,
            candidate.spec.model.kind,
            [s for s in scores if s.candidate == candidate.name],
            [
                _read_rows(home, one)
                for one in made
                if one.score.candidate == candidate.name and one.score.origin in whole
            ],
        )
        for candidate in plan.candidates
    ]
    report = BacktestReport(
        dataset_id=plan.dataset_id,
        kpi_name=plan.kpi_name,
        horizon=plan.horizon,
        step=plan.step,
        candidates=candidates,
        slices=scores,
        notes=_notes(plan, scores, n_whole=len(whole)),
        mlflow_run_id=None,
    )
    client = experiments.open_store(home)
    parent = log_backtest(client, home, report)
    log_auxiliary_fits(client, parent, [_reported(score) for score in scores])
    create_table_artifact(
        key=artifact_key("backtest", plan.dataset_id),
        table=[candidate.model_dump(mode="json") for candidate in candidates],
        description=f"Backtest of {plan.dataset_id}: {len(plan.slices)} dates",
    )
    forget_steps(home, plan.steps)
    return report.model_copy(update={"mlflow_run_id": parent})


def _without_fit(fit: SlicedFit, n_fitted: int, seconds: float, error: str) -> SliceScore:
    nothing: Mapping[str, None] = dict.fromkeys(
        ("crps", "mape", "coverage_50", "coverage_90", "skill", "r_hat_max")
    )
    return SliceScore(
        candidate=fit.candidate,
        origin=fit.data.slice.origin,
        as_of=fit.data.slice.as_of,
        as_known=fit.data.as_known,
        n_fitted=n_fitted,
        n_scored=0,
        seconds=seconds,
        error=error,
        **nothing,
    )


def _dates_of_all(plan: BacktestPlan, scores: list[SliceScore]) -> set[date]:
    """Dates at which every candidate could be fitted: scores of others cannot be compared."""
    failed = {score.origin for score in scores if score.error is not None}
    return {one.origin for one in plan.slices} - failed


def _notes(plan: BacktestPlan, scores: list[SliceScore], *, n_whole: int) -> list[str]:
    notes = []
    cut = {score.origin for score in scores if not score.as_known}
    if cut:
        notes.append(
            f"At {len(cut)} of {len(plan.slices)} dates the warehouse did not know the periods on "
            "that day: today's values are used there, cut at the date, with restatements in them."
        )
    if n_whole < len(plan.slices):
        notes.append(
            f"{len(plan.slices) - n_whole} dates are left out of all means: a candidate could not "
            "be fitted there."
        )
    unmixed = sorted({s.candidate for s in scores if (s.r_hat_max or 0) > WORST_R_HAT})
    if unmixed:
        named = ", ".join(unmixed)
        notes.append(f"R-hat above {WORST_R_HAT} at some date: {named}; give it more draws.")
    return notes


def _read_rows(home: Home, made: ScoredSlice) -> "pd.DataFrame":
    if made.rows is None:
        raise AssertionError(f"{made.score.candidate} at {made.score.origin} has no scores")
    return read_parquet(home, made.rows)


def _reported(score: SliceScore) -> AuxiliaryFit:
    figures = ("crps", "mape", "coverage_50", "coverage_90", "skill", "r_hat_max", "seconds")
    return AuxiliaryFit(
        name=f"{score.candidate}/{score.origin}",
        title=f"{score.candidate} {score.origin}",
        params={"candidate": score.candidate, "origin": score.origin, "as_of": score.as_of,
                "as_known": score.as_known, "n_fitted": score.n_fitted},
        metrics={
            **{name: getattr(score, name) for name in figures},
            **{f"return/{name}": row.median for name, row in score.returns.items()},
        },
        tags={"kind": "backtest", "error": score.error or "none"},
    )  # fmt: skip
