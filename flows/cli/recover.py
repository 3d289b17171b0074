"""``mmm recover``: whether these data can answer the question."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.answers.recovery import RecoveryReport
    from schemas.spec.recover import RecoverRequest


def recover(
    spec: Annotated[Path, typer.Option("--spec", help="Run spec, JSON or YAML.")],
    worlds: Annotated[
        int, typer.Option("--worlds", help="Simulated KPIs; each is refitted once.")
    ] = 20,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Can this data answer the question? Simulated KPIs with known truth are refitted.

    Media and controls are the real ones; effects are drawn from the champion's posterior, or from
    the priors before a first refit; some worlds are unlike the model. Says of every channel how
    wrong its return would be, how often it would look effective without being so, what collinearity
    costs, and what one lift test would bring. An interrupted check takes over the refits that had
    ended.
    """

    def work(answer: TextIO) -> int:
        from flows import engines
        from flows.cli.render.recoveries import render_recovery
        from schemas.spec.errors import parse_model
        from schemas.spec.recover import RecoverRequest
        from tasks.query.runs import allow_named

        asked = {"spec_file": allow_named(spec), "n_worlds": worlds}
        request = parse_model(RecoverRequest, asked, source="The check")
        report = process.call_flow(_open_flow, request, engines=engines.EXPLAIN)
        if as_json:
            process.print_answer(answer, report)
        else:
            answer.write(render_recovery(report) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def _open_flow() -> "Callable[[RecoverRequest], RecoveryReport]":
    from flows.recover import recover as flow

    return flow
