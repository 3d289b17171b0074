"""Trend and noise floor: read, call, write. Logic: ``trend``."""

import logging
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.answers.stability import (
    FloorRow,
    NoiseRequest,
    Repeated,
    Repetition,
    Repetitions,
    StabilityReport,
)
from schemas.documents.effects import ChannelQuantiles, ReturnsOfFit
from schemas.errors import UnknownRunError
from schemas.names import Artifact
from schemas.refs import StepKey
from tasks.explain import trend
from tasks.mathematics.seeds import derive_seed
from tasks.store.files.artifacts import read_document, write_document
from tasks.store.fingerprint import fit_fingerprint
from tasks.store.home import Home, current_home
from tasks.store.runs.champions import find_champion
from tasks.store.runs.compared import ComparedRun, open_compared
from tasks.store.runs.documents import open_document
from tasks.store.runs.ids import new_run_id
from tasks.store.runs.plan_sources import read_run_spec_of
from tasks.store.runs.resume import fit_dir, forget_steps
from tasks.store.tracking import experiments
from tasks.store.tracking.auxiliary_fits import AuxiliaryFit, log_auxiliary_fits
from tasks.store.warehouse import connection
from tasks.store.warehouse.runs import list_runs, read_run
from tasks.store.warehouse.stability import (
    read_floor_returns,
    read_last_periods,
    read_noise_floor,
    read_stability,
    write_noise_floor,
)

log = logging.getLogger(__name__)

OWN = "own"
"""Name of the repetition that has the champion's own seed."""


def read_trend(dataset_id: str) -> StabilityReport:
    """Return the trend of a dataset with its noise floor; it fits and writes nothing.

    Raises
    ------
    UnknownRunError
        If the dataset has no run.
    """
    home = current_home()
    records = {record.run_id: record for record in list_runs(home, dataset_id)}
    if not records:
        raise UnknownRunError(
            f"No run of dataset {dataset_id!r}; `mmm refit --spec FILE` starts one."
        )
    rows = read_stability(home, dataset_id)
    runs = trend.summarize_runs(rows, records, read_last_periods(home, dataset_id))
    newest = read_run_spec_of(home, runs[-1].run_id) if runs else None
    return StabilityReport(
        dataset_id=dataset_id,
        runs=runs,
        rows=rows,
        floor=trend.summarize_floor(read_noise_floor(home, dataset_id)),
        min_overlap_review=newest.gates.stability.min_overlap_review if newest else None,
    )


@task(name="plan-repetitions", cache_policy=NO_CACHE, timeout_seconds=300)
def plan_repetitions(request: NoiseRequest) -> Repetitions:
    """Choose the seeds that the champion's fit is repeated with; those on record are left out.

    Raises
    ------
    UnknownRunError, IncomparableRunsError
        If the dataset has no champion, or files of its run are gone.
    """
    home = current_home()
    champion = find_champion(home, request.dataset_id)
    if champion is None:
        raise UnknownRunError(
            f"Dataset {request.dataset_id!r} has no champion whose fit could be repeated; "
            f"`mmm runs --dataset {request.dataset_id}` shows what became of its refits."
        )
    record = read_run(home, champion.run_id)
    run = open_compared(home, record)
    today, own_seed = fit_fingerprint(), run.sampler.random_seed
    done = _seeds_on_record(home, record.run_id, today)
    wanted = [derive_seed(own_seed, place) for place in range(1, request.n_seeds + 1)]
    fits = [_repetition(f"seed_{seed}", run, seed) for seed in wanted if seed not in done]
    notes = []
    if fits and run.fingerprint != today:
        fits = [_repetition(OWN, run, own_seed), *fits]
        notes.append(
            "The champion was made by other code or libraries than today's, so its own seed was "
            "repeated too, and the others were compared with that."
        )
    steps = new_run_id(f"noise-{request.dataset_id}", datetime.now(UTC))
    own = open_document(home, record.run_id, Artifact.CHANNEL_QUANTILES, ChannelQuantiles)
    if own is None:
        raise UnknownRunError(
            f"Run {record.run_id} has no {Artifact.CHANNEL_QUANTILES}; run the refit again."
        )
    log.info("repeating %s with %d seed(s); %d on record", record.run_id, len(fits),
             len(set(wanted) & done))  # fmt: skip
    return Repetitions(
        run_id=record.run_id,
        dataset_id=record.dataset_id,
        steps=steps,
        features=run.source.features,
        own=write_document(
            home, fit_dir(home, StepKey(run_id=steps, retry=OWN)) / "quantiles.json", own
        ),
        fits=fits,
        notes=notes,
    )


@task(
    name="settle-noise", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5,
    timeout_seconds=300,
)  # fmt: skip
def answer_noise(repetitions: Repetitions, made: list[Repeated]) -> StabilityReport:
    """Compare the repetitions with the champion and put them on record: MLflow, then warehouse."""
    home = current_home()
    repeated_own = next((m.returns.file for m in made if m.fit.name == OWN), repetitions.own)
    own = read_document(home, repeated_own, ReturnsOfFit).root
    others = [m for m in made if m.fit.name != OWN]
    now, today = datetime.now(UTC), fit_fingerprint()
    rows = {
        repeated.fit.name: trend.compare_repetition(
            read_document(home, repeated.returns.file, ReturnsOfFit),
            own,
            run_id=repetitions.run_id,
            dataset_id=repetitions.dataset_id,
            seed=repeated.fit.spec.sampler.random_seed,
            fingerprint=today,
            measured_at=now,
        )
        for repeated in others
    }
    parent = read_run(home, repetitions.run_id).mlflow_run_id
    if parent is not None and others:
        fits = [_reported(repeated, rows[repeated.fit.name]) for repeated in others]
        log_auxiliary_fits(experiments.open_store(home), parent, fits)
    with connection.writing(home, repetitions.dataset_id) as con:
        write_noise_floor(con, [row for group in rows.values() for row in group])
    report = read_trend(repetitions.dataset_id)
    return report.model_copy(update={"notes": repetitions.notes})


@task(name="forget-repetitions", cache_policy=NO_CACHE)
def forget_repetitions(repetitions: Repetitions) -> None:
    """Delete the files of repetitions; what is kept of them is in the warehouse."""
    forget_steps(current_home(), repetitions.steps)


def _seeds_on_record(home: Home, run_id: str, fingerprint: str) -> set[int]:
    return set(read_floor_returns(home, run_id, fingerprint))


def _repetition(name: str, run: ComparedRun, seed: int) -> Repetition:
    sampler = run.sampler.model_copy(update={"random_seed": seed})
    return Repetition(name=name, spec=run.source.spec.model_copy(update={"sampler": sampler}))


def _reported(repeated: Repeated, rows: list[FloorRow]) -> AuxiliaryFit:
    seed = repeated.fit.spec.sampler.random_seed
    return AuxiliaryFit(
        name=f"noise/{seed}",
        title=f"noise seed {seed}",
        params={"random_seed": seed},
        metrics={
            "seconds": repeated.returns.seconds,
            **{f"overlap/{row.channel}": row.overlap for row in rows},
            **{f"change_sd/{row.channel}": row.change_sd for row in rows},
        },
        tags={"kind": "noise_floor"},
    )
