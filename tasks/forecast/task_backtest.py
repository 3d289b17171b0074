"""Scores of a backtest's fits: read, call, write. Logic: ``backtest``."""

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
    AdviceScore,
    BacktestPlan,
    BacktestReport,
    Candidate,
    InformationScore,
    ScoredSlice,
    SlicedFit,
    SliceScore,
)
from schemas.errors import SamplingError
from schemas.refs import FeaturesRef, PosteriorRef, StepKey
from schemas.spec.backtest import BacktestRequest
from schemas.spec.run_spec import RunSpec
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import read_netcdf, read_parquet, write_parquet
from tasks.store.files.fits import read_features
from tasks.store.home import Home, current_home
from tasks.store.memory import free_bytes
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


@task(name="measure-slice", cache_policy=NO_CACHE)
def measure_slice(features: FeaturesRef, candidate: Candidate) -> int:
    """Return the bytes that a process takes at most which fits a candidate at a date."""
    from tasks.models.memory import PROCESS_BYTES
    from tasks.models.opening import open_data

    opened = open_data(read_features(current_home(), features))
    need = opened.kind.memory_bytes(opened.panel, opened.metadata, candidate.spec.sampler)
    return PROCESS_BYTES + need


def count_workers(request: BacktestRequest, fits: list[SlicedFit]) -> int:
    """Return how many fits run at once: those asked for, or what cores and memory allow."""
    from tasks.models.memory import workers_of_equal_size

    if request.workers is not None:
        return min(request.workers, len(fits))
    cores = len(os.sched_getaffinity(0))
    largest = max(fit.memory_bytes for fit in fits)
    return workers_of_equal_size(largest, free_bytes(), min(cores, len(fits)))


@task(name="score-slice", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def score_slice(
    key: StepKey, fit: SlicedFit, posterior: PosteriorRef, spec: RunSpec
) -> ScoredSlice:
    """Score one candidate at one date on the periods after it."""
    from tasks.forecast import backtest
    from tasks.models.opening import FitData, open_fit

    home, started = current_home(), time.perf_counter()
    opened = open_fit(
        read_netcdf(home, posterior.posterior),
        read_features(home, fit.features),
        N_SCORED_DRAWS,
    )
    data = FitData(opened.panel, opened.inputs)
    inputs = read_known_inputs(home, spec.dataset_id, data.metadata)
    horizon = backtest.Horizon(fit.horizon, spec.sampler.random_seed)
    rows = backtest.score_fit(opened.model, data, inputs, horizon)
    draws = opened.tree["posterior"].to_dataset()
    kind = opened.kind
    seconds = sum(posterior.wall_seconds.values()) + time.perf_counter() - started
    score = SliceScore(
        candidate=fit.candidate,
        origin=fit.data.slice.origin,
        as_of=fit.data.slice.as_of,
        as_known=fit.data.as_known,
        n_fitted=data.metadata.n_estimation_periods,
        r_hat_max=backtest.worst_r_hat(draws) if kind.sampling_gates else None,
        information=backtest.inform(opened.model, data) if kind.has_prior else None,
        seconds=round(seconds, 3),
        returns=backtest.measure_slice_returns(opened.model, data),
        **backtest.average_scores(rows),
    )
    log.info("%s at %s: CRPS %s in %.1f s", fit.candidate, score.origin, score.crps, score.seconds)
    return ScoredSlice(
        score=score, rows=write_parquet(home, fit_dir(home, key) / _SCORES_FILE, rows)
    )


@task(name="answer-backtest", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5)
def answer_backtest(
    plan: BacktestPlan, made: list[ScoredSlice], workers: int, seconds: float
) -> BacktestReport:
    """Summarize a backtest, and put it on record: one MLflow run with one nested run per fit.

    Parameters
    ----------
    plan, made
        What was fitted, and every fit's scores.
    workers, seconds
        Fits that ran at once, and how long all of them took.
    """
    from tasks.forecast import backtest

    home = current_home()
    scores = [one.score for one in made]
    whole = _dates_of_all(plan, scores)
    candidates = [
        backtest.summarize_candidate(
            candidate.name,
            candidate.spec.model.kind,
            [s for s in scores if s.candidate == candidate.name],
            {
                one.score.origin: _read_rows(home, one)
                for one in made
                if one.score.candidate == candidate.name and one.score.origin in whole
            },
        )
        for candidate in plan.candidates
    ]
    report = BacktestReport(
        dataset_id=plan.dataset_id,
        kpi_name=plan.kpi_name,
        horizon=plan.horizon,
        step=plan.step,
        workers=workers,
        seconds=round(seconds, 3),
        candidates=candidates,
        slices=scores,
        notes=[*_notes(plan, scores, n_whole=len(whole)), *backtest.describe_limits(scores)],
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


def without_fit(fit: SlicedFit, error: SamplingError) -> ScoredSlice:
    """Put on record that a candidate could not be sampled at a date."""
    log.warning("%s at %s: %s", fit.candidate, fit.data.slice.origin, error)
    metadata = read_features(current_home(), fit.features).metadata
    nothing: Mapping[str, None] = dict.fromkeys(
        ("crps", "mape", "coverage_50", "coverage_90", "skill", "r_hat_max")
    )
    score = SliceScore(
        candidate=fit.candidate,
        origin=fit.data.slice.origin,
        as_of=fit.data.slice.as_of,
        as_known=fit.data.as_known,
        n_fitted=metadata.n_estimation_periods,
        n_scored=0,
        seconds=0.0,
        error=str(error),
        **nothing,
    )
    return ScoredSlice(score=score, rows=None)


def _dates_of_all(plan: BacktestPlan, scores: list[SliceScore]) -> set[date]:
    """Dates at which every candidate could be fitted: scores of others cannot be compared."""
    failed = {score.origin for score in scores if score.error is not None}
    return {one.origin for one in plan.slices} - failed


def _notes(plan: BacktestPlan, scores: list[SliceScore], *, n_whole: int) -> list[str]:
    notes = list(plan.notes)
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
            **_numbers(score.information, ("elpd_loo", "elpd_waic", "n_bad_k")),
            **_numbers(score.advice, ("gain", "regret")),
            **{f"return/{name}": row.median for name, row in score.returns.items()},
        },
        tags={"kind": "backtest", "error": score.error or "none"},
    )  # fmt: skip


def _numbers(
    part: InformationScore | AdviceScore | None, names: tuple[str, ...]
) -> dict[str, float]:
    return {} if part is None else {name: getattr(part, name) for name in names}
