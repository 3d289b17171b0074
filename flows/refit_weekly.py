"""The weekly refit: data in, a judged, tracked and explained fit out.

Reads top to bottom like the picture in the README. Every arrow is one task; tasks pass references.
"""

import logging
from datetime import date
from typing import cast

from prefect import flow

from flows.auxiliary_fits import explain_refit
from flows.endings import end_state
from flows.shapes import FitRequest, fit_in_shape
from flows.timing import Timings
from schemas.documents.refit_outcome import Outcome, close_outcome
from schemas.documents.restatements import is_quarantined
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import DataContractError, MmmError
from schemas.names import Artifact
from schemas.outcomes import Finding, Verdict
from schemas.refs import FittedRun, PlanSource, SnapshotRef, StepKey, ValidationRef
from schemas.spec.refit_request import RefitRequest
from schemas.words import describe_review
from tasks.attribute.task import attribute_kpi
from tasks.canonicalize.task import canonicalize_batch, refuse_batch, take_snapshot
from tasks.diagnose.task import judge_stability
from tasks.features.task import build_features
from tasks.forecast.task import forecast_kpi
from tasks.ingest.task import ingest_file
from tasks.lifecycle.task import (
    advance_run,
    begin_run,
    end_run,
    exclusive,
    fail_run,
    knowledge_date,
    recall_outcome,
    require_services,
)
from tasks.optimize.task import plan_week
from tasks.publish.task import publish_run
from tasks.publish.task_describe import describe_run
from tasks.report.task import render_report_page
from tasks.store.home import current_home
from tasks.store.redaction import filter_states
from tasks.validate.task import validate_canonical, validate_features, validate_raw

log = logging.getLogger(__name__)

filter_states()


@flow(name="refit-weekly", flow_run_name="refit-{request.spec.dataset_id}")
def refit_weekly(request: RefitRequest) -> RefitReport:
    """Refit one dataset on what was known at ``as_of``; publish only what the gates allow.

    Parameters
    ----------
    request
        Run spec, input file and knowledge date (default: today).

    Returns
    -------
    RefitReport
        Verdict FAIL means that a gate rejected the fit: the champion is unchanged.

    Raises
    ------
    MmmError
        As ``refit_dataset``.
    """
    # Prefect keeps the state and hands its callers the report that is in it.
    return cast("RefitReport", end_state(refit_dataset(request)))


def refit_dataset(request: RefitRequest) -> RefitReport:
    """Refit one dataset inside a flow run; parameters and answer as ``refit_weekly``.

    Raises
    ------
    DataContractError
        If the data do not meet their contract; nothing was written to ``canonical``.
    MmmError
        Any other failure with a known cause; the run is recorded as ERROR with its reason.
    """
    spec = request.spec
    as_of = knowledge_date(request.as_of)
    require_services()
    with exclusive(spec.dataset_id):
        run_id = begin_run(request, as_of)
        try:
            outcome = recall_outcome(run_id) or _refit(run_id, request, as_of)
            describe_run(outcome, spec)
            end_run(run_id)
        except Exception as error:
            _record_failure(run_id, error)
            raise
        return outcome.report


def _record_failure(run_id: str, error: Exception) -> None:
    """End a run in ERROR; where even that fails, what failed first is what is reported."""
    reason = str(error) if isinstance(error, MmmError) else f"{type(error).__name__}: {error}"
    try:
        fail_run(run_id, reason)
    except Exception as second:
        log.error("that run %s failed could not be recorded: %s", run_id, second)


def _refit(run_id: str, request: RefitRequest, as_of: date) -> Outcome:
    spec, timings, key = request.spec, Timings(), StepKey(run_id=run_id)
    snapshot, findings = _prepare_data(run_id, request, as_of, timings)

    with timings.stage("features"):
        features = build_features(key, snapshot, spec)
    with timings.stage("validate_features"):
        checked = validate_features(key, features, spec)
    findings += _usable(checked)
    advance_run(run_id, RunStatus.FEATURES_BUILT, snapshot.snapshot_id)

    advance_run(run_id, RunStatus.TRAINING)
    made = fit_in_shape(FitRequest(features, snapshot, findings, spec, run_id), timings)
    fit, features, spec = made.fit, made.features, made.spec
    with timings.stage("attribute"):
        attribution = attribute_kpi(key, fit.posterior, features, fit.diagnostics, spec)
    fitted = FittedRun(
        run_id=run_id, spec=spec, snapshot=snapshot, features=features, posterior=fit.posterior,
        diagnostics=fit.diagnostics, attribution=attribution,
    )  # fmt: skip
    if fit.diagnostics.verdict is not Verdict.FAIL:
        fitted = _look_ahead(fitted, timings)
    with timings.stage("judge_stability"):
        fitted = fitted.model_copy(update={"diagnostics": judge_stability(fitted)})
    advance_run(run_id, RunStatus.TRAINED)
    with timings.stage("explain"):
        change = explain_refit(fitted.diagnostics.verdict, fit.posterior, spec, run_id)
    with timings.stage("report"):
        render_report_page(run_id)

    inside_fit = {f"fit_{k}": round(v, 3) for k, v in fit.posterior.wall_seconds.items()}
    report = _report(fitted, findings, timings.seconds | inside_fit)
    with timings.stage("publish"):
        publication = publish_run(fitted, report, change)
    timed = report.model_copy(update={"timings": report.timings | timings.seconds})
    return close_outcome(fitted, timed, publication)


def _look_ahead(fitted: FittedRun, timings: Timings) -> FittedRun:
    """Add the forecast and the plan of the coming periods."""
    key = StepKey(run_id=fitted.run_id)
    with timings.stage("forecast"):
        forecast = forecast_kpi(key, fitted.posterior, fitted.features, fitted.spec)
    with timings.stage("plan"):
        week = plan_week(key, _plan_source(fitted))
    return fitted.model_copy(update={"forecast": forecast, "week": week})


def _prepare_data(
    run_id: str, request: RefitRequest, as_of: date, timings: Timings
) -> tuple[SnapshotRef, list[Finding]]:
    """Ingest, validate and canonicalize; nothing reaches ``canonical`` before both layers pass."""
    spec, key, batch, candidate = request.spec, StepKey(run_id=run_id), None, None
    findings: list[Finding] = []
    try:
        if request.data is not None:
            with timings.stage("ingest"):
                batch = ingest_file(request.data, spec)
            with timings.stage("validate_raw"):
                findings += _usable(validate_raw(key, batch, spec))
        with timings.stage("canonicalize"):
            candidate = canonicalize_batch(key, batch, spec, as_of)
        with timings.stage("validate_canonical"):
            checked = validate_canonical(
                key, candidate, spec, request.accept_restatement, request.is_replay
            )
            findings += _usable(checked)
    except MmmError as error:
        if batch is not None:
            refuse_batch(
                batch, candidate if is_quarantined(getattr(error, "findings", [])) else None
            )
        raise
    with timings.stage("snapshot"):
        snapshot = take_snapshot(key, candidate, spec, as_of)
    advance_run(run_id, RunStatus.VALIDATED, snapshot.snapshot_id)
    return snapshot, findings


def _plan_source(fitted: FittedRun) -> PlanSource:
    judged = fitted.diagnostics
    return PlanSource(
        run_id=fitted.run_id,
        snapshot_id=fitted.features.snapshot_id,
        model_version=None,
        spec=fitted.spec,
        posterior=fitted.posterior.posterior,
        features=fitted.features,
        roi_metrics=fitted.attribution.named(Artifact.ROI_METRICS),
        against=describe_review(fitted.run_id, judged.verdict, judged.reasons),
    )


def _usable(checked: ValidationRef) -> list[Finding]:
    """Return the findings of a layer that may go on; raise all of them together otherwise."""
    if checked.verdict is Verdict.FAIL:
        failed = [f for f in checked.findings if f.verdict is Verdict.FAIL]
        listing = "\n".join(f"- {f.message} {f.remedy}" for f in failed)
        counted = f"{len(failed)} finding{'' if len(failed) == 1 else 's'}"
        said = f"The data cannot be used ({counted}):\n{listing}"
        raise DataContractError(said, checked.findings)
    return checked.findings


def _report(fitted: FittedRun, findings: list[Finding], seconds: dict[str, float]) -> RefitReport:
    """Return what the refit answers, but for what its publication adds."""
    diagnostics, week = fitted.diagnostics, fitted.week
    return RefitReport(
        run_id=fitted.run_id,
        dataset_id=fitted.snapshot.dataset_id,
        snapshot_id=fitted.snapshot.snapshot_id,
        status=RunStatus.OUTPUTS_READY,
        verdict=diagnostics.verdict,
        reasons=diagnostics.reasons,
        notes=diagnostics.notes,
        champion=None,
        model_version=None,
        artifacts_dir=str(current_home().run_dir(fitted.run_id)),
        mlflow_run_id=None,
        advice=fitted.plan.advice if fitted.plan else None,
        plan_note=week.note if week else None,
        metrics={**diagnostics.metrics, **fitted.attribution.metrics},
        findings=findings,
        timings=seconds,
    )
