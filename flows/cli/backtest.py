"""``mmm backtest``: specs and kinds fitted at past dates, scored on what came after."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.answers.backtest import BacktestReport
    from schemas.spec.backtest import BacktestRequest


def backtest(
    spec: Annotated[
        list[Path], typer.Option("--spec", help="Run spec, JSON or YAML; may be given again.")
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Model kind for every spec; may be given again."),
    ] = None,
    slices: Annotated[int, typer.Option("--slices", help="Dates to fit at.")] = 12,
    horizon: Annotated[int, typer.Option("--horizon", help="Periods scored after each.")] = 4,
    step: Annotated[int, typer.Option("--step", help="Periods from one date to the next.")] = 4,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Fits at once; default: cores and memory.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="True curves of simulated data, to score advice by."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Fit specs and model kinds at past dates and score what they said of the periods after.

    Each date uses what the warehouse knew on its day, where it knew it. Scores are given the media
    that really ran. Fits run side by side; an interrupted backtest takes over those that had ended.
    """

    def work(answer: TextIO) -> int:
        from flows import engines
        from flows.cli.render.backtests import render_backtest
        from schemas.spec.backtest import BacktestRequest
        from schemas.spec.errors import parse_model
        from tasks.query.runs import allow_named

        asked = {
            "spec_files": [allow_named(path) for path in spec],
            "kinds": kind or [],
            "n_slices": slices,
            "horizon": horizon,
            "step": step,
            "workers": workers,
            "truth_file": None if truth is None else allow_named(truth),
        }
        request = parse_model(BacktestRequest, asked, source="The backtest")
        report = process.call_flow(_open_flow, request, engines=engines.EXPLAIN)
        if as_json:
            process.print_answer(answer, report)
        else:
            answer.write(render_backtest(report) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def _open_flow() -> "Callable[[BacktestRequest], BacktestReport]":
    from flows.backtest import backtest as flow

    return flow
