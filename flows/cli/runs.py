"""The verbs that read what runs left behind: ``mmm runs``, ``mmm show``, ``mmm export``."""

from pathlib import Path
from typing import Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DatasetOption, DebugOption, JsonOption


def runs(
    dataset: DatasetOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """List runs, newest first."""

    def work(answer: TextIO) -> int:
        from flows.cli.render import terminal
        from tasks.query.runs import list_all_runs

        found = list_all_runs(dataset)
        if as_json:
            process.print_answer(answer, found)
        else:
            answer.write(terminal.render_runs(found.runs) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def show(
    run_id: Annotated[str, typer.Argument(help="Run id, as `mmm runs` lists it.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show one run: verdict and reasons, ROAS, diagnostics, gates, files."""

    def work(answer: TextIO) -> int:
        from flows.cli.render import terminal
        from tasks.query.runs import summarize_run

        summary = summarize_run(run_id)
        if as_json:
            process.print_answer(answer, summary)
        else:
            answer.write(terminal.render_run(summary) + "\n")
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def export(
    run_id: Annotated[str, typer.Argument(help="Run id, as `mmm runs` lists it.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made if absent.")],
    file_format: Annotated[
        str, typer.Option("--format", help="csv, json, or html: the report.")
    ] = "csv",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    keep_formulas: Annotated[
        bool,
        typer.Option(
            "--keep-formulas",
            help="Leave text in CSV that begins like a formula as it is; by default it gets a ' "
            "before it, so that no spreadsheet runs it.",
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the tables of a run with a data dictionary, or its report.

    Contributions, fitted values, ROAS, response curves, forecast, plan, diagnostics.
    """

    def work(answer: TextIO) -> int:
        from tasks.query.runs import export_run

        written = export_run(
            run_id, file_format=file_format, out=out, force=force, keep_formulas=keep_formulas
        )
        if as_json:
            process.print_answer(answer, written)
        else:
            answer.write("".join(f"{path}\n" for path in written.files))
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)
