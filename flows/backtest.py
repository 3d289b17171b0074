"""Backtest specs and kinds: fitted at past dates, scored on what came after."""

import logging
import time
from pathlib import Path

from prefect import flow

from flows.backtest_slice import run_slice
from flows.hooks import notify_failure
from flows.services.process_pool import run_all
from flows.spec_files import find_file
from schemas.answers.backtest import BacktestPlan, BacktestReport, Candidate, SlicedFit, SliceWork
from schemas.errors import SpecError
from schemas.refs import StepKey
from schemas.spec.backtest import BacktestRequest, with_kind
from schemas.spec.known_truth import KnownTruth
from tasks.canonicalize.task_slices import freeze_slice, plan_slices
from tasks.diagnose.task_shapes import shape_as_champion
from tasks.features.task import build_features
from tasks.forecast.task_backtest import answer_backtest, count_workers, measure_slice
from tasks.query.runs import load_spec
from tasks.recover.task_advice import read_truth, require_truth
from tasks.store.redaction import filter_states

filter_states()


@flow(
    name="backtest",
    flow_run_name="backtest-{request.n_slices}x{request.horizon}",
    on_failure=[notify_failure],
    on_crashed=[notify_failure],
)
def backtest(request: BacktestRequest) -> BacktestReport:
    """Fit every candidate at every date, and score each on the periods after it.

    Fits run side by side, in processes. A backtest that was interrupted takes over the fits that
    had ended, if data, specs and code are the same.

    Raises
    ------
    MmmError
        If a candidate cannot be fitted at a date by what its spec asks for; nothing is fitted.
    """
    for name in ("flows", "tasks"):  # Prefect attaches its handler to them, not a level.
        logging.getLogger(name).setLevel(logging.INFO)
    truth = find_truth(request)
    candidates, notes = shape_candidates(name_candidates(request))
    plan = plan_slices(request, candidates)
    plan = plan.model_copy(update={"truth": truth, "notes": notes})
    fits = _prepare(plan)
    workers = count_workers(request, fits)
    started = time.perf_counter()
    made = run_all(run_slice, [_work(plan, fit) for fit in fits], workers)
    return answer_backtest(plan, made, workers, time.perf_counter() - started)


def find_truth(request: BacktestRequest) -> KnownTruth | None:
    """Return the truth that a request names, if it names one.

    Raises
    ------
    SpecError
        If the file cannot be used.
    """
    if request.truth_file is None:
        return None
    return read_truth(find_file(request.truth_file, parameter="truth_file"))


def name_candidates(request: BacktestRequest) -> list[Candidate]:
    """Return every spec with its own kind, or with each of those that are asked for.

    Raises
    ------
    SpecError
        If two would have the same name, or a spec says what a kind would have to ignore.
    """
    candidates = []
    for named in request.spec_files:
        spec, stem = load_spec(find_file(named, parameter="spec_files")), Path(named).stem
        for kind in request.kinds or [spec.model.kind]:
            candidates.append(Candidate(name=f"{stem}/{kind}", spec=with_kind(spec, kind)))
    names = [candidate.name for candidate in candidates]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(
            f"Two candidates are called {', '.join(twice)}; give files of different names, and "
            "each kind once."
        )
    return candidates


def shape_candidates(candidates: list[Candidate]) -> tuple[list[Candidate], list[str]]:
    """Return candidates with the champion's shapes where they leave them open, and notes on it."""
    shaped, notes = [], []
    for candidate in candidates:
        spec, note = shape_as_champion(candidate.spec)
        shaped.append(candidate.model_copy(update={"spec": spec}))
        if note:
            notes.append(f"{candidate.name}: {note[0].lower()}{note[1:]}")
    return shaped, notes


def _prepare(plan: BacktestPlan) -> list[SlicedFit]:
    """Build all features before anything is fitted: what a spec cannot have ends it here."""
    prepared = []
    for candidate in plan.candidates:
        for at in plan.slices:
            key = _key(plan, candidate.name, at.number)
            data = freeze_slice(key, candidate, at)
            try:
                features = build_features(key, data.snapshot, candidate.spec)
                if plan.truth is not None:
                    require_truth(plan.truth, features)
            except SpecError as error:
                raise SpecError(f"{candidate.name} at {at.origin}: {error}") from error
            prepared.append(
                SlicedFit(
                    candidate=candidate.name,
                    data=data,
                    features=features,
                    horizon=plan.horizon,
                    memory_bytes=measure_slice(features, candidate),
                )
            )
    return prepared


def _work(plan: BacktestPlan, fit: SlicedFit) -> SliceWork:
    spec = next(c.spec for c in plan.candidates if c.name == fit.candidate)
    key = _key(plan, fit.candidate, fit.data.slice.number)
    return SliceWork(key=key, fit=fit, spec=spec, truth=plan.truth)


def _key(plan: BacktestPlan, candidate: str, number: int) -> StepKey:
    place = [c.name for c in plan.candidates].index(candidate)
    return StepKey(run_id=plan.steps, retry=f"candidate_{place}_slice_{number}")
