"""``mmm compare``: runs of any kinds side by side, as tables, JSON or one page."""

from pathlib import Path
from typing import Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption


def compare(
    run_ids: Annotated[
        list[str],
        typer.Argument(metavar="RUN_ID...", help="Two or more of `mmm runs`."),
    ],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one page as well.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a page that exists.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Compare runs of one dataset, of any model kinds.

    Verdicts, ROAS, contributions, curves, fit and forecast scores, plans, and what differs in spec
    and snapshot.
    """

    def work(answer: TextIO) -> int:
        from flows.cli.render import comparison, comparison_page
        from tasks.query.comparison import compare_any_runs
        from tasks.query.export import write_page

        found = compare_any_runs(run_ids)
        if html is not None:
            write_page(html, comparison_page.render_page(found), force=force)
        if as_json:
            process.print_answer(answer, found)
        else:
            answer.write(comparison.render_comparison(found))
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)
