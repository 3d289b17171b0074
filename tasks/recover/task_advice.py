"""Advice of a backtest's fits held against a known truth: read, call, write.

Logic: ``known_truth``, ``score``.
"""

import logging
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.answers.backtest import AdviceScore
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.plan import Plan
from schemas.names import Artifact
from schemas.refs import DiagnosticsRef, FeaturesRef, FileRef, PosteriorRef, StepKey, WeeklyPlan
from schemas.spec.errors import parse_model
from schemas.spec.known_truth import KnownTruth
from tasks.store.files.artifacts import read_document, read_netcdf, write_document
from tasks.store.files.fits import read_features
from tasks.store.home import current_home
from tasks.store.inputs.spec_file import parse_document
from tasks.store.inputs.text_files import read_text
from tasks.store.runs.resume import fit_dir, resumable

log = logging.getLogger(__name__)


def read_truth(path: Path) -> KnownTruth:
    """Read a file with the true curves of simulated data.

    Raises
    ------
    SpecError
        If it is no such file; the message names what is wrong in it.
    """
    text = read_text(path, named_by="truth_file", kind="JSON or YAML")
    raw = parse_document(text, name=path.name, suffix=path.suffix, what="known truth")
    return parse_model(KnownTruth, raw, source=path.name)


def require_truth(truth: KnownTruth, features: FeaturesRef) -> None:
    """Refuse a truth that does not know all channels and entities of a fit, as ``SpecError``."""
    from tasks.recover.known_truth import require_known

    metadata = read_features(current_home(), features).metadata
    require_known(truth, metadata.channel_names, metadata.entities)


@task(name="state-returns", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def state_returns(
    key: StepKey, posterior: PosteriorRef, features: FeaturesRef, diagnostics: DiagnosticsRef
) -> FileRef:
    """Write what a plan has to know of every channel of a fit."""
    from tasks.models.opening import open_fit
    from tasks.recover.score import N_DRAWS_OF_A_REFIT, measure_totals, returns_of

    home = current_home()
    fit = open_fit(
        read_netcdf(home, posterior.posterior),
        read_features(home, features),
        N_DRAWS_OF_A_REFIT,
    )
    judged = read_document(home, diagnostics.file, Diagnostics)
    returns = returns_of(judged, measure_totals(fit))
    return write_document(home, fit_dir(home, key) / Artifact.ROI_METRICS, returns)


@task(name="judge-advice", cache_policy=NO_CACHE, timeout_seconds=600)
@resumable
def judge_advice(
    key: StepKey, week: WeeklyPlan, features: FeaturesRef, truth: KnownTruth
) -> AdviceScore | None:
    """Say what a plan's advice would truly have brought; None where there is no plan."""
    from tasks.models.opening import open_data
    from tasks.recover import known_truth

    if week.plan is None:
        log.info("%s: no plan, %s", key.retry, week.note)
        return None
    home = current_home()
    data = open_data(read_features(home, features))
    plan = read_document(home, week.plan.file, Plan)
    return known_truth.judge_advice(plan, truth, data.panel, data.metadata)
