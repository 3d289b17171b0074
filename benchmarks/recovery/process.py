"""Measure in a fresh process: a module takes one JSON object and prints one as its last line."""

import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any


class CellError(RuntimeError):
    """The process of a cell ended with an error; the message is its last words."""


def run_cell(
    module: str, cell: Mapping[str, Any], *, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run ``python -m module`` on one cell and return its figures.

    Parameters
    ----------
    module
        Its ``main`` calls ``answer``.
    cell
        What to measure.
    environment
        Variables on top of this process's own.

    Raises
    ------
    CellError
        If the process fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(dict(cell))],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise CellError(words[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def answer(measure: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Print the figures of the cell given as JSON; nothing else goes to stdout after it."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(json.dumps(measure(json.loads(sys.argv[1]))), flush=True)
    # Worker threads of compilers may outlive their use; the figures are out, so nothing is waited.
    os._exit(0)
