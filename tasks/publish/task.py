"""Tasks that publish a run. Logic: ``promotion.decide``, ``records``, ``figures``."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from schemas.answers.scenarios import MadeBy
from schemas.documents.changes import Explanation, ExplanationRef
from schemas.documents.diagnostics import Diagnostics, StabilityReport
from schemas.documents.effects import ChannelQuantiles, ResponseCurves, RoiMetrics
from schemas.documents.features import FeatureMetadata
from schemas.documents.fit import PriorPredictive
from schemas.documents.plan import Plan
from schemas.documents.promotions import Champion, Promotion
from schemas.documents.refit_outcome import close_outcome
from schemas.documents.results import RefitReport, RunStatus
from schemas.names import Alias, Artifact
from schemas.outcomes import is_accepted
from schemas.refs import FittedRun, JudgedRun, PublicationRef
from schemas.spec.run_spec import RunSpec
from tasks.mathematics.judging import is_well_sampled
from tasks.publish import records
from tasks.publish.figures import build_figures
from tasks.publish.outputs import RunOutputs, predicted_columns
from tasks.publish.promotion import (
    Candidate,
    Decision,
    decide,
    describe_publication,
    describe_standing,
    explain_backdated,
    record_decision,
    report_withdrawn,
)
from tasks.store.files.artifacts import open_ref, read_document, read_parquet
from tasks.store.fingerprint import code_fingerprint, lock_fingerprint
from tasks.store.home import Home, current_home
from tasks.store.runs.champions import find_champion, give_champion, given_back
from tasks.store.runs.digests import write_digests
from tasks.store.runs.resume import keep_outcome
from tasks.store.runs.status import advance_run
from tasks.store.storage import writing_to
from tasks.store.tracking import aliases, experiments
from tasks.store.tracking.auxiliary_fits import log_auxiliary_fits_of
from tasks.store.tracking.model_versions import ModelFiles
from tasks.store.tracking.retries import log_retries
from tasks.store.tracking.server import asking
from tasks.store.warehouse.changes import write_changes
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.forecasts import write_forecasts
from tasks.store.warehouse.gates import record_findings, write_gate_results
from tasks.store.warehouse.plans import write_plan
from tasks.store.warehouse.promotions import list_promotions, write_promotion
from tasks.store.warehouse.runs import write_marts
from tasks.store.warehouse.stability import write_stability

if TYPE_CHECKING:
    from mlflow import MlflowClient


@task(
    name="publish-run", retries=2, retry_delay_seconds=5, cache_policy=NO_CACHE, timeout_seconds=900
)
def publish_run(
    fitted: FittedRun, report: RefitReport, explanation: ExplanationRef | None = None
) -> PublicationRef:
    """Publish one judged fit: MLflow, then warehouse and alias together.

    The run must be TRAINED; it becomes OUTPUTS_READY. Whatever interrupts this, the run is not
    OUTPUTS_READY and the next try finds what is done already; an error gives the alias back.

    Parameters
    ----------
    fitted
        The fit and what was made of it.
    report
        What the refit will answer; with what became of it here, it is kept together with the
        tables, so that a refit that dies now can still be answered.
    explanation
        Why returns changed since the champion; None where there is nothing to explain.
    """
    home, dataset_id = current_home(), fitted.spec.dataset_id
    outputs = open_outputs(home, fitted.run_id, fitted.spec, fitted)
    write_digests(home, fitted.run_id)
    client = experiments.open_store(home)
    champion = find_champion(home, dataset_id)
    candidate = Candidate(
        fitted.run_id, fitted.snapshot.as_of, date.fromisoformat(outputs.last_period)
    )
    decision = _decide(home, outputs, candidate, champion)
    change = _open_explanation(home, explanation)
    standing = describe_standing(champion, candidate)
    record = _refit_log(outputs, fitted, decision, standing, report.timings)
    model = _model_files(home, fitted, outputs) if decision.register else None
    logged = _log_run(client, home, record, model, change)
    row = record_decision(
        decision, candidate, logged.model_version, dataset_id=dataset_id, champion=champion,
        decided_at=datetime.now(UTC),
    )  # fmt: skip
    with given_back(client, dataset_id, row.from_version), writing(home, dataset_id) as con:
        _write_warehouse(con, home, outputs, fitted, logged)
        if change is not None:
            write_changes(con, change)
        write_promotion(con, row)
        _move_aliases(client, decision, logged.model_version, row)
        publication = describe_publication(
            logged.mlflow_run_id, logged.model_version, candidate, champion, row
        )
        keep_outcome(home, fitted.run_id, close_outcome(fitted, report, publication))
    get_run_logger().info("%s", decision.reason)
    return publication


def _refit_log(
    outputs: RunOutputs,
    fitted: FittedRun,
    decision: Decision,
    champion_before: str,
    seconds: Mapping[str, float],
) -> experiments.RefitLog:
    """Everything that MLflow gets of the run."""
    plan = fitted.plan
    tags = {
        "promotion": decision.reason,
        "advice": plan.advice.value if plan else "none",
        "champion_before": champion_before,
        "model_kind": fitted.posterior.kind,
        "sampler": fitted.posterior.sampler,
    }
    fingerprints = {"code": code_fingerprint(), "lock": lock_fingerprint()}
    return experiments.RefitLog(
        dataset_id=outputs.spec.dataset_id,
        run_id=outputs.run_id,
        name=records.run_name(outputs),
        note=records.render_note(outputs, decision.reason),
        params=records.refit_params(outputs, fingerprints),
        metrics=records.refit_metrics(outputs, seconds)
        | {f"plan/{name}": value for name, value in (plan.metrics if plan else {}).items()},
        seconds=records.total_seconds(seconds),
        dataset=_dataset_of(current_home(), fitted),
        tags=records.refit_tags(outputs, tags),
        folder=current_home().run_dir(outputs.run_id),
        figures=build_figures(outputs),
    )


def _dataset_of(home: Home, fitted: FittedRun) -> experiments.LoggedDataset:
    return experiments.LoggedDataset(
        digest=fitted.snapshot.snapshot_id,
        table=open_ref(home, fitted.snapshot.wide),
        target=read_document(home, fitted.features.metadata, FeatureMetadata).kpi_column,
    )


def _log_run(
    client: "MlflowClient",
    home: Home,
    record: experiments.RefitLog,
    model: ModelFiles | None,
    change: Explanation | None,
) -> experiments.Logged:
    """Log the run with its retries and auxiliary fits."""
    with asking(home), writing_to(home.mlruns):
        logged = experiments.log_refit(client, home, record, model)
        log_retries(client, home, record.run_id, logged.mlflow_run_id)
        if change is not None:
            log_auxiliary_fits_of(client, logged.mlflow_run_id, change)
    return logged


def open_outputs(home: Home, run_id: str, spec: RunSpec, judged: JudgedRun) -> RunOutputs:
    """Open what a run is published from."""
    diagnostics, attribution = judged.diagnostics, judged.attribution
    stability = diagnostics.stability
    prior = judged.posterior.prior_predictive if isinstance(judged, FittedRun) else None
    return RunOutputs(
        run_id=run_id,
        spec=spec,
        snapshot=judged.snapshot,
        diagnostics=diagnostics,
        attribution=attribution,
        contributions=read_parquet(home, attribution.contributions),
        fitted=read_parquet(home, attribution.fitted),
        roas=read_document(home, attribution.named(Artifact.ROI_METRICS), RoiMetrics),
        judged=read_document(home, diagnostics.file, Diagnostics),
        quantiles=read_document(
            home, attribution.named(Artifact.CHANNEL_QUANTILES), ChannelQuantiles
        ),
        curves=read_document(home, attribution.named(Artifact.RESPONSE_CURVES), ResponseCurves),
        prior=read_document(home, prior, PriorPredictive) if prior else None,
        stability=read_document(home, stability, StabilityReport) if stability else None,
    )


def _open_explanation(home: Home, ref: ExplanationRef | None) -> Explanation | None:
    return read_document(home, ref.file, Explanation) if ref is not None else None


def _model_files(home: Home, fitted: FittedRun, outputs: RunOutputs) -> ModelFiles:
    features, posterior = fitted.features, fitted.posterior
    metadata = read_document(home, features.metadata, FeatureMetadata)
    return ModelFiles(
        code=Path(__file__).with_name("kpi_model.py"),
        artifacts={
            "posterior": open_ref(home, posterior.posterior),
            "feature_metadata": open_ref(home, features.metadata),
            "feature_scaler": open_ref(home, features.scaler),
            "model_metadata": open_ref(home, posterior.metadata),
        },
        input_columns=list(metadata.input_columns),
        output_columns=predicted_columns(outputs.contributions),
    )


def _write_warehouse(
    con: Any,
    home: Home,
    outputs: RunOutputs,
    fitted: FittedRun,
    logged: experiments.Logged,
) -> None:
    """Write everything of the run in the open transaction; a rejected fit publishes no rows."""
    run_id, dataset_id = outputs.run_id, outputs.spec.dataset_id
    forecast, plan = fitted.forecast, fitted.plan
    verdict = outputs.diagnostics.verdict
    if is_accepted(verdict):
        write_marts(
            con, run_id, dataset_id, contributions=outputs.contributions, fitted=outputs.fitted,
            roas=outputs.roas,
        )  # fmt: skip
        write_stability(con, run_id, dataset_id, outputs.stability)
        if forecast is not None:
            write_forecasts(
                con, run_id, dataset_id, read_parquet(home, forecast.forecast),
                read_parquet(home, forecast.assumptions), kpi=outputs.spec.kpi_name,
            )  # fmt: skip
        if plan is not None:
            document = read_document(home, plan.file, Plan)
            write_plan(con, document, MadeBy.REFIT, logged.mlflow_run_id)
    record_findings(con, home, run_id)
    for gate_group in ("sampling", "fit", "stability"):
        write_gate_results(con, run_id, gate_group, records.gate_rows(outputs, gate_group))
    advance_run(
        home,
        run_id,
        RunStatus.OUTPUTS_READY,
        con=con,
        verdict=verdict,
        snapshot_id=outputs.snapshot.snapshot_id,
        mlflow_run_id=logged.mlflow_run_id,
        model_version=logged.model_version,
    )


def _decide(
    home: Home, outputs: RunOutputs, candidate: Candidate, champion: Champion | None
) -> Decision:
    """Decide, and say whether a person took the alias from a version since the last promotion."""
    from tasks.models.registry import find_kind

    decision = decide(
        outputs.diagnostics.verdict,
        promote_on_review=outputs.spec.gates.promote_on_review,
        has_champion=champion is not None,
        sampled_well=is_well_sampled(outputs.gates),
        backdated=explain_backdated(candidate, champion),
        never_by_itself=find_kind(outputs.spec.model.kind).why_no_champion(outputs.spec),
    )
    withdrawn = report_withdrawn(list_promotions(home, outputs.spec.dataset_id))
    return replace(decision, reason=f"{decision.reason} {withdrawn}") if withdrawn else decision


def _move_aliases(
    client: "MlflowClient", decision: Decision, version: int | None, row: Promotion
) -> None:
    """Give the champion of ``row`` its alias, whatever a killed run left; and the challenger's."""
    give_champion(client, row.dataset_id, row.version)
    if decision.alias is Alias.CHAMPION:
        # The challenger of an earlier week has been overtaken.
        aliases.drop_alias(client, row.dataset_id, Alias.CHALLENGER)
    elif decision.alias is Alias.CHALLENGER and version is not None:
        aliases.move_alias(client, row.dataset_id, version, Alias.CHALLENGER)
