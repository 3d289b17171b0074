"""The ``mmm`` command: parse, call the flow or a read, turn errors into exit codes.

Imports stay light: Prefect, MLflow and pandas are imported inside the verbs that need them, so
that ``mmm --help`` answers at once.
"""

import atexit
import logging
import signal
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows import cli_process

if TYPE_CHECKING:
    from flows.services import Service
    from schemas.results import RefitReport
    from schemas.run_spec import RefitRequest

PREFECT_PORT = 4200
MLFLOW_PORT = 5000
EXIT_OTHER = 1
EXIT_INVALID = 2
EXIT_REJECTED = 3

_ANSWER: ContextVar[TextIO] = ContextVar("answer")
"""The real standard output while a verb runs."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    help="""\
Weekly Bayesian marketing-mix refits: a marketing panel goes in, a judged, tracked and explained
refit comes out. A bad week cannot replace a good model.

\b
First steps
  mmm validate --data panel.csv                  is the file fit for a model?
  mmm refit --spec data/demo/run_spec.yaml       the whole job, on the demo panel
  mmm runs                                       what ran, newest first
  mmm show RUN_ID                                verdict, ROAS, diagnostics, gates
  mmm export RUN_ID --format csv --out DIR       tables for a spreadsheet
  mmm ui                                         Prefect and MLflow in the browser

\b
What a file needs: entity_id, period_start, a KPI column (default: sales), and act_* (activity),
spend_* (money) and ctrl_* (controls) columns. Other names are mapped in the run spec.

\b
Exit codes
  0  done and accepted
  2  invalid input or spec; the message names file, column, row and rule
  3  the fit was rejected by a gate; the champion is unchanged
  4  a lock or a required service could not be had
  1  anything else

\b
State lives in MMM_HOME (default: the checkout). --json prints one JSON object as the last line of
stdout; everything else goes to stderr.
""",
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DebugOption = Annotated[
    bool, typer.Option("--debug", envvar="MMM_DEBUG", help="Show tracebacks of errors.")
]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", metavar="ID", help="Only runs of this dataset.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="CSV, Parquet or Excel file; overrides the spec's.")
]


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit code.
    """
    if argv is not None:
        return _dispatch(argv)
    leave = cli_process.Leave()
    # First in, so last out: after Prefect has sent its logs and the ephemeral API has ended.
    atexit.register(leave)
    leave.code = _dispatch(sys.argv[1:])
    return leave.code


def _dispatch(arguments: list[str]) -> int:
    try:
        code = app(arguments, standalone_mode=False, prog_name="mmm")
    except KeyboardInterrupt:
        return EXIT_OTHER
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return cli_process.report_usage_error(error, as_json="--json" in arguments)
    return int(code or 0)


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed

        try:
            typer.echo(f"steady-mmm {installed('steady-mmm')}")
        except PackageNotFoundError:
            typer.echo("steady-mmm (not installed; run from the checkout)")
        raise typer.Exit


@app.command()
def validate(
    data: Annotated[Path, typer.Option("--data", help="CSV, Parquet or Excel file.")],
    spec: Annotated[
        Path | None, typer.Option("--spec", help="Run spec; without it, columns go by prefix.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check a file against all data rules; stores nothing."""

    def work() -> int:
        from flows import cli_output
        from schemas.run_spec import RunSpec
        from tasks.retrieve.task import load_spec, locate_data

        loaded = load_spec(spec) if spec else None
        path = locate_data(loaded or RunSpec(dataset_id="unnamed"), spec_path=spec, override=data)
        from flows.check_data import check_data

        result = check_data(loaded, str(path))
        if as_json:
            cli_process.print_json(_ANSWER.get(), result)
        else:
            _ANSWER.get().write(cli_output.render_validation(result, data))
        return EXIT_INVALID if result["verdict"] == "FAIL" else 0

    _run(work, as_json=as_json, debug=debug)


@app.command()
def refit(
    spec: Annotated[Path, typer.Option("--spec", help="Run spec, JSON or YAML.")],
    data: DataOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Use what was known on this date."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Refit one dataset: ingest, validate, fit, judge, explain, publish.

    A fit that a gate rejects ends with exit code 3 and leaves the champion as it is.
    """

    def work() -> int:
        from schemas.run_spec import RefitRequest
        from tasks.retrieve.task import load_spec, locate_data

        loaded = load_spec(spec)
        path = locate_data(loaded, spec_path=spec, override=data)
        request = RefitRequest(spec=loaded, data=str(path) if path else None, as_of=_day(as_of))
        report = _call_flow(request)
        return _report_refit(report, as_json=as_json)

    _run(work, as_json=as_json, debug=debug)


@app.command()
def runs(
    dataset: DatasetOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """List runs, newest first."""

    def work() -> int:
        from flows import cli_output
        from tasks.retrieve.task import all_runs

        records = all_runs(dataset)
        if as_json:
            cli_process.print_json(
                _ANSWER.get(), {"runs": [r.model_dump(mode="json") for r in records]}
            )
        else:
            _ANSWER.get().write(cli_output.render_runs(records) + "\n")
        return 0

    _run(work, as_json=as_json, debug=debug)


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(help="Run id, as `mmm runs` lists it.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show one run: verdict and reasons, ROAS, diagnostics, gates, files."""

    def work() -> int:
        from flows import cli_output
        from tasks.retrieve.task import summarize_run

        summary = summarize_run(run_id)
        if as_json:
            cli_process.print_json(_ANSWER.get(), summary)
        else:
            _ANSWER.get().write(cli_output.render_run(summary) + "\n")
        return 0

    _run(work, as_json=as_json, debug=debug)


@app.command()
def export(
    run_id: Annotated[str, typer.Argument(help="Run id, as `mmm runs` lists it.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made if absent.")],
    file_format: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write contributions, fitted values, ROAS, diagnostics and a data dictionary."""

    def work() -> int:
        from tasks.retrieve.task import export_run

        paths = export_run(run_id, file_format=file_format, out=out, force=force)
        if as_json:
            cli_process.print_json(
                _ANSWER.get(), {"run_id": run_id, "files": [str(p) for p in paths]}
            )
        else:
            _ANSWER.get().write("".join(f"{p}\n" for p in paths))
        return 0

    _run(work, as_json=as_json, debug=debug)


@app.command()
def ui(
    prefect_port: Annotated[int, typer.Option("--prefect-port", min=1, max=65535)] = PREFECT_PORT,
    mlflow_port: Annotated[int, typer.Option("--mlflow-port", min=1, max=65535)] = MLFLOW_PORT,
    debug: DebugOption = False,
) -> None:
    """Start the Prefect server and the MLflow UI on 127.0.0.1; Ctrl-C ends both."""

    def work() -> int:
        from flows import services

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        started: list[Service] = []
        try:
            started = services.start_ui(prefect_port=prefect_port, mlflow_port=mlflow_port)
            answer = _ANSWER.get()
            answer.write("".join(f"{service.name:<15} {service.address}\n" for service in started))
            answer.write("Refits of this home appear in both. Ctrl-C ends both.\n")
            answer.flush()
            services.wait_until_one_ends(started)
        except KeyboardInterrupt:
            sys.stderr.write("Ending both.\n")
        finally:
            services.close_all(started)
        return 0

    _run(work, as_json=False, debug=debug)


def _run(work: Callable[[], int], *, as_json: bool, debug: bool) -> None:
    """Run one verb, its standard output guarded and its errors told; ends with its exit code."""
    for name in ("flows", "tasks"):
        logging.getLogger(name).setLevel(logging.INFO)
    with cli_process.answers_only() as answer:
        token = _ANSWER.set(answer)
        try:
            code = work()
        except (Exception, KeyboardInterrupt) as error:
            code = cli_process.report_error(error, answer=answer, as_json=as_json, debug=debug)
        finally:
            answer.flush()
            _ANSWER.reset(token)
    raise typer.Exit(code)


def _call_flow(request: "RefitRequest") -> "RefitReport":
    """Start Prefect's API while the flow's heavy modules are imported, then run the flow."""
    from flows import services

    service = services.start_ephemeral_api()
    from flows.refit_weekly import refit_weekly

    services.import_engines()
    services.require_prefect_api(service)
    return refit_weekly(request)


def _report_refit(report: "RefitReport", *, as_json: bool) -> int:
    from flows import cli_output
    from tasks.retrieve.task import read_summaries

    document = report.model_dump(mode="json")
    if as_json:
        cli_process.print_json(_ANSWER.get(), document)
    else:
        _ANSWER.get().write(cli_output.render_refit(document, read_summaries(report.run_id)) + "\n")
    if report.verdict != "FAIL":
        return 0
    champion = (
        f"{report.champion} stays champion" if report.champion else "there is still no champion"
    )
    reasons = "\n".join(f"- {reason}" for reason in report.reasons)
    sys.stderr.write(f"mmm: the fit was rejected; {champion}.\n{reasons}\n")
    return EXIT_REJECTED


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


if __name__ == "__main__":
    sys.exit(main())
