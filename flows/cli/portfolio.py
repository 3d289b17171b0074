"""The verb that refits many brands: ``mmm portfolio``."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.answers.portfolio import BrandResult, PortfolioReport
    from schemas.spec.portfolio import PortfolioRequest


def portfolio(
    file: Annotated[Path, typer.Option("--file", help="Portfolio, YAML or JSON.")],
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Use what was known on this date."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Brands at once; default: as the file says.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also refit brands that are done already on this date.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Refit many brands side by side; one that fails, hangs or dies stops no other.

    The same command again goes on with brands that were not finished. The exit code is that of the
    worst brand: 1 failed, 4 unavailable, 2 bad input, 3 rejected, 0 when all were accepted.
    """

    def work(answer: TextIO) -> int:
        from flows.cli.render.portfolios import render_portfolio
        from schemas.spec.errors import parse_model
        from schemas.spec.portfolio import PortfolioRequest

        asked = {
            "file": str(file.expanduser().resolve()),
            "as_of": as_of.date() if as_of else None,
            "workers": workers,
            "again": again,
        }
        request = parse_model(PortfolioRequest, asked, source="The portfolio")
        _read_first(file)
        report = process.call_flow(_open_flow, request, engines=())
        if as_json:
            document = {**report.model_dump(mode="json"), "exit_code": report.exit_code}
            process.print_json(answer, document)
        else:
            answer.write(render_portfolio(report) + "\n")
        return report.exit_code

    process.run_verb(work, as_json=as_json, debug=debug)


def _read_first(file: Path) -> None:
    """Refuse a portfolio that cannot be used before any server is started."""
    from tasks.query.runs import load_portfolio

    load_portfolio(file)


def _open_flow() -> "Callable[[PortfolioRequest], PortfolioReport]":
    from flows import portfolio as flows

    if _show_brand not in flows.listeners:
        flows.listeners.append(_show_brand)
    return flows.refit_portfolio  # type: ignore[return-value]  # Prefect unwraps the state


def _show_brand(result: "BrandResult", n_done: int, n_brands: int) -> None:
    from flows.cli.render.portfolios import render_progress

    sys.stderr.write(render_progress(result, n_done, n_brands) + "\n")
    sys.stderr.flush()
