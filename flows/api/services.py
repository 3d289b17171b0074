"""What routers and pages ask for and change: typed answers in and out, no HTTP but its statuses."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from http import HTTPStatus
from typing import Any

from flows.api.jobs import JobRunner
from flows.api.problems import ProblemError
from schemas.answers.checked_file import CheckedFile
from schemas.answers.jobs import (
    AskedJob,
    CheckRequest,
    Job,
    JobKind,
    NewRun,
)
from schemas.documents.changes import ExplainRequest
from schemas.errors import DataContractError, SpecError, UnknownRunError
from schemas.spec.errors import parse_run_spec
from schemas.spec.plan_request import PlanRequest
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.ingest import task_uploads
from tasks.lifecycle import task_jobs
from tasks.query.plans import complete_request
from tasks.query.runs import all_runs, dataset_of_run


class JobService:
    """Starts long work, once per key of a caller."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()

    def start_refit(self, asked: NewRun, key: str | None = None) -> Job:
        """Start a refit of a dataset.

        Raises
        ------
        SpecError
            With every problem of the spec.
        UnknownRunError
            If nothing is known of the dataset.
        """
        spec = parse_spec(asked.spec)
        request = RefitRequest(
            spec=spec, data=_data_of(spec.dataset_id), as_of=_past(asked.as_of),
            accept_restatement=asked.accept_restatement,
        )  # fmt: skip
        document = request.model_dump(mode="json", exclude={"run_id"})
        return self._start(JobKind.REFIT, document, spec.dataset_id, key)

    def start_plan(self, asked: PlanRequest, key: str | None = None) -> Job:
        """Start a budget plan, or the evaluation of one that was made by hand.

        Raises
        ------
        UnknownRunError
            If there is no accepted run to plan from.
        """
        request = complete_request(asked, {})
        named = [model.dataset_id for model in request.models]
        dataset_id = named[0] if len(named) == 1 else None
        return self._start(JobKind.PLAN, request.model_dump(mode="json"), dataset_id, key)

    def start_explanation(self, asked: ExplainRequest, key: str | None = None) -> Job:
        """Start to explain why returns changed from one run to another.

        Raises
        ------
        UnknownRunError
            Naming the nearest run id.
        """
        dataset_id = dataset_of_run(asked.run_a)
        dataset_of_run(asked.run_b)
        return self._start(JobKind.EXPLAIN, asked.model_dump(mode="json"), dataset_id, key)

    def start_scoring(self, dataset_id: str, key: str | None = None) -> Job:
        """Start to score forecasts whose periods have happened.

        Raises
        ------
        UnknownRunError
            If the dataset has no run.
        """
        task_uploads.require_dataset_id(dataset_id)
        if not all_runs(dataset_id):
            raise UnknownRunError(f"No run of dataset {dataset_id!r}; nothing was forecast.")
        return self._start(JobKind.SCORE, {"dataset_id": dataset_id}, dataset_id, key)

    def check_file(self, dataset_id: str, spec: Mapping[str, Any] | None) -> CheckedFile:
        """Check the newest file of a dataset as a refit would, and wait for the answer.

        Raises
        ------
        UnknownRunError
            If no file was uploaded.
        SpecError
            If the spec cannot be used.
        DataContractError
            If the file cannot be read at all.
        """
        path = task_uploads.newest_file(dataset_id)
        read = parse_spec({"dataset_id": dataset_id, **(spec or {})})
        request = CheckRequest(spec=read, data=str(path)).model_dump(mode="json")
        result = self.answer_now(JobKind.CHECK, request, dataset_id)
        return CheckedFile.model_validate({**result, "file": path.name})

    def answer_now(
        self, kind: JobKind, request: Mapping[str, Any], dataset_id: str | None
    ) -> dict[str, Any]:
        """Do a short job, wait for it, and leave nothing of it but the answer.

        Parameters
        ----------
        kind, request, dataset_id
            What is asked, as ``flows.api.work`` reads it.

        Returns
        -------
        dict
            The answer of its kind.

        Raises
        ------
        DataContractError
            With every finding of a file.
        SpecError
            If the request cannot be used.
        ProblemError
            If the work failed.
        """
        outcome = self._runner.run_now(task_jobs.new_job(kind, request, dataset_id))
        problem = outcome.problem
        if problem is None:
            return outcome.result or {}
        if problem.findings:
            raise DataContractError(problem.detail, problem.findings)
        if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SpecError(problem.detail, problem.problems)
        raise ProblemError(HTTPStatus(problem.status), problem.detail)

    def cancel(self, job_id: str) -> Job:
        """End a job; one that is over stays as it is.

        Raises
        ------
        UnknownRunError
            If there is none of that id.
        """
        return public(self._runner.cancel(job_id))

    def _start(
        self, kind: JobKind, request: Mapping[str, Any], dataset_id: str | None, key: str | None
    ) -> Job:
        if key is None:
            return public(self._begin(task_jobs.new_job(kind, request, dataset_id)))
        digest = task_jobs.digest_of({"kind": kind, "key": key})
        with self._alone(digest):
            known = task_jobs.find_asked(digest)
            if known is None:
                return public(self._begin(task_jobs.new_job(kind, request, dataset_id, digest)))
        if known.request_sha256 != task_jobs.digest_of(request):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "Idempotency-Key: another request had this key; choose a new one.",
            )
        return public(known)

    def _begin(self, job: AskedJob) -> AskedJob:
        self._runner.start(job)
        return job

    @contextmanager
    def _alone(self, digest: str) -> Iterator[None]:
        with self._lock:
            if digest in self._in_flight:
                raise ProblemError(
                    HTTPStatus.CONFLICT,
                    "Idempotency-Key: a request with this key is being answered; ask again.",
                )
            self._in_flight.add(digest)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight.discard(digest)


def parse_spec(document: Mapping[str, Any]) -> RunSpec:
    """Return a run spec that came over the network: it may name no file of this machine.

    Raises
    ------
    SpecError
        With every problem, each naming its key.
    """
    spec = parse_run_spec(document, source="The run spec")
    if spec.data is not None:
        said = "data: leave it out and upload the file; a request names no file of the server."
        raise SpecError(f"The run spec cannot be used:\n- {said}", [said])
    return spec


def read_job(job_id: str) -> Job:
    """Return how far a job is.

    Raises
    ------
    UnknownRunError
        If there is none of that id.
    """
    return public(task_jobs.read_job(job_id))


def public(job: AskedJob) -> Job:
    """Return a job without what it is recognized by."""
    return Job(**{name: getattr(job, name) for name in Job.model_fields})


def _data_of(dataset_id: str) -> str | None:
    """Return the newest upload; None where the warehouse knows the dataset without one."""
    try:
        return str(task_uploads.newest_file(dataset_id))
    except UnknownRunError:
        if any(run.dataset_id == dataset_id for run in all_runs()):
            return None
        raise


def _past(as_of: date | None) -> date | None:
    """Refuse a day that has not come, before anything is started."""
    from tasks.lifecycle.task import knowledge_date

    return None if as_of is None else knowledge_date(as_of)
