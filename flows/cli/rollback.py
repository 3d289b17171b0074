"""The verb that takes a promotion back: ``mmm rollback``."""

from typing import Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption


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
        from tasks.rollback.task import roll_back

        row = roll_back(dataset, to=to, reason=reason)
        if as_json:
            champion = f"{row.dataset_id}@{row.version}"
            process.print_json(answer, {**row.model_dump(mode="json"), "champion": champion})
        else:
            answer.write(
                f"champion   {row.dataset_id}@{row.version} (run {row.run_id}), in place of "
                f"{row.dataset_id}@{row.from_version}: {row.reason}\n"
            )
        return 0

    process.run_verb(work, as_json=as_json, debug=debug)
