"""Options that several verbs share."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DebugOption = Annotated[
    bool, typer.Option("--debug", envvar="MMM_DEBUG", help="Show tracebacks of errors.")
]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", metavar="ID", help="Only of this dataset.")
]
