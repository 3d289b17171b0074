"""Judge a fit: read draws and features, measure, judge, write."""

import logging
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.diagnostics import (
    ComparedChampion,
    Diagnostics,
    JudgedGate,
    ShiftedChannel,
    StabilityReport,
)
from schemas.documents.effects import ChannelQuantiles
from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Plan
from schemas.documents.promotions import Champion
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.outcomes import Finding, GateOutcome, GateReport, Verdict, worst
from schemas.refs import (
    DiagnosticsRef,
    FeaturesRef,
    FittedRun,
    PosteriorRef,
    SnapshotRef,
    StepKey,
)
from schemas.spec.run_spec import RunSpec
from tasks.store.files.artifacts import (
    read_document,
    read_netcdf,
    write_document,
)
from tasks.store.files.fits import read_features
from tasks.store.files.scratch import own_scratch
from tasks.store.home import Home, current_home
from tasks.store.runs.champions import find_champion
from tasks.store.runs.documents import open_document
from tasks.store.runs.recoveries import find_recovery
from tasks.store.runs.resume import fit_dir, resumable

if TYPE_CHECKING:
    from tasks.mathematics.stability import NewData

log = logging.getLogger(__name__)


@task(name="diagnose-posterior", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def diagnose_posterior(
    key: StepKey,
    posterior: PosteriorRef,
    features: FeaturesRef,
    findings: list[Finding],
    spec: RunSpec,
) -> DiagnosticsRef:
    """Measure and judge one fit.

    Logic: ``judgement``. Reviews among the data ``findings`` count: a fit on a doubtful panel is no
    clean pass. Where a lift test dominates the fit, an auxiliary one is made without it.
    """
    from tasks.diagnose.judgement import judge_fit
    from tasks.diagnose.without_test import make_refit
    from tasks.models.kind import Watch
    from tasks.models.opening import open_fit

    home = current_home()
    fit = open_fit(read_netcdf(home, posterior.posterior), read_features(home, features))
    watch, seconds = Watch(len(os.sched_getaffinity(0))), sum(posterior.wall_seconds.values())
    # A fit that answers a question is judged by itself.
    recovery = None if isinstance(key.retry, str) else find_recovery(home, spec)
    with own_scratch():
        refit = make_refit(fit, spec.sampler, watch, seconds)
        judged = judge_fit(fit, findings, spec, refit, recovery)
    log.info("verdict %s: %s", judged.verdict, judged.evidence.sampling.headline)
    return DiagnosticsRef(
        verdict=judged.verdict,
        reasons=judged.reasons,
        notes=judged.notes,
        file=write_document(home, fit_dir(home, key) / Artifact.DIAGNOSTICS, judged.document),
        metrics=judged.evidence.metrics,
        sampling_failures=judged.sampling_failures,
        sampling_reviews=judged.sampling_reviews,
    )


@task(name="judge-stability", cache_policy=NO_CACHE, timeout_seconds=300)
def judge_stability(fitted: FittedRun) -> DiagnosticsRef:
    """Compare a fit with the champion; what it finds joins the verdict. Logic: ``stability``.

    ``diagnostics.json`` is written again with the new outcome, as REVIEW at worst. A first run and
    a rejected one are compared with nothing.
    """
    home, diagnostics = current_home(), fitted.diagnostics
    champion = find_champion(home, fitted.spec.dataset_id)
    outcomes, shifts, churn, new_share = _Comparison([], [])
    if champion is not None and diagnostics.verdict is not Verdict.FAIL:
        outcomes, shifts, churn, new_share = _compare(home, champion, fitted)
    report = GateReport(outcomes=outcomes)
    verdict = worst([diagnostics.verdict, report.verdict])
    reasons = [*diagnostics.reasons, *report.reasons]
    document = read_document(home, diagnostics.file, Diagnostics)
    gates = [JudgedGate(**o.model_dump(), battery="stability") for o in outcomes]
    reported = StabilityReport(
        champion=None if champion is None else _about(champion, fitted.snapshot),
        channels=shifts,
        allocation_churn=churn,
        new_data_share=new_share,
    )
    judged = {"verdict": verdict, "reasons": reasons, "gates": [*document.gates, *gates]}
    folder = home.run_dir(fitted.run_id)
    churn_metric = {} if churn is None else {"allocation_churn": churn}
    overlaps = {f"overlap/{row.channel}": row.overlap for row in shifts}
    return diagnostics.model_copy(
        update={
            "verdict": verdict,
            "reasons": reasons,
            "stability": write_document(home, folder / Artifact.STABILITY, reported),
            "file": write_document(
                home, folder / Artifact.DIAGNOSTICS, document.model_copy(update=judged)
            ),
            "metrics": {**diagnostics.metrics, **churn_metric, **overlaps},
        }
    )


class _Comparison(NamedTuple):
    """A fit beside the champion's."""

    outcomes: list[GateOutcome]
    shifts: list[ShiftedChannel]
    churn: float | None = None
    new_share: float | None = None


def _compare(home: Home, champion: Champion, fitted: FittedRun) -> _Comparison:
    from tasks.diagnose import stability
    from tasks.mathematics.stability import compare_channels

    gates = fitted.spec.gates.stability
    try:
        before = open_document(home, champion.run_id, Artifact.CHANNEL_QUANTILES, ChannelQuantiles)
        plan_then = open_document(home, champion.run_id, Artifact.PLAN, Plan)
    except CorruptArtifactError as error:
        log.warning("%s", error)
        before = plan_then = None
    if before is None:
        lost = f"{champion.name}, whose {Artifact.CHANNEL_QUANTILES} is missing or not whole"
        limit = gates.min_overlap_review
        return _Comparison([stability.judge(float("nan"), limit, where=lost)], [])
    quantiles = fitted.attribution.named(Artifact.CHANNEL_QUANTILES)
    now = read_document(home, quantiles, ChannelQuantiles)
    advised = read_document(home, fitted.plan.file, Plan).planned if fitted.plan else {}
    mix = stability.compute_planned_shares(advised)
    mix_then = stability.compute_planned_shares(plan_then.planned if plan_then else {})
    shifts = compare_channels(now.root, before.root, mix, mix_then)
    new = _new_data(home, champion, fitted)
    outcomes = stability.judge_stability(shifts, gates, new)
    churn = stability.compute_churn(mix, mix_then)
    reported = [ShiftedChannel.model_validate(asdict(s)) for s in shifts]
    return _Comparison(outcomes, reported, churn, new.share if new else None)


def _new_data(home: Home, champion: Champion, fitted: FittedRun) -> "NewData | None":
    """Say what is new to the champion; None where its files do not say what it knew."""
    from tasks.diagnose.stability import measure_new_share
    from tasks.mathematics.stability import NewData

    try:
        then = open_document(home, champion.run_id, Artifact.FEATURE_METADATA, FeatureMetadata)
        judged = open_document(home, champion.run_id, Artifact.DIAGNOSTICS, Diagnostics)
    except CorruptArtifactError as error:
        log.warning("%s", error)
        return None
    if then is None or judged is None:
        return None
    now = read_document(home, fitted.features.metadata, FeatureMetadata)
    mine = read_document(home, fitted.diagnostics.file, Diagnostics)
    return NewData(measure_new_share(now, then), *(_n_draws(fit) for fit in (mine, judged)))


def _n_draws(judged: Diagnostics) -> float:
    """Least effective sample size; draws of a kind without chains are independent."""
    return max(judged.ess_bulk_min or _INDEPENDENT_DRAWS, 1.0)


_INDEPENDENT_DRAWS = 1000.0


def _about(champion: Champion, snapshot: SnapshotRef) -> ComparedChampion:
    return ComparedChampion(
        name=champion.name,
        run_id=champion.run_id,
        last_period=champion.last_period,
        age_days=champion.age_days(snapshot.as_of),
    )
