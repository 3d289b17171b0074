"""The ``mmm`` command: its verbs (``flows.cli_*``), its help, its exit code.

Imports stay light: Prefect, MLflow and pandas are imported inside the verbs that need them, so
that ``mmm --help`` answers at once.
"""

import atexit
import os
import sys
from typing import Annotated

import typer

from flows.absent import forgo_dask
from flows.cli import (
    backfill,
    backtest,
    compare,
    explain,
    frames,
    init,
    plan,
    portfolio,
    process,
    prune,
    recover,
    refit,
    repair,
    rollback,
    runs,
    score,
    serve,
    ui,
)
from flows.collector import spare_collector
from flows.services.leaving import Leave

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
  mmm init --data panel.csv                      a run spec for your file, guessed and commented
  mmm validate --data panel.csv                  is the file fit for a model?
  mmm refit --spec data/demo/run_spec.yaml       the whole job, on the demo panel
  mmm runs                                       what ran, newest first
  mmm show RUN_ID                                verdict, ROAS, diagnostics, gates
  mmm plan --dataset demo                        where the next money should go
  mmm plan --dataset demo --set tv=-10%          what if?
  mmm scenarios                                  plans that were saved
  mmm score                                      how good earlier forecasts were, and alarms
  mmm explain RUN_A RUN_B                        why did ROAS change between two runs?
  mmm compare RUN_A RUN_B                        runs of any model kinds side by side
  mmm stability --dataset demo                   how far refits move, and how far chance does
  mmm accept RUN_ID --reason TEXT                a run under REVIEW becomes champion
  mmm rollback --dataset demo                    the champion before this one again
  mmm portfolio --file portfolio.yaml            many brands side by side
  mmm backfill --spec FILE --from DATE --to DATE past weeks, as of their date
  mmm backtest --spec FILE --kind mmm --kind ridge  fitted at past dates, scored on what came
  mmm recover --spec FILE                        can this data answer the question?
  mmm export RUN_ID --format csv --out DIR       tables for a spreadsheet
  mmm prune --dry-run                            which old files may go, and why
  mmm repair                                     put back a damaged warehouse, wrong dates
  mmm ui                                         Prefect and MLflow in the browser
  mmm serve                                      the REST API; mmm token makes who may ask

\b
What a file needs: entity_id, period_start, a KPI column (default: sales), and act_* (activity),
spend_* (money) and ctrl_* (controls) columns. Other names are mapped in the run spec,
which `mmm init` proposes.

\b
Exit codes
  0  done and accepted
  2  invalid input or spec; the message names file, column, row and rule
  3  the fit was rejected by a gate; the champion is unchanged
  4  a lock or a required service could not be had
  1  anything else

\b
State lives in MMM_HOME (default: the checkout). --json prints one JSON object as the last line of
stdout; everything else goes to stderr: a line per stage, or logs with -v.
""",
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        Exit code.
    """
    if argv is not None:
        return _dispatch(argv)
    spare_collector()
    forgo_dask()
    # What a home holds is its owner's business: MMM_UMASK=027 lets a group read it.
    os.umask(_umask())
    leave = Leave()
    # First in, so last out: after Prefect has sent its logs and the ephemeral API has ended.
    atexit.register(leave)
    leave.code = frames.call_in_one_piece(lambda: _dispatch(sys.argv[1:]))
    return leave.code


def _umask() -> int:
    stated = os.environ.get("MMM_UMASK", "077")
    try:
        return int(stated, 8) & 0o777
    except ValueError:
        sys.stderr.write(f"mmm: MMM_UMASK={stated!r} is no octal number such as 027.\n")
        raise SystemExit(process.EXIT_INVALID) from None


def _dispatch(arguments: list[str]) -> int:
    try:
        code = app(_without_verbose(arguments), standalone_mode=False, prog_name="mmm")
    except KeyboardInterrupt:
        return process.EXIT_OTHER
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return process.report_usage_error(error, as_json="--json" in arguments)
    return int(code or 0)


def _without_verbose(arguments: list[str]) -> list[str]:
    """Take ``-v`` from wherever it stands: every verb has it, and none reads it itself."""
    kept = [word for word in arguments if word not in ("-v", "--verbose")]
    if len(kept) < len(arguments):
        os.environ[process.VERBOSE_VARIABLE] = "1"
    return kept


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


for verb in (
    init.init, refit.validate, refit.refit, runs.runs, runs.show, plan.plan,
    plan.scenarios, score.score, runs.export, ui.ui,
    rollback.accept, rollback.rollback, explain.explain, explain.stability, compare.compare,
    portfolio.portfolio, backfill.backfill, backtest.backtest, recover.recover, prune.prune,
    repair.repair,
    serve.serve, serve.token,
):  # fmt: skip
    app.command()(verb)


if __name__ == "__main__":
    sys.exit(main())
