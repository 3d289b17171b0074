"""The process that judges plans by hand: ``python -m flows.api.desk``.

A line of JSON in, a line of JSON out, until its input ends, which it does with the server. The
server itself imports no model library.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

from flows.api.problems import problem_of
from schemas.spec.errors import parse_model
from schemas.spec.plan_request import DeskRequest, PlanRequest


class Desks:
    """Answers what a server asks of plans by hand."""

    def __init__(self) -> None:
        from tasks.optimize.task_desk import DeskRoom

        self._room = DeskRoom()
        self._answers: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "open": self._open,
            "judge": self._judge,
            "save": self._save,
        }

    def answer(self, line: str) -> dict[str, Any]:
        """Return the answer to one line: ``result``, or ``problem``; and which desks are ``open``.

        Returns
        -------
        dict
            What a caller can be told, as JSON.
        """
        asked = json.loads(line)
        try:
            result = self._answers[asked["verb"]](asked["request"])
        except Exception as error:
            problem = problem_of(error).model_dump(mode="json")
            return {"problem": problem, "open": self._room.keys}
        return {"result": result, "open": self._room.keys}

    def _open(self, asked: Mapping[str, Any]) -> Any:
        return self._room.facts(self._opened(asked)).model_dump(mode="json")

    def _judge(self, asked: Mapping[str, Any]) -> Any:
        request = parse_model(DeskRequest, asked, source="The plan")
        facts = self._room.facts(self._opened(asked))
        judged = self._room.judge(
            request.key,
            request.rows,
            request.utility or facts.settings.utility,
            request.risk_level or facts.settings.risk_level,
        )
        return judged.model_dump(mode="json")

    def _save(self, asked: Mapping[str, Any]) -> Any:
        from flows.what_if import evaluate_by_hand

        report = evaluate_by_hand(parse_model(PlanRequest, asked, source="The plan"))
        return report.model_dump(mode="json", exclude={"plan_file"})

    def _opened(self, asked: Mapping[str, Any]) -> str:
        from tasks.scenarios.task_save import find_sources

        request = parse_model(DeskRequest, asked, source="The plan")
        if not self._room.has(request.key):
            wanted = request.as_plan()
            sources = find_sources(wanted)
            settings = sources[0].spec.optimizer
            if request.horizon is not None:
                settings = settings.model_copy(update={"horizon": request.horizon})
            self._room.open(request.key, sources, wanted.model_copy(update={"settings": settings}))
        return request.key


def serve(lines: IO[str], answers: IO[str]) -> None:
    """Answer line after line until there are no more."""
    desks = Desks()
    for line in lines:
        answers.write(json.dumps(desks.answer(line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    # What a library prints must not stand among the answers.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, channel)
