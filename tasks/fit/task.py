"""Fit the posterior: read the features, build, sample, write."""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext

from schemas.documents.changes import FitReturns
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.features import FeatureMetadata
from schemas.documents.fit import (
    Escalation,
    ModelMetadata,
    PosteriorSummary,
    PriorPredictive,
    UsedSampler,
)
from schemas.documents.retries import Attempt, JudgedFit, Retry
from schemas.errors import SamplingError
from schemas.names import Artifact
from schemas.refs import DiagnosticsRef, FeaturesRef, FileRef, PosteriorRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.fit import escalation
from tasks.store.files.artifacts import (
    copy_file,
    open_ref,
    read_document,
    write_document,
    write_json,
    write_netcdf,
    write_whole,
)
from tasks.store.files.fits import read_features
from tasks.store.files.scratch import own_scratch
from tasks.store.fingerprint import fit_fingerprint
from tasks.store.home import Home, current_home
from tasks.store.runs.resume import fit_dir, resumable

log = logging.getLogger(__name__)

RETURNS_FILE = "returns.json"
"""What is kept of an auxiliary fit, until the question is answered."""


@task(name="fit-posterior", cache_policy=NO_CACHE)
@resumable
def fit_posterior(key: StepKey, features: FeaturesRef, spec: RunSpec) -> PosteriorRef:
    """Sample the posterior of one set of features. Logic: ``models``, ``sampling``.

    Files go into the run's folder; those of a retry wait elsewhere for ``select_fit``.
    """
    from tasks.fit.summary import log_prior, summarize_posterior
    from tasks.models.kind import Watch
    from tasks.models.opening import open_data

    home = current_home()
    folder = fit_dir(home, key)
    data = open_data(read_features(home, features))
    kind, panel, inputs = data.kind, data.panel, data.inputs
    prior = kind.predict_prior(panel, inputs, seed=spec.sampler.random_seed)
    log_prior(prior)
    believed = PriorPredictive.model_validate(prior)
    prior_file = write_document(home, folder / Artifact.PRIOR_PREDICTIVE, believed)
    drawn = kind.drawn(data.metadata, spec.sampler)
    log.info(
        "sampling %s with %d chains of %d draws, up to %.0f MB of memory",
        kind.name,
        drawn.chains,
        drawn.draws,
        kind.memory_bytes(panel, data.metadata, spec.sampler) / 1e6,
    )
    with own_scratch(), _progress(key.run_id) as report:
        watch = Watch(len(os.sched_getaffinity(0)), report, sys.stderr.isatty())
        sampled = kind.fit(panel, inputs, spec.sampler, watch)
    wall = sampled.wall_seconds
    log.info(
        "sampled with %s: %s",
        sampled.backend,
        ", ".join(f"{k} {v:.1f} s" for k, v in wall.items()),
    )
    draws = sampled.tree["posterior"].to_dataset()
    summary = PosteriorSummary.model_validate(summarize_posterior(draws))
    write_document(home, folder / Artifact.POSTERIOR_SUMMARY, summary)
    # What others open a fit with is of no use where the fit answers a question and goes.
    extra = {} if isinstance(key.retry, str) else kind.extra_files(draws, panel, inputs)
    for name, write in extra.items():
        write_whole(home, folder / name, write)
    description = describe_fit(spec, data.metadata, sampled.backend)
    return PosteriorRef(
        kind=kind.name,
        posterior=write_netcdf(home, folder / Artifact.POSTERIOR, sampled.tree),
        metadata=write_document(home, folder / Artifact.MODEL_METADATA, description),
        sampler=sampled.backend,
        wall_seconds=wall,
        prior_predictive=prior_file,
    )


@task(name="fit-returns", cache_policy=NO_CACHE)
@resumable
def fit_returns(key: StepKey, features: FeaturesRef, spec: RunSpec) -> FitReturns:
    """Sample an auxiliary fit and keep its returns alone. Logic: ``sampling``, ``models.returns``.

    Neither draws nor a model are stored: it answers a question about another fit.
    """
    from tasks.models.kind import Watch
    from tasks.models.opening import open_data
    from tasks.models.returns import measure_returns

    home = current_home()
    started = time.perf_counter()
    data = open_data(read_features(home, features))
    with own_scratch():
        watch = Watch(len(os.sched_getaffinity(0)))
        sampled = data.kind.fit(data.panel, data.inputs, spec.sampler, watch)
    model = data.kind.open(sampled.tree["posterior"].to_dataset(), data.inputs)
    returns = measure_returns(model, data.panel, data.metadata)
    seconds = time.perf_counter() - started
    log.info("auxiliary fit %s of %s took %.1f s", key.retry, key.run_id, seconds)
    return FitReturns(
        file=write_json(home, fit_dir(home, key) / RETURNS_FILE, returns),
        seconds=round(seconds, 3),
    )


def select_retry(spec: RunSpec, tried: list[Attempt]) -> Retry | None:
    """Return the next retry of the escalation; None where it ends. Logic: ``escalation``."""
    if not tried:
        return escalation.first_try(spec.sampler)
    retry = escalation.next_retry(spec.sampler, tried)
    if retry is not None:
        log.warning("the fit is tried again, retry %d: %s", retry.number, retry.reason)
    elif not tried[-1].is_clean:
        log.warning("no further retry: %s", escalation.why_stopped(spec.sampler, tried))
    return retry


def best_fit(tried: list[Attempt]) -> PosteriorRef | None:
    """Return the posterior of the best fit; None where no fit was sampled well."""
    judged = [attempt for attempt in tried if attempt.sampled_well]
    return escalation.best_attempt(judged).posterior if judged else None


@task(name="settle-fit", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def select_fit(spec: RunSpec, tried: list[Attempt], run_id: str) -> JudgedFit:
    """Put the best fit that was tried into the run's folder, with the story of the others.

    Parameters
    ----------
    spec
        Its sampler's escalation names what the retries changed.
    tried
        The fit and its retries in the order they were made, at least one.
    run_id
        Run whose folder the best fit is copied into.

    Raises
    ------
    SamplingError
        If no fit produced draws.
    """
    home = current_home()
    chosen = escalation.best_attempt(tried)
    if chosen.posterior is None or chosen.diagnostics is None:
        raise SamplingError(f"No fit of run {run_id} produced draws: {tried[-1].error}")
    folder = home.run_dir(run_id)
    judged = JudgedFit(
        posterior=_adopt_posterior(home, chosen.posterior, folder),
        diagnostics=_adopt_diagnostics(
            home,
            chosen.diagnostics,
            folder,
            escalation.report_failure(spec.sampler, tried, chosen),
        ),
    )
    if len(tried) > 1:
        story = escalation.describe_retries(spec.sampler, tried, chosen)
        write_document(home, folder / Artifact.ESCALATION, Escalation.model_validate(story))
    return judged


def _adopt_posterior(home: Home, posterior: PosteriorRef, folder: Path) -> PosteriorRef:
    """Copy a fit's files into the run's folder."""
    from tasks.models.registry import find_kind

    source = open_ref(home, posterior.posterior).parent
    for name in (Artifact.POSTERIOR_SUMMARY, *find_kind(posterior.kind).files):
        if (source / name).is_file():
            copy_file(home, source / name, folder / name)
    adopted = {
        name: copy_file(home, open_ref(home, ref), folder / Path(ref.path).name)
        for name, ref in posterior
        if isinstance(ref, FileRef)
    }
    return posterior.model_copy(update=adopted)


def _adopt_diagnostics(
    home: Home, diagnostics: DiagnosticsRef, folder: Path, failure: str
) -> DiagnosticsRef:
    """Write the diagnostics into the run's folder; an escalation that failed is one reason more."""
    document = read_document(home, diagnostics.file, Diagnostics)
    reasons = [*diagnostics.reasons, *filter(None, [failure])]
    completed = document.model_copy(update={"reasons": reasons})
    file = write_document(home, folder / Artifact.DIAGNOSTICS, completed)
    return diagnostics.model_copy(update={"reasons": reasons, "file": file})


def describe_fit(spec: RunSpec, metadata: FeatureMetadata, backend: str) -> ModelMetadata:
    """Say what was fitted, with which settings, by which backend, code and libraries."""
    from tasks.models.registry import kind_of

    own = kind_of(metadata).libraries
    libraries = ("pymc", "pytensor", "nutpie", "pymc-marketing", "arviz", "numpy", *own)
    return ModelMetadata(
        model_kind=spec.model.kind,
        model=spec.model,
        sampler=UsedSampler(**spec.sampler.model_dump(), backend_used=backend),
        channels=metadata.channel_names,
        controls=[c.name for c in metadata.controls],
        entities=metadata.entities,
        estimation_start=metadata.estimation_start,
        estimation_end=metadata.estimation_end,
        n_parameters=metadata.n_parameters,
        fingerprint=fit_fingerprint(),
        versions={name: version(name) for name in libraries},
    )


@contextmanager
def _progress(run_id: str) -> Iterator[Callable[[float, int], None] | None]:
    """Report sampling to the log, and to the Prefect UI as a progress artifact.

    Outside a flow run, as in a notebook, there is no page that could show it.
    """
    artifact = None
    if FlowRunContext.get() is not None:
        artifact = cast(
            UUID,
            create_progress_artifact(
                progress=0.0, key="sampling-progress", description=f"Sampling of run {run_id}"
            ),
        )
    reported = {"at": time.monotonic(), "share": 0.0}

    def report(share: float, divergences: int) -> None:
        now = time.monotonic()
        reported["share"] = share
        if now - reported["at"] >= _REPORT_SECONDS:
            reported["at"] = now
            log.info("sampling: %.0f %% of draws, %d divergences so far", 100 * share, divergences)
            if artifact is not None:
                update_progress_artifact(artifact, progress=round(100 * share, 1))

    yield report
    if artifact is not None:
        update_progress_artifact(artifact, progress=100.0)


_REPORT_SECONDS = 5.0
