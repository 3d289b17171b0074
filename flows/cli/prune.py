"""The verb that removes old files: ``mmm prune``."""

import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DatasetOption, DebugOption, JsonOption
from schemas.errors import ResourceUnavailableError, SpecError


def prune(
    dataset: DatasetOption = None,
    spec: Annotated[
        Path | None,
        typer.Option("--spec", help="Run spec whose dataset is pruned by its block `retention`."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go; change nothing.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Remove files of old runs, plans and landed data that nothing rests on any more.

    Without --spec the policy is that of the dataset's newest run. Rows of the warehouse stay.
    """

    def work(answer: TextIO) -> int:
        from flows.cli.render.prunings import render_pruning
        from flows.prune_now import prune_now
        from tasks.query.runs import load_spec

        if dataset is not None and spec is not None:
            raise SpecError("--dataset and --spec: the spec names its dataset; give one of them.")
        loaded = load_spec(spec) if spec else None
        named = loaded.dataset_id if loaded else dataset
        report = prune_now(named, loaded.retention if loaded else None, dry_run=dry_run)
        if as_json:
            process.print_answer(answer, report)
        else:
            answer.write(render_pruning(report) + "\n")
        if not report.busy:
            return 0
        sys.stderr.write(
            f"mmm: {', '.join(report.busy)} was left alone, because a refit or a rollback of it "
            "holds its lock; prune again when that has ended.\n"
        )
        return ResourceUnavailableError.exit_code

    process.run_verb(work, as_json=as_json, debug=debug)
