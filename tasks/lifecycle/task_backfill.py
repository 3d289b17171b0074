"""Tasks of a backfill around its refits: the next day, the run that is there already, the end."""

from datetime import date

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.answers.backfill import BackfillReport, ReplayedPeriod, ReplayOutcome
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.promotions import PromotionAction
from schemas.names import Artifact
from schemas.spec.run_spec import Grain, RunSpec
from tasks.mathematics.calendar import nth_day
from tasks.store.artifact_keys import artifact_key
from tasks.store.home import Home, current_home
from tasks.store.runs.documents import open_document
from tasks.store.runs.resume import run_key
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.run_inputs import find_finished_run, newest_grain
from tasks.store.warehouse.runs import read_run


@task(name="next-replay", cache_policy=NO_CACHE)
def next_replay(spec: RunSpec, first: date, n: int) -> date:
    """Return the ``n``-th day of a replay, by the grain of the spec or of what is known."""
    held = newest_grain(current_home(), spec.dataset_id)
    return nth_day(first, n, spec.grain or Grain(held or Grain.WEEK))


@task(name="find-replayed", cache_policy=NO_CACHE)
def find_replayed(spec: RunSpec, snapshot_id: str, as_of: date) -> ReplayedPeriod | None:
    """Return the run that has done this day with the same snapshot, spec and code, or None."""
    home = current_home()
    run_id = find_finished_run(home, spec.dataset_id, run_key(spec, snapshot_id, as_of))
    if run_id is None:
        return None
    return ReplayedPeriod(
        as_of=as_of,
        outcome=ReplayOutcome.DONE,
        run_id=run_id,
        snapshot_id=snapshot_id,
        verdict=read_run(home, run_id).verdict,
        became_champion=_was_promoted(home, spec.dataset_id, run_id),
        r_hat_max=_worst_r_hat(home, run_id),
    )


@task(name="show-backfill", cache_policy=NO_CACHE)
def show_backfill(report: BackfillReport) -> None:
    """Show every day of a backfill in the Prefect UI."""
    create_table_artifact(
        key=artifact_key("backfill", report.dataset_id),
        table=[period.model_dump(mode="json") for period in report.periods],
        description=f"Backfill of {report.dataset_id}: {report.summary}",
    )


def _was_promoted(home: Home, dataset_id: str, run_id: str) -> bool:
    return any(
        row.run_id == run_id and row.action is PromotionAction.PROMOTE
        for row in list_promotions(home, dataset_id)
    )


def _worst_r_hat(home: Home, run_id: str) -> float | None:
    """R-hat as the run's own diagnostics report it; None where they are gone."""
    found = open_document(home, run_id, Artifact.DIAGNOSTICS, Diagnostics)
    return found.r_hat_max if found else None
