"""How far a run is: what its record says, what its process says, and where it stopped."""

from schemas.answers.jobs import AskedJob, JobState, RunProgress, Stage
from schemas.documents.results import RunRecord, RunStatus
from tasks.lifecycle import task_jobs
from tasks.query.runs import dataset_of_run

_ORDER = tuple(each for each in RunStatus if each is not RunStatus.ERROR)
"""States of a run that goes well."""


def read_progress(run_id: str) -> RunProgress:
    """Return how far a run is, begun or not.

    Raises
    ------
    UnknownRunError
        Naming the nearest run id.
    """
    job = task_jobs.find_job(run_id)
    record = task_jobs.find_record(job.result_id or run_id if job else run_id)
    if job is None and record is None:
        dataset_of_run(run_id)  # raises, with a hint
    status = _status(job, record)
    reached = _reached(record)
    problem = job.problem if job else None
    return RunProgress(
        run_id=record.run_id if record else run_id,
        dataset_id=record.dataset_id if record else str(job.dataset_id if job else ""),
        status=status,
        stages=[Stage(status=each, is_reached=i <= reached) for i, each in enumerate(_ORDER)],
        at=_at(record, reached),
        job=job.state if job else None,
        verdict=record.verdict if record else None,
        reason=(record.reason if record else None) or (problem.detail if problem else None),
        problem=problem,
    )


def _reached(record: RunRecord | None) -> int:
    """Return the place of the state that a run has reached, or had before it failed; -1: none."""
    if record is None:
        return -1
    failed = record.status is RunStatus.ERROR
    state = task_jobs.find_reached(record.run_id) if failed else record.status
    return -1 if state is None else _ORDER.index(state)


def _at(record: RunRecord | None, reached: int) -> RunStatus | None:
    """Return the state that a run works on: sampling as soon as it has begun, else the next."""
    if record is not None and reached < 0:  # it failed in an earlier version
        return None
    following = reached if reached >= 0 and _ORDER[reached] is RunStatus.TRAINING else reached + 1
    return _ORDER[following] if following < len(_ORDER) else None


def _status(job: AskedJob | None, record: RunRecord | None) -> RunStatus:
    ended_badly = job is not None and job.state in {JobState.FAILED, JobState.CANCELLED}
    if ended_badly and (record is None or record.status is not RunStatus.OUTPUTS_READY):
        return RunStatus.ERROR
    return record.status if record else RunStatus.CREATED
