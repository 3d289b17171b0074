"""How the process answers and ends: one stdout for answers, stderr for the rest, exit codes.

Belongs here: the guard of standard output, errors, the call of a flow, the end of the process.
Does not: what a verb does (``flows.cli_*``), how results look (``flows.cli.render.terminal``).
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

import typer
from pydantic import BaseModel

from schemas.errors import MmmError
from tasks.store.redaction import redact, redact_tree

VERBOSE_VARIABLE = "MMM_VERBOSE"
"""Set by `-v`; any value shows logs."""
EXIT_OTHER = 1
EXIT_INVALID = 2
EXIT_REJECTED = 3


def run_verb(
    work: Callable[[TextIO], int], *, as_json: bool, debug: bool, keeps_logs: bool = False
) -> None:
    """Run one verb, its standard output guarded and its errors reported; ends with its exit code.

    Parameters
    ----------
    work
        Takes the stream for the answer and returns the exit code.
    as_json
        Report an error as a JSON object, too.
    debug
        Report an error with its traceback, and show logs.
    keeps_logs
        Show logs in any case: a verb that serves for hours has no stages to report.
    """
    for name in ("flows", "tasks"):
        logging.getLogger(name).setLevel(logging.INFO)
    if not (debug or keeps_logs or os.environ.get(VERBOSE_VARIABLE)):
        _show_stages_alone()
    with answers_only() as answer:
        try:
            code = work(answer)
        except (Exception, KeyboardInterrupt) as error:
            code = report_error(error, answer=answer, as_json=as_json, debug=debug)
        finally:
            answer.flush()
    raise typer.Exit(code)


def _show_stages_alone() -> None:
    """Show one line per stage in place of logs; Prefect's API gets all of them as before."""
    from flows import timing

    # Read when Prefect is imported, which is later. An error is reported once, by `report_error`.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    if not timing.listeners:
        timing.listeners.append(_report_stage)


def _report_stage(name: str, seconds: float) -> None:
    sys.stderr.write(f"{name.replace('_', ' '):<20} {seconds:6.1f} s\n")
    sys.stderr.flush()


def call_flow[Request, Report](
    open_flow: Callable[[], Callable[[Request], Report]],
    request: Request,
    *,
    engines: Sequence[str],
) -> Report:
    """Start Prefect's API while a flow's heavy modules are imported, then run the flow.

    Parameters
    ----------
    open_flow
        Imports the flow's module and returns the flow.
    request
        What the flow is asked.
    engines
        Libraries that its tasks import late.
    """
    return prepare_flow(open_flow, engines=engines)(request)


def prepare_flow[Request, Report](
    open_flow: Callable[[], Callable[[Request], Report]], *, engines: Sequence[str]
) -> Callable[[Request], Report]:
    """Return the flow once all that it needs to begin is there; parameters as ``call_flow``.

    Raises
    ------
    MmmError
        If the home cannot be written to, or Prefect's API does not answer.
    """
    from flows.collector import keep_what_is_imported
    from flows.engines import import_engines
    from flows.services import servers
    from flows.services.heartbeats import without_heartbeats
    from tasks.store.home import current_home
    from tasks.store.storage import require_writable

    require_writable(current_home())
    service = servers.start_ephemeral_api()
    flow = open_flow()
    import_engines(engines)
    keep_what_is_imported()
    servers.require_prefect_api(service)
    if service is None:
        return flow

    def start(request: Request) -> Report:
        with without_heartbeats():
            return flow(request)

    return start


@contextmanager
def answers_only() -> Iterator[TextIO]:
    """Yield the real standard output; everything else that is printed goes to standard error.

    Libraries and child processes write to file descriptor 1 past Python, so it is redirected too.
    """
    answer = sys.stdout
    if _descriptor(answer) != 1:
        with redirect_stdout(sys.stderr):
            yield answer
        return
    answer.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with (
            os.fdopen(os.dup(saved), "w", encoding="utf-8", errors="backslashreplace") as direct,
            redirect_stdout(sys.stderr),
        ):
            yield direct
    finally:
        os.dup2(saved, 1)
        os.close(saved)


def print_json(answer: TextIO, document: Mapping[str, Any]) -> None:
    """Print one JSON object on one line."""
    answer.write(json.dumps(document, default=str, allow_nan=False) + "\n")
    answer.flush()


def print_answer(answer: TextIO, document: BaseModel) -> None:
    """Print a typed answer as one JSON object on one line."""
    print_json(answer, document.model_dump(mode="json"))


def report_error(error: BaseException, *, answer: TextIO, as_json: bool, debug: bool) -> int:
    """Report an error on standard error (and as JSON where asked) and return its exit code."""
    code = error.exit_code if isinstance(error, MmmError) else EXIT_OTHER
    message = str(error) or type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        message = "Interrupted; `mmm runs` says how far the run came."
    elif not isinstance(error, MmmError):
        message = (
            f"Unexpected {type(error).__name__}: {message}\nRun it again with --debug to see where."
        )
    findings = [f for f in getattr(error, "findings", []) if f.message not in message]
    lines = [f"mmm: {message}", *(f"- {finding.line()}" for finding in findings)]
    if debug:
        lines.append("".join(traceback.format_exception(error)))
    sys.stderr.write(redact("\n".join(lines)) + "\n")
    if as_json:
        print_json(answer, redact_tree(error_document(error, message, code)))
    return code


def error_document(error: BaseException, message: str, code: int) -> dict[str, Any]:
    """Return what ``--json`` prints instead of a result."""
    return {
        "status": "ERROR",
        "exit_code": code,
        "error": {
            "type": type(error).__name__,
            "message": message,
            "problems": list(getattr(error, "problems", [])),
            "findings": [f.model_dump(mode="json") for f in getattr(error, "findings", [])],
        },
    }


def report_usage_error(error: Exception, *, as_json: bool) -> int:
    """Report a wrong option as any other invalid input."""
    code = int(getattr(error, "exit_code", 2))
    message = error.format_message()  # type: ignore[attr-defined]
    if message:
        sys.stderr.write(f"mmm: {message}\nTry `mmm --help`.\n")
    if as_json:
        print_json(sys.stdout, error_document(error, message, code))
    return code


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
