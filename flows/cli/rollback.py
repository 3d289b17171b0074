"""The verbs by which a person decides on the champion: ``mmm accept``, ``mmm rollback``."""

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from schemas.documents.promotions import Promotion


def rollback(
    dataset: Annotated[str, typer.Option("--dataset", metavar="ID", help="Dataset.")],
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="VERSION", help="Version; default: the champion before."),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; kept in the history.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Give the champion alias back to an earlier version, or to a version by hand.

    Nothing is fitted or deleted. The next accepted refit becomes champion again.
    """

    def work(answer: TextIO) -> int:
        from tasks.publish.task_rollback import roll_back

        _answer(answer, roll_back(dataset, to=to, reason=reason), as_json=as_json)
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def accept(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="Run under REVIEW.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="What was looked at; kept.")
    ],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Accept what stands against a run under REVIEW: its version becomes champion.

    A run that its gates rejected cannot be accepted.
    """

    def work(answer: TextIO) -> int:
        from tasks.publish.task_rollback import accept_run

        _answer(answer, accept_run(run_id, reason=reason), as_json=as_json)
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)


def _answer(answer: TextIO, row: "Promotion", *, as_json: bool) -> None:
    from schemas.answers.decisions import DecidedChampion

    decided = DecidedChampion.of(row)
    if as_json:
        process.print_answer(answer, decided)
        return
    before = "none" if row.from_version is None else f"{row.dataset_id}@{row.from_version}"
    place = "as before" if row.from_version == row.version else f"in place of {before}"
    answer.write(f"champion   {decided.champion} (run {row.run_id}), {place}: {row.reason}\n")
