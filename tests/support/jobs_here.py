"""Jobs done in this process, where a server has a process for each.

That a job has one, and what becomes of it, is held by ``unit/api/test_jobs.py`` and, with the real
work, ``unit/api/test_earlier.py``. A page that asks for a check is about what the check says: a
process of its own would import for seconds what this one has.
"""

from flows.api.work import work
from schemas.answers.jobs import JobKind
from tasks.lifecycle import task_jobs

SHORT = frozenset({JobKind.CHECK, JobKind.GUESS})


class ChildHere:
    """What a job has a process for, in this one: a short one is done, others end at once."""

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self.stdin = None

    def wait(self) -> None:
        if task_jobs.read_job(self._job_id).kind in SHORT:
            work(self._job_id)
