"""Judge a fit: read draws and features, measure, judge, write."""

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.names import Artifact
from schemas.outcomes import Finding, GateReport, Verdict, worst
from schemas.refs import DiagnosticsRef, FeaturesRef, PosteriorRef
from schemas.run_spec import RunSpec
from tasks.store.artifacts import read_json, read_netcdf, read_parquet, write_json
from tasks.store.home import current_home

log = logging.getLogger(__name__)


@task(name="diagnose-posterior", cache_policy=NO_CACHE, timeout_seconds=1800)
def diagnose_posterior(
    posterior: PosteriorRef,
    features: FeaturesRef,
    findings: list[Finding],
    spec: RunSpec,
    run_id: str,
) -> DiagnosticsRef:
    """Measure and judge one fit.

    Logic: ``convergence``, ``predictive``, ``identifiability``, ``lift_conflict``. Reviews among
    the data ``findings`` count: a fit on a doubtful panel is no clean pass.
    """
    from tasks.diagnose import convergence, identifiability, lift_conflict, predictive
    from tasks.mmm.panel import IS_ESTIMATION, build_panel
    from tasks.mmm.scaling import scales_from_json
    from tasks.models.contract import ModelInputs
    from tasks.models.opening import open_fitted

    home = current_home()
    metadata = read_json(home, features.metadata)
    tree = read_netcdf(home, posterior.posterior)
    scaler = read_json(home, features.scaler)
    model = open_fitted(tree, metadata, scaler)
    panel = build_panel(read_parquet(home, features.features), metadata)
    sampling = convergence.measure_convergence(tree)
    fit = predictive.measure_predictive(
        model, panel, panel[IS_ESTIMATION].values, seed=spec.sampler.random_seed
    )
    contractions = identifiability.contraction(model)
    inputs = ModelInputs(metadata, scales_from_json(scaler))
    lifts = lift_conflict.measure_lift(model.draws, panel, inputs, spec.lift_tests)
    report = GateReport(
        outcomes=[
            *convergence.judge_convergence(sampling, spec.gates.sampling),
            *predictive.judge_predictive(fit, spec.gates.fit),
            identifiability.judge_identifiability(contractions, spec.gates.fit),
            *lift_conflict.judge_lift(lifts, spec.gates.fit),
        ]
    )
    facts = {**convergence.evidence_facts(sampling), **predictive.evidence_facts(fit)}
    verdict = worst([report.verdict, *(f.verdict for f in findings)])
    reasons = [
        *report.reasons,
        *(f"{f.rule}: {f.message}" for f in findings if f.verdict is not Verdict.PASS),
    ]
    log.info(
        "verdict %s: worst R-hat %.4f, least ESS %.0f, %d divergences",
        verdict,
        sampling.r_hat_max,
        sampling.ess_bulk_min,
        sampling.n_divergences,
    )
    document = {
        "verdict": verdict.value,
        "reasons": reasons,
        **facts,
        "contraction": contractions,
        "prior_driven": identifiability.prior_driven(contractions, spec.gates.fit),
        "lift_tests": lift_conflict.lift_rows(lifts, spec.gates.fit),
        "gates": [o.model_dump(mode="json") for o in report.outcomes],
        "parameters": sampling.parameters,
    }
    return DiagnosticsRef(
        verdict=verdict,
        reasons=reasons,
        file=write_json(home, home.run_dir(run_id) / Artifact.DIAGNOSTICS, document),
        metrics={k: float(v) for k, v in facts.items() if v is not None},
    )
