"""Can this data answer the question? KPIs with known truth are simulated, refitted and scored."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from flows.hooks import notify_failure
from flows.spec_files import find_file
from flows.timing import Timings
from schemas.answers.recovery import (
    DrawnFrom,
    FittedWorld,
    KnownFit,
    RecoveryPlan,
    RecoveryReport,
    WorldPlan,
)
from schemas.errors import DataContractError, SamplingError, SpecError
from schemas.outcomes import Verdict
from schemas.refs import PlanSource, StepKey, WeeklyPlan
from schemas.spec.recover import RecoverRequest
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.task import canonicalize_batch, take_snapshot
from tasks.canonicalize.task_slices import freeze_newest
from tasks.diagnose.task import diagnose_posterior
from tasks.diagnose.task_shapes import shape_as_champion
from tasks.features.task import build_features
from tasks.fit.task import fit_posterior
from tasks.ingest.task import ingest_file
from tasks.lifecycle.task_trial import on_trial
from tasks.optimize.task import plan_auxiliary_fit
from tasks.query.runs import load_spec, locate_data
from tasks.recover.task import (
    choose_worlds,
    find_known_fit,
    has_prior_draws,
    knows_dataset,
    score_world,
    simulate_world,
)
from tasks.recover.task_answer import answer_recovery, record_recovery
from tasks.report.task import render_report_page
from tasks.store.redaction import filter_states
from tasks.validate.task import validate_canonical, validate_raw

log = logging.getLogger(__name__)

filter_states()


@flow(
    name="recover",
    flow_run_name="recover-{request.n_worlds}",
    on_failure=[notify_failure],
    on_crashed=[notify_failure],
)
def recover(request: RecoverRequest) -> RecoveryReport:
    """Simulate KPIs on the real media and controls of a spec, refit each, and compare.

    Effects are those of the champion's posterior where it was fitted with the same spec, else those
    of the priors. Some worlds are unlike the model. A check that was interrupted takes over the
    refits that had ended, and the report of the champion shows what was found. Nothing is stored of
    a file that was never refitted.

    Raises
    ------
    SpecError, DataContractError
        If there are no data, or the spec cannot be fitted to them; nothing is fitted.
    """
    for name in ("flows", "tasks"):  # Prefect attaches its handler to them, not a level.
        logging.getLogger(name).setLevel(logging.INFO)
    path = find_file(request.spec_file, parameter="spec_file")
    spec, note = shape_as_champion(load_spec(path))
    key = StepKey(run_id=f"recover-{spec.dataset_id}-{request.n_worlds}", retry="check")
    with _data_of(key, spec, path):
        plan = _plan(key, spec, request.n_worlds)
        plan = plan.model_copy(update={"notes": [*([note] if note else []), *plan.notes]})
        fitted, weeks, failed = _refit_all(plan)
        report = answer_recovery(plan, fitted, weeks, failed)
    recorded = record_recovery(report, plan.steps)
    if recorded.run_id is not None:
        render_report_page(recorded.run_id)
    return recorded


@contextmanager
def _data_of(key: StepKey, spec: RunSpec, path: Path) -> Iterator[None]:
    """Work on what the warehouse knows, or, where that is nothing, on a throw-away copy of it."""
    if knows_dataset(spec.dataset_id):
        yield
        return
    data = locate_data(spec, spec_path=path, override=None)
    if data is None:
        raise SpecError(
            f"{path.name}: there are no data of {spec.dataset_id!r} yet, and the spec names none; "
            "set data, or refit once with --data FILE."
        )
    as_of = datetime.now(UTC).date()
    with on_trial(spec.dataset_id):
        batch = ingest_file.fn(str(data), spec)
        findings = validate_raw.fn(key, batch, spec).findings
        candidate = None
        if not any(f.verdict is Verdict.FAIL for f in findings):
            candidate = canonicalize_batch.fn(key, batch, spec, as_of)
            findings = [*findings, *validate_canonical.fn(key, candidate, spec).findings]
        failed = [f for f in findings if f.verdict is Verdict.FAIL]
        if candidate is None or failed:
            listing = "\n".join(f"- {f.message} {f.remedy}" for f in failed)
            raise DataContractError(f"The data cannot be used:\n{listing}", failed)
        take_snapshot.fn(key, candidate, spec, as_of)
        yield


def _plan(key: StepKey, spec: RunSpec, n_worlds: int) -> RecoveryPlan:
    known = find_known_fit(spec)
    if known is not None:
        return choose_worlds(key, spec, known, DrawnFrom.POSTERIOR, n_worlds)
    basis = StepKey(run_id=key.run_id, retry="basis")
    snapshot = freeze_newest(basis, spec)
    features = build_features(basis, snapshot, spec)
    if has_prior_draws(features):
        source, posterior = DrawnFrom.PRIOR, features.metadata
    else:
        source, posterior = DrawnFrom.FIT, fit_posterior(basis, features, spec).posterior
    fit = KnownFit(run_id="none", snapshot=snapshot, features=features, posterior=posterior)
    return choose_worlds(key, spec, fit, source, n_worlds)


def _refit_all(plan: RecoveryPlan) -> tuple[list[FittedWorld], list[WeeklyPlan], list[str]]:
    """Refit and plan every world; one that cannot be sampled is on record and left out."""
    timings = Timings()
    fitted: list[FittedWorld] = []
    weeks: list[WeeklyPlan] = []
    failed: list[str] = []
    for world in plan.worlds:
        with timings.stage(f"{world.number + 1} of {len(plan.worlds)}"):
            try:
                made, week = _refit(plan, world)
            except SamplingError as error:
                failed.append(f"world {world.number + 1} ({world.kind}): {error}")
                continue
            fitted.append(made)
            weeks.append(week)
    return fitted, weeks, failed


def _refit(plan: RecoveryPlan, world: WorldPlan) -> tuple[FittedWorld, WeeklyPlan]:
    """Take the steps of a refit with a simulated KPI."""
    key = StepKey(run_id=plan.steps, retry=f"world_{world.number}")
    made = simulate_world(key, plan, world)
    features = build_features(key, made.snapshot, made.spec)
    limited = fit_posterior.with_options(timeout_seconds=60 * made.spec.sampler.timeout_minutes)
    posterior = limited(key, features, made.spec)
    diagnostics = diagnose_posterior(key, posterior, features, [], made.spec)
    scored: FittedWorld = score_world(key, made, features, posterior, diagnostics)
    source = PlanSource(
        run_id=key.run_id,
        snapshot_id=made.snapshot.snapshot_id,
        model_version=None,
        spec=made.spec,
        posterior=posterior.posterior,
        features=features,
        roi_metrics=scored.returns,
    )
    return scored, plan_auxiliary_fit(key, source)
