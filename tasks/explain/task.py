"""Explain a change: read two runs, call, write. Logic: ``plan``, ``route``, ``answer``."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.changes import (
    Comparison,
    ExplainRequest,
    Explanation,
    ExplanationRef,
    NextFit,
    TriedFit,
)
from schemas.documents.effects import ReturnsOfFit, RoiMetrics
from schemas.documents.features import FeatureMetadata
from schemas.names import Artifact
from schemas.refs import PosteriorRef, SnapshotRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.explain import budget
from tasks.explain.answer import build_explanation, publish_means
from tasks.explain.orders import State, is_of_later_spec, name_state, panel_state
from tasks.explain.panels import lay_side_by_side
from tasks.explain.plan import (
    RunFacts,
    feasible_states,
    find_differences,
    plan_fits,
    require_order,
    require_two_of_one_dataset,
)
from tasks.explain.route import AFTER, BEFORE
from tasks.explain.task_known import question_key
from tasks.store.files.artifacts import (
    read_document,
    read_netcdf,
    read_parquet,
    write_document,
    write_json,
    write_parquet,
)
from tasks.store.files.fits import read_features
from tasks.store.fingerprint import fit_fingerprint
from tasks.store.home import Home, current_home
from tasks.store.runs import resume
from tasks.store.runs.champions import find_champion
from tasks.store.runs.compared import ComparedRun, open_compared, read_accepted
from tasks.store.runs.ids import new_run_id
from tasks.store.warehouse.runs import read_run
from tasks.store.warehouse.stability import read_floor_returns

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

FOLDER = "explain"
"""Where a comparison keeps its files among the steps of its run."""


@task(name="begin-explanation", cache_policy=NO_CACHE)
def begin_explanation(request: ExplainRequest) -> str:
    """Check the request; return the name of the folder that will be thrown away.

    Raises
    ------
    UnknownRunError, IncomparableRunsError
        If a run is unknown or was not accepted, or the two are one or of two datasets.
    """
    home = current_home()
    then, now = (read_accepted(home, run_id) for run_id in (request.run_a, request.run_b))
    require_two_of_one_dataset(then, now)
    return new_run_id(f"{FOLDER}-{request.run_b}", datetime.now(UTC))


@task(name="compare-runs", cache_policy=NO_CACHE, timeout_seconds=600)
def compare_runs(request: ExplainRequest, steps: str) -> Comparison:
    """Find what differs between two runs, and which fits tell it apart.

    Panels of the auxiliary fits and the returns of both runs go into the folder of ``steps``.

    Raises
    ------
    IncomparableRunsError
        If they are in the wrong order, or files are gone.
    """
    return _compare(current_home(), request, steps, 0.0, None)


@task(name="compare-with-champion", cache_policy=NO_CACHE, timeout_seconds=600)
def compare_with_champion(spec: RunSpec, posterior: PosteriorRef, run_id: str) -> Comparison | None:
    """Lay a refit beside the champion that it may replace; None where there is none.

    Raises
    ------
    UnknownRunError, IncomparableRunsError
        If files of the champion are gone, or it knew more than this run.
    """
    home = current_home()
    champion = find_champion(home, spec.dataset_id)
    if champion is None:
        return None
    request = ExplainRequest(run_a=champion.run_id, run_b=run_id)
    last = sum(posterior.wall_seconds.values())
    return _compare(home, request, run_id, last, 60 * spec.explain.max_minutes)


def choose_fit(comparison: Comparison, tried: list[TriedFit]) -> NextFit | None:
    """Return the next auxiliary fit; None where all are made, or no time is left for one."""
    return budget.choose_fit(comparison, tried)


@task(name="settle-explanation", cache_policy=NO_CACHE, timeout_seconds=300)
def answer_explanation(
    comparison: Comparison, tried: list[TriedFit], folder: str
) -> ExplanationRef:
    """Split the change of every channel and write ``change.json`` into ``folder``."""
    home = current_home()
    files = {BEFORE: comparison.before, AFTER: comparison.after}
    files |= {a.name: a.returns.file for a in tried if a.returns is not None}
    files |= {f"on record {i}": ref for i, ref in enumerate(comparison.on_record)}
    returns = {name: read_document(home, ref, ReturnsOfFit).root for name, ref in files.items()}
    return _write(home, Path(folder), build_explanation(comparison, tried, returns))


@task(name="tell-no-explanation", cache_policy=NO_CACHE)
def report_no_explanation(spec: RunSpec, run_id: str, reason: str) -> ExplanationRef:
    """Write ``change.json`` of a refit whose change could not be explained, with the reason."""
    home = current_home()
    champion = find_champion(home, spec.dataset_id)
    log.warning("no explanation of the change since the champion: %s", reason)
    explanation = Explanation(
        run_a=champion.run_id if champion else "",
        run_b=run_id,
        dataset_id=spec.dataset_id,
        notes=[f"The change could not be explained: {reason}"],
        is_complete=False,
    )
    return _write(home, home.run_dir(run_id), explanation)


@task(name="throw-away", cache_policy=NO_CACHE)
def throw_away(steps: str) -> None:
    """Delete the files of auxiliary fits; nothing refers to them once they were decided."""
    resume.forget_steps(current_home(), steps)


def explanation_folder(request: ExplainRequest) -> str:
    """Return the folder of an explanation that was asked for by hand."""
    return str(current_home().explanation_dir(request.run_a, request.run_b))


def _compare(
    home: Home, request: ExplainRequest, run_id: str, expected_seconds: float,
    max_seconds: float | None,
) -> Comparison:  # fmt: skip
    then, now = (
        open_compared(home, read_run(home, name)) for name in (request.run_a, request.run_b)
    )
    earlier, later = _facts(then), _facts(now)
    require_order(earlier, later)
    kpis = [
        read_document(home, run.source.features.metadata, FeatureMetadata).kpi_column
        for run in (then, now)
    ]
    rows = [read_parquet(home, run.snapshot.wide) for run in (then, now)]
    panels = lay_side_by_side(rows[0], rows[1], kpi_then=kpis[0], kpi_now=kpis[1])
    folder, today = resume.fit_dir(home, StepKey(run_id=run_id, retry=FOLDER)), fit_fingerprint()
    found = find_differences(earlier, later, panels, today=today)
    snapshots = {
        state: _write_state(
            home,
            folder,
            state,
            (later if is_of_later_spec(state, found.changed) else earlier).snapshot,
            panels.state(panel_state(state, found.changed)),
        )
        for state in feasible_states(earlier, found.changed, panels, today=today)
    }
    on_record = [
        write_json(home, folder / f"seed_{seed}.json", returns)
        for seed, returns in read_floor_returns(home, earlier.run_id, today).items()
    ]
    fits, noise_at = plan_fits(
        earlier, later, found.changed, snapshots, today=today, is_noise_known=bool(on_record)
    )
    log.info("from %s to %s: changed: %s; auxiliary fits: %d", earlier.run_id, later.run_id,
             ", ".join(found.changed) or "nothing", len(fits))  # fmt: skip
    return Comparison(
        run_a=earlier.run_id,
        run_b=later.run_id,
        dataset_id=later.dataset_id,
        key=question_key(then, now),
        changed=found.changed,
        facts=found.facts,
        notes=found.notes,
        before=write_document(home, folder / "before.json", _returns(home, then)),
        after=write_document(home, folder / "after.json", _returns(home, now)),
        noise_at=None if noise_at is None else sorted(noise_at),
        on_record=[] if noise_at is None or noise_at else on_record,
        fits=fits,
        expected_seconds=expected_seconds,
        max_seconds=max_seconds,
    )


def _write_state(
    home: Home, folder: Path, state: State, snapshot: SnapshotRef, panel: "pd.DataFrame | None"
) -> SnapshotRef:
    """Write the panel of a state; its snapshot is that of the run whose spec is fitted to it."""
    name = name_state(state)
    if panel is None:
        raise ValueError(f"the data do not allow the state {name}")
    wide = write_parquet(home, folder / f"{name}.parquet", panel)
    more = {"snapshot_id": f"{snapshot.snapshot_id}-{name}", "wide": wide}
    return snapshot.model_copy(update=more)


def _facts(run: ComparedRun) -> RunFacts:
    return RunFacts(
        run_id=run.record.run_id,
        dataset_id=run.record.dataset_id,
        created_at=run.record.created_at,
        spec=run.source.spec,
        sampler=run.sampler,
        roles=run.column_info.roles.model_dump(mode="json"),
        fingerprint=run.fingerprint,
        snapshot=run.snapshot,
        features=run.source.features,
    )


def _returns(home: Home, run: ComparedRun) -> ReturnsOfFit:
    """Returns of a run's own fit, its published ROAS with the accuracy of its draws."""
    from tasks.models.opening import open_fit
    from tasks.models.returns import measure_returns

    source = run.source
    fit = open_fit(read_netcdf(home, source.posterior), read_features(home, source.features))
    measured = measure_returns(fit.model, fit.panel, fit.metadata)
    published = read_document(home, source.roi_metrics, RoiMetrics)
    return publish_means(ReturnsOfFit.model_validate(measured), published)


def _write(home: Home, folder: Path, explanation: Explanation) -> ExplanationRef:
    return ExplanationRef(
        file=write_document(home, folder / Artifact.CHANGE, explanation),
        is_complete=explanation.is_complete,
    )
