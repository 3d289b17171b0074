"""Backtest specs and kinds: fitted at past dates, scored on what came after."""

import logging
from pathlib import Path

from prefect import flow

from flows.hooks import notify_failure
from flows.spec_files import find_file
from schemas.answers.backtest import BacktestPlan, BacktestReport, Candidate, ScoredSlice, SlicedFit
from schemas.errors import SpecError
from schemas.refs import StepKey
from schemas.spec.backtest import BacktestRequest, with_kind
from tasks.canonicalize.task_slices import freeze_slice, plan_slices
from tasks.features.task import build_features
from tasks.forecast.task_backtest import answer_backtest, fit_slice
from tasks.query.runs import load_spec
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

    A backtest that was interrupted takes over the fits that had ended, if data, specs and code are
    the same.

    Raises
    ------
    MmmError
        If a candidate cannot be fitted at a date by what its spec asks for; nothing is fitted.
    """
    for name in ("flows", "tasks"):  # Prefect attaches its handler to them, not a level.
        logging.getLogger(name).setLevel(logging.INFO)
    plan = plan_slices(request, name_candidates(request))
    return answer_backtest(plan, [_fit(plan, fit) for fit in _prepare(plan)])


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


def _prepare(plan: BacktestPlan) -> list[SlicedFit]:
    """Build all features before anything is fitted: what a spec cannot have ends it here."""
    prepared = []
    for candidate in plan.candidates:
        for at in plan.slices:
            key = _key(plan, candidate.name, at.number)
            data = freeze_slice(key, candidate, at)
            try:
                features = build_features(key, data.snapshot, candidate.spec)
            except SpecError as error:
                raise SpecError(f"{candidate.name} at {at.origin}: {error}") from error
            prepared.append(
                SlicedFit(
                    candidate=candidate.name, data=data, features=features, horizon=plan.horizon
                )
            )
    return prepared


def _fit(plan: BacktestPlan, fit: SlicedFit) -> ScoredSlice:
    spec = next(c.spec for c in plan.candidates if c.name == fit.candidate)
    key = _key(plan, fit.candidate, fit.data.slice.number)
    limited = fit_slice.with_options(timeout_seconds=60 * spec.sampler.timeout_minutes)
    scored: ScoredSlice = limited(key, fit, spec)
    return scored


def _key(plan: BacktestPlan, candidate: str, number: int) -> StepKey:
    place = [c.name for c in plan.candidates].index(candidate)
    return StepKey(run_id=plan.steps, retry=f"candidate_{place}_slice_{number}")
