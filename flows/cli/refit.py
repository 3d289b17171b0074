"""The verbs that take data in: ``mmm validate`` and ``mmm refit``."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.documents.results import RefitReport
    from schemas.errors import SpecError
    from schemas.spec.refit_request import RefitRequest

DataOption = Annotated[
    Path | None, typer.Option("--data", help="CSV, Parquet or Excel file; overrides the spec's.")
]


def validate(
    data: DataOption = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", help="Run spec; without it, columns go by prefix.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check a file against all data rules; stores nothing."""

    def work(answer: TextIO) -> int:
        from flows.cli.render import terminal
        from schemas.errors import SpecError
        from schemas.outcomes import Verdict
        from schemas.spec.run_spec import RunSpec
        from tasks.query.runs import load_spec, locate_data

        loaded = load_spec(spec) if spec else None
        path = locate_data(loaded or RunSpec(dataset_id="unnamed"), spec_path=spec, override=data)
        if path is None:
            where = "the spec names no data" if loaded else "there is no spec to name it"
            raise SpecError(f"--data: {where}; give --data FILE.")
        from tasks.validate.task_alone import prepare_check

        prepare_check()
        from flows.check_data import check_data

        result = check_data(loaded, str(path))
        if as_json:
            process.print_answer(answer, result)
        else:
            answer.write(terminal.render_validation(result, path))
        return process.EXIT_INVALID if result.verdict is Verdict.FAIL else 0

    process.run_verb(work, as_json=as_json, debug=debug)


def refit(
    spec: Annotated[
        Path | None, typer.Option("--spec", help="Run spec, JSON or YAML; `mmm init` makes one.")
    ] = None,
    data: DataOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Use what was known on this date."),
    ] = None,
    accept_restatement: Annotated[
        bool,
        typer.Option(
            "--accept-restatement",
            help="Accept a file that changes more of history than gates.data allow.",
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Refit one dataset: ingest, validate, fit, judge, explain, publish.

    A fit that a gate rejects ends with exit code 3 and leaves the champion as it is.
    """

    def work(answer: TextIO) -> int:
        from flows import engines

        if spec is None:
            raise _without_spec(data)
        with _reporting_what_never_begins(spec):
            request = _request(spec, data, _day(as_of), accept_restatement)
            start = process.prepare_flow(_open_flow, engines=engines.REFIT)
        return _report(start(request), answer, as_json=as_json)

    process.run_verb(work, as_json=as_json, debug=debug)


def _without_spec(data: Path | None) -> "SpecError":
    from schemas.errors import SpecError

    file = shlex.quote(str(data)) if data else "FILE"
    return SpecError(
        f"--spec is missing: `mmm init --data {file}` looks at the file and writes a spec for it; "
        "then `mmm refit --spec SPEC`."
    )


def _request(
    spec: Path, data: Path | None, as_of: date | None, accept_restatement: bool
) -> "RefitRequest":
    from schemas.spec.refit_request import RefitRequest
    from tasks.query.runs import load_spec, locate_data

    loaded = load_spec(spec)
    path = locate_data(loaded, spec_path=spec, override=data)
    return RefitRequest(
        spec=loaded,
        data=str(path) if path else None,
        as_of=as_of,
        accept_restatement=accept_restatement,
    )


@contextmanager
def _reporting_what_never_begins(spec: Path) -> Iterator[None]:
    """Notify of what ends a refit before its flow, which reports its own end, has begun.

    A file that was not delivered is the commonest of all failures, and comes at night.
    """
    try:
        yield
    except Exception as error:
        from flows import hooks

        hooks.notify_unstarted(error, spec)
        raise


def _open_flow() -> "Callable[[RefitRequest], RefitReport]":
    from flows.hooks import notify_failure
    from flows.refit_weekly import refit_weekly

    return refit_weekly.with_options(on_failure=[notify_failure])


def _report(report: "RefitReport", answer: TextIO, *, as_json: bool) -> int:
    from flows import hooks
    from flows.cli.render import terminal
    from tasks.query.runs import read_figures

    if as_json:
        process.print_answer(answer, report)
    else:
        answer.write(terminal.render_refit(report, read_figures(report.run_id)) + "\n")
    if report.verdict != "FAIL":
        return 0
    hooks.notify_rejection(report)
    champion = terminal.render_standing(report)
    reasons = "\n".join(f"- {reason}" for reason in report.reasons)
    sys.stderr.write(f"mmm: the fit was rejected; {champion}.\n{reasons}\n")
    return process.EXIT_REJECTED


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
