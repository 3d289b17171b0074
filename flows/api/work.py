"""The process of one job: ``python -m flows.api.work JOB_ID``.

What samples, plans or checks runs here, as the command line runs it, and the server imports none
of it. Its answer, or its error with every finding, is left as ``outcome.json`` of the job.
"""

import logging
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.api.problems import problem_of
from flows.cli.process import EXIT_OTHER, EXIT_REJECTED, call_flow
from schemas.answers.jobs import CheckRequest, GuessRequest, JobKind, JobOutcome
from schemas.documents.changes import ExplainRequest
from schemas.errors import MmmError, SpecError
from schemas.spec.plan_request import PlanRequest
from schemas.spec.refit_request import RefitRequest
from tasks.ingest import task_drafts
from tasks.lifecycle import task_jobs

if TYPE_CHECKING:
    from schemas.documents.results import RefitReport


def work(job_id: str) -> int:
    """Do what a job was asked and leave what it came to.

    Returns
    -------
    int
        Exit code, as that of the command line.
    """
    for name in ("flows", "tasks"):
        logging.getLogger(name).setLevel(logging.INFO)
    job = task_jobs.read_job(job_id)
    try:
        outcome = _WORK[job.kind](task_jobs.read_request(job_id))
    except Exception as error:
        sys.stderr.write("".join(traceback.format_exception(error)))
        code = error.exit_code if isinstance(error, MmmError) else EXIT_OTHER
        outcome = JobOutcome(exit_code=code, problem=problem_of(error))
    task_jobs.write_outcome(job_id, outcome)
    return outcome.exit_code


def _refit(asked: Mapping[str, Any]) -> JobOutcome:
    from flows import engines, hooks

    def open_flow() -> "Callable[[RefitRequest], RefitReport]":
        from flows.refit_weekly import refit_weekly

        return refit_weekly.with_options(on_failure=[hooks.notify_failure])

    request = RefitRequest.model_validate(asked)
    report = call_flow(open_flow, request, engines=engines.REFIT)
    rejected = report.verdict == "FAIL"
    if rejected:
        hooks.notify_rejection(report)
    return JobOutcome(
        exit_code=EXIT_REJECTED if rejected else 0,
        result_id=report.run_id,
        result=report.model_dump(mode="json"),
    )


def _plan(asked: Mapping[str, Any]) -> JobOutcome:
    from flows import engines

    def open_flow() -> Any:
        from flows.plan_budget import plan_budget

        return plan_budget

    report = call_flow(open_flow, PlanRequest.model_validate(asked), engines=engines.PLAN)
    document = report.model_dump(mode="json", exclude={"plan_file"})
    return JobOutcome(exit_code=0, result_id=report.scenario_id, result=document)


def _explain(asked: Mapping[str, Any]) -> JobOutcome:
    from flows import engines
    from tasks.explain.task_known import find_answer

    def open_flow() -> Any:
        from flows.explain_change import explain_change

        return explain_change

    request = ExplainRequest.model_validate(asked)
    explanation = find_answer(request) or call_flow(open_flow, request, engines=engines.EXPLAIN)
    return JobOutcome(exit_code=0, result=explanation.model_dump(mode="json"))


def _score(asked: Mapping[str, Any]) -> JobOutcome:
    from flows import engines
    from flows.settled import read_settled_ledgers

    def open_flow() -> Any:
        from flows.score_forecasts import score_forecasts

        return score_forecasts

    dataset_id = asked["dataset_id"]
    report = read_settled_ledgers(dataset_id) or call_flow(
        open_flow, dataset_id, engines=engines.SCORE
    )
    return JobOutcome(exit_code=0, result=report.model_dump(mode="json"))


def _check(asked: Mapping[str, Any]) -> JobOutcome:
    from flows.check_data import check_data

    request = CheckRequest.model_validate(asked)
    checked = check_data(request.spec, request.data)
    return JobOutcome(exit_code=0, result=checked.model_dump(mode="json", exclude={"file"}))


def _prior(asked: Mapping[str, Any]) -> JobOutcome:
    from flows.check_priors import check_priors

    request = CheckRequest.model_validate(asked)
    if request.spec is None:
        raise SpecError("spec: priors are those of a run spec; give one.")
    believed = check_priors(request.spec, request.data)
    return JobOutcome(exit_code=0, result=believed.model_dump(mode="json"))


def _guess(asked: Mapping[str, Any]) -> JobOutcome:
    from flows.guess_spec import guess_spec

    request = GuessRequest.model_validate(asked)
    with tempfile.TemporaryDirectory(prefix="mmm-guess-") as folder:
        out = Path(folder) / "spec.yaml"
        guessed = guess_spec(Path(request.data), out, sheet=None, kpi=None, overwrite=False)
        text = out.read_text(encoding="utf-8")
    draft = task_drafts.draft_of_guess(request.dataset_id, text, guessed)
    return JobOutcome(exit_code=0, result=draft.model_dump(mode="json"))


_WORK: dict[JobKind, Callable[[Mapping[str, Any]], JobOutcome]] = {
    JobKind.REFIT: _refit,
    JobKind.PLAN: _plan,
    JobKind.EXPLAIN: _explain,
    JobKind.SCORE: _score,
    JobKind.CHECK: _check,
    JobKind.GUESS: _guess,
    JobKind.PRIOR: _prior,
}


if __name__ == "__main__":
    sys.exit(work(sys.argv[1]))
