"""The verb of the first minute: ``mmm init``."""

from pathlib import Path
from typing import Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption


def init(
    data: Annotated[Path, typer.Option("--data", help="CSV, Parquet or Excel file.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Spec to write; default: beside the file, as FILE.yaml."),
    ] = None,
    kpi: Annotated[
        str | None, typer.Option("--kpi", metavar="COLUMN", help="The KPI, where it is not found.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Excel sheet; default: the first.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a spec that is there.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look at a file and write a commented run spec for it: columns, KPI, channels, controls."""

    def work(answer: TextIO) -> int:
        from flows.cli.render.guesses import render_guess
        from flows.guess_spec import guess_spec

        path = data.expanduser().resolve()
        spec = (out or path.with_suffix(".yaml")).expanduser()
        written = guess_spec(
            path, spec.parent.resolve() / spec.name, sheet=sheet, kpi=kpi, overwrite=force
        )
        if as_json:
            process.print_answer(answer, written)
        else:
            answer.write(render_guess(written))
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)
