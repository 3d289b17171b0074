"""Keeps one process warm that judges plans by hand, and asks it."""

import json
import os
import subprocess
import sys
import threading
from http import HTTPStatus
from typing import Any

from flows.api.problems import ProblemError
from flows.services.servers import import_path
from schemas.answers.plans import PlanDesk, PlanEvaluation
from schemas.answers.service import Problem
from schemas.errors import SpecError, UnknownRunError
from schemas.spec.plan_request import DeskRequest, PlanRequest

JUDGING_SECONDS = 120.0
"""How long the process may take to answer: to open a large model first, not to judge a plan."""
_TRIES = 2
"""A process that has ended is started again once."""


class Evaluator:
    """One process, started when the first plan is judged; it ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._open: frozenset[str] = frozenset()
        """Desks that the process keeps open, as its newest answer said."""

    def is_open(self, asked: DeskRequest) -> bool:
        """Say whether a desk answers at once; else its model has to be opened first."""
        return self._child is not None and self._child.poll() is None and asked.key in self._open

    def open(self, asked: DeskRequest) -> PlanDesk:
        """Return what is known of a model before anybody has moved money; opens it where needed.

        Raises
        ------
        UnknownRunError
            If there is no accepted run to plan from.
        SpecError
            If it has no channel with spend.
        """
        return PlanDesk.model_validate(self._ask("open", asked))

    def judge(self, asked: DeskRequest) -> PlanEvaluation:
        """Return what a plan by hand brings; nothing is saved.

        Raises
        ------
        UnknownRunError
            If there is no accepted run to plan from.
        SpecError
            If a channel is unknown, or named twice.
        """
        return PlanEvaluation.model_validate(self._ask("judge", asked))

    def save(self, asked: PlanRequest) -> str:
        """Evaluate a plan by hand, save it, and return its id.

        Raises
        ------
        UnknownRunError
            If there is no accepted run to plan from.
        SpecError
            If a channel or entity is unknown.
        """
        return str(self._ask("save", asked)["scenario_id"])

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.terminate()
            child.wait(timeout=10)

    def _ask(self, verb: str, asked: DeskRequest | PlanRequest) -> dict[str, Any]:
        request = asked.model_dump(mode="json")
        line = json.dumps({"verb": verb, "request": request}) + "\n"
        if not self._lock.acquire(timeout=JUDGING_SECONDS):
            raise _unavailable(
                f"Another plan has been judged for {JUDGING_SECONDS:.0f} s; try again."
            )
        try:
            answer = next(filter(None, (self._exchange(line) for _ in range(_TRIES))), None)
        finally:
            self._lock.release()
        if answer is None:
            raise _unavailable(
                "The process that judges plans ended without a word; the log of the server says "
                "more. Try again."
            )
        if "problem" in answer:
            raise _error_of(Problem.model_validate(answer["problem"]))
        return dict(answer["result"])

    def _exchange(self, line: str) -> dict[str, Any] | None:
        """Return the answer to a line; None where the process ended instead."""
        if self._child is None or self._child.poll() is not None:
            self._open = frozenset()
            self._child = _spawn()
        text = _answer_in_time(self._child, line)
        if not text:
            return None
        answer = dict(json.loads(text))
        self._open = frozenset(answer["open"])
        return answer


def _answer_in_time(child: "subprocess.Popen[str]", line: str) -> str:
    """Return the answer of a process to a line, nothing where it has ended; one too slow is ended.

    Raises
    ------
    ProblemError
        503 where it took too long.
    """
    to_child, from_child = child.stdin, child.stdout
    if to_child is None or from_child is None:
        return ""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        child.kill()

    alarm = threading.Timer(JUDGING_SECONDS, end)
    alarm.daemon = True
    alarm.start()
    try:
        to_child.write(line)
        to_child.flush()
        text = from_child.readline()
    except OSError:  # it has ended
        text = ""
    finally:
        alarm.cancel()
    if is_late.is_set():
        child.wait()
        raise _unavailable(
            f"The plan was not judged within {JUDGING_SECONDS:.0f} s, and its process was ended; "
            "the next one opens the model anew. Try again, or with fewer periods to plan."
        )
    return text


def _unavailable(said: str) -> ProblemError:
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, said, {"Retry-After": "5"})


def _spawn() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "flows.api.desk"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": import_path()},
        start_new_session=True,
    )


def _error_of(problem: Problem) -> Exception:
    if problem.status == HTTPStatus.NOT_FOUND:
        return UnknownRunError(problem.detail)
    if problem.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return SpecError(problem.detail, problem.problems)
    return ProblemError(HTTPStatus(problem.status), problem.detail)
