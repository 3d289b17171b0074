"""The verb that replays the past: ``mmm backfill``."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.answers.backfill import BackfillReport, BackfillRequest


def backfill(
    spec: Annotated[Path, typer.Option("--spec", help="Run spec, JSON or YAML.")],
    first: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First as-of date; its weekday is kept."),
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last as-of date at most.")
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="File to take in on the first date; default: the warehouse."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also replay what is done already, as further runs.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Replay past weeks, each as of its date, the oldest first.

    A week that is done already with the same data, spec and code is not repeated; one that fails or
    is rejected does not stop the next. The exit code is that of the worst week.
    """

    def work(answer: TextIO) -> int:
        from flows import engines
        from flows.cli.render.backfills import render_backfill
        from schemas.answers.backfill import BackfillRequest
        from schemas.spec.errors import parse_model
        from tasks.query.runs import load_spec, locate_data

        loaded = load_spec(spec)
        # Only a file that is named: the data of the spec are those of today.
        path = locate_data(loaded, spec_path=spec, override=data) if data else None
        asked = {
            "spec_file": str(spec.resolve()),
            "first_date": first.date(),
            "last_date": last.date(),
            "data": str(path) if path else None,
            "again": again,
        }
        request = parse_model(BackfillRequest, asked, source="The backfill")
        report = process.call_flow(_open_flow, request, engines=engines.REFIT)
        if as_json:
            document = {**report.model_dump(mode="json"), "exit_code": report.exit_code}
            process.print_json(answer, document)
        else:
            answer.write(render_backfill(report) + "\n")
        return report.exit_code

    process.run_verb(work, as_json=as_json, debug=debug)


def _open_flow() -> "Callable[[BackfillRequest], BackfillReport]":
    from flows.backfill import backfill as flow

    return flow  # type: ignore[return-value]  # Prefect unwraps the state that the flow returns
