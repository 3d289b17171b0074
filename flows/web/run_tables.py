"""Tables of runs that several pages show, and where each run leads."""

from collections.abc import Sequence

from flows.web.tables import Column, Kind, Link, Table
from flows.web.timeline import format_duration
from schemas.answers.jobs import JobKind
from schemas.answers.runs import ListedRun
from tasks.lifecycle import task_jobs


def page_of_run(run: ListedRun) -> str:
    """Return the page of a run: its results where it was accepted, else how far it got."""
    return f"/results/{run.run_id}" if run.is_accepted else f"/run/{run.run_id}"


def list_runs(runs: Sequence[ListedRun]) -> Table:
    """Return runs as a table."""
    return Table(
        "runs",
        [
            Column("Run"), Column("Dataset"), Column("Began", Kind.MOMENT), Column("Took"),
            Column("State", Kind.MARK), Column("Verdict", Kind.MARK),
        ],
        [
            (
                Link(run.run_id, page_of_run(run)),
                run.dataset_id,
                run.created_at,
                format_duration((run.updated_at - run.created_at).total_seconds()),
                run.status,
                run.verdict,
            )
            for run in runs
        ],
        is_of_things=True,
    )  # fmt: skip


def list_at_work() -> Table:
    """Return refits that wait or run as a table."""
    jobs = [j for j in task_jobs.list_jobs() if j.kind is JobKind.REFIT and not j.state.is_over]
    return Table(
        "refits at work",
        [Column("Run"), Column("Dataset"), Column("Asked for", Kind.MOMENT),
         Column("State", Kind.MARK)],
        [
            (Link(job.job_id, f"/run/{job.job_id}"), job.dataset_id, job.created_at, job.state)
            for job in jobs
        ],
        is_of_things=True,
    )  # fmt: skip
