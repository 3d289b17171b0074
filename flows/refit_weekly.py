"""The weekly refit: data in, a judged, tracked and explained fit out.

Reads top to bottom like the picture in the README. Every arrow is one task; tasks pass references.
"""

import logging
from datetime import UTC, date, datetime

from prefect import flow

from flows.auxiliary_fits import explain_refit
from flows.retries import fit_until_sampled
from flows.timing import Timings
from schemas.documents.refit_outcome import Outcome
from schemas.documents.restatements import is_quarantined
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import DataContractError, MmmError
from schemas.names import Artifact
from schemas.outcomes import Finding, Verdict
from schemas.refs import (
    AttributionRef,
    DiagnosticsRef,
    FeaturesRef,
    PlanSource,
    PosteriorRef,
    SnapshotRef,
    ValidationRef,
    WeeklyPlan,
)
from schemas.spec.run_spec import RefitRequest, RunSpec
from tasks.attribute.task import attribute_kpi
from tasks.canonicalize.task import canonicalize_batch, refuse_batch, take_snapshot
from tasks.diagnose.task import diagnose_posterior, judge_stability
from tasks.features.task import build_features
from tasks.fit.task import fit_posterior
from tasks.forecast.task import forecast_kpi
from tasks.ingest.task import ingest_file
from tasks.lifecycle.task import (
    advance_run,
    begin_run,
    end_run,
    exclusive,
    fail_run,
    recall_outcome,
    require_services,
)
from tasks.optimize.task import plan_week
from tasks.publish.task import describe_run, publish_run
from tasks.report.task import render_report_page
from tasks.store.home import current_home
from tasks.validate.task import validate_canonical, validate_features, validate_raw

log = logging.getLogger(__name__)


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
    DataContractError
        If the data do not meet their contract; nothing was written to ``canonical``.
    MmmError
        Any other failure with a known cause; the run is recorded as ERROR with its reason.
    """
    spec = request.spec
    as_of = request.as_of or datetime.now(UTC).date()
    require_services()
    with exclusive(spec.dataset_id):
        run_id = begin_run(request, as_of)
        try:
            outcome = recall_outcome(run_id) or _refit(run_id, request, as_of)
            describe_run(
                run_id, spec, outcome.snapshot, outcome.diagnostics, outcome.attribution,
                outcome.publication,
            )  # fmt: skip
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
    spec, timings = request.spec, Timings()
    snapshot, findings = _prepare_data(run_id, request, as_of, timings)

    with timings.stage("features"):
        features = build_features(snapshot, spec, run_id)
    with timings.stage("validate_features"):
        checked = validate_features(features, spec, _folder(run_id))
    findings += _usable(checked)
    advance_run(run_id, RunStatus.FEATURES_BUILT, snapshot.snapshot_id)

    advance_run(run_id, RunStatus.TRAINING)
    fit = fit_until_sampled(
        fit_posterior, diagnose_posterior, features, findings, spec, run_id, timings
    )
    posterior, diagnostics = fit.posterior, fit.diagnostics
    with timings.stage("attribute"):
        attribution = attribute_kpi(posterior, features, diagnostics, spec, run_id)
    forecast, week = None, None
    if diagnostics.verdict is not Verdict.FAIL:
        with timings.stage("forecast"):
            forecast = forecast_kpi(posterior, features, spec, run_id)
        with timings.stage("plan"):
            source = _plan_source(run_id, spec, features, posterior, attribution)
            week = plan_week(source, _folder(run_id))
    with timings.stage("judge_stability"):
        plan = week.plan if week else None
        diagnostics = judge_stability(diagnostics, attribution, plan, snapshot, spec, run_id)
    advance_run(run_id, RunStatus.TRAINED)
    with timings.stage("explain"):
        change = explain_refit(diagnostics.verdict, posterior, spec, run_id)
    with timings.stage("report"):
        render_report_page(run_id)

    stages = timings.seconds | {f"fit_{k}": round(v, 3) for k, v in posterior.wall_seconds.items()}
    report = _report(run_id, snapshot, diagnostics, attribution, week, findings, stages)
    with timings.stage("publish"):
        publication = publish_run(
            run_id, spec, snapshot, features, posterior, diagnostics, attribution, forecast,
            plan, stages, change, report,
        )  # fmt: skip
    timed = report.model_copy(update={"timings": stages | timings.seconds})
    return Outcome(
        report=timed.with_publication(publication), snapshot=snapshot, diagnostics=diagnostics,
        attribution=attribution, publication=publication,
    )  # fmt: skip


def _prepare_data(
    run_id: str, request: RefitRequest, as_of: date, timings: Timings
) -> tuple[SnapshotRef, list[Finding]]:
    """Ingest, validate and canonicalize; nothing reaches ``canonical`` before both layers pass."""
    spec, batch, candidate = request.spec, None, None
    findings: list[Finding] = []
    try:
        if request.data is not None:
            with timings.stage("ingest"):
                batch = ingest_file(request.data, spec)
            with timings.stage("validate_raw"):
                findings += _usable(validate_raw(batch, spec, _folder(run_id)))
        with timings.stage("canonicalize"):
            candidate = canonicalize_batch(batch, spec, _folder(run_id), as_of)
        with timings.stage("validate_canonical"):
            checked = validate_canonical(
                candidate, spec, _folder(run_id), request.accept_restatement, request.is_replay
            )
            findings += _usable(checked)
    except MmmError as error:
        if batch is not None:
            refuse_batch(
                batch, candidate if is_quarantined(getattr(error, "findings", [])) else None
            )
        raise
    with timings.stage("snapshot"):
        snapshot = take_snapshot(candidate, spec, _folder(run_id), as_of)
    advance_run(run_id, RunStatus.VALIDATED, snapshot.snapshot_id)
    return snapshot, findings


def _plan_source(
    run_id: str,
    spec: RunSpec,
    features: FeaturesRef,
    posterior: PosteriorRef,
    attribution: AttributionRef,
) -> PlanSource:
    return PlanSource(
        run_id=run_id,
        snapshot_id=features.snapshot_id,
        model_version=None,
        spec=spec,
        posterior=posterior.posterior,
        features=features,
        roi_metrics=attribution.named(Artifact.ROI_METRICS),
    )


def _folder(run_id: str) -> str:
    return str(current_home().run_dir(run_id))


def _usable(checked: ValidationRef) -> list[Finding]:
    """Return the findings of a layer that may go on; raise all of them together otherwise."""
    if checked.verdict is Verdict.FAIL:
        failed = [f for f in checked.findings if f.verdict is Verdict.FAIL]
        listing = "\n".join(f"- {f.message} {f.remedy}" for f in failed)
        raise DataContractError(
            f"The data cannot be used ({len(failed)} findings):\n{listing}", checked.findings
        )
    return checked.findings


def _report(
    run_id: str,
    snapshot: SnapshotRef,
    diagnostics: DiagnosticsRef,
    attribution: AttributionRef,
    week: WeeklyPlan | None,
    findings: list[Finding],
    seconds: dict[str, float],
) -> RefitReport:
    """Return what the refit answers, but for what its publication adds."""
    return RefitReport(
        run_id=run_id,
        dataset_id=snapshot.dataset_id,
        snapshot_id=snapshot.snapshot_id,
        status=RunStatus.OUTPUTS_READY,
        verdict=diagnostics.verdict,
        reasons=diagnostics.reasons,
        champion=None,
        model_version=None,
        artifacts_dir=_folder(run_id),
        mlflow_run_id=None,
        advice=week.plan.advice if week and week.plan else None,
        plan_note=week.note if week else None,
        metrics={**diagnostics.metrics, **attribution.metrics},
        findings=findings,
        timings=seconds,
    )
