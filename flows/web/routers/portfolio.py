"""Portfolio: what became of each brand in the newest run of many refits."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from flows.api.problems import public_text
from flows.web.rendering import address, render
from flows.web.tables import Column, Kind, Link, Table
from flows.web.timeline import format_duration
from schemas.answers.portfolio import BrandResult
from tasks.query.portfolios import find_portfolio
from tasks.query.runs import all_runs

router = APIRouter()


@router.get("/portfolio")
def show(request: Request, portfolio_id: str | None = None) -> Response:
    """Show the newest summary."""
    found = find_portfolio(portfolio_id or None)
    if found is None:
        return render(request, "portfolio_none", title="Portfolio")
    report = found.report
    return render(
        request, "portfolio", title=f"Portfolio {report.portfolio_id}", report=report,
        begun=found.begun, others=found.others,
        brands=_table(report.brands, {run.dataset_id for run in all_runs()}),
        took=format_duration(report.seconds),
        headline=[(str(o).capitalize(), str(n), "") for o, n in report.counted.items()],
    )  # fmt: skip


def _table(brands: list[BrandResult], known: set[str]) -> Table:
    return Table(
        "brands",
        [
            Column("Brand"), Column("Outcome"), Column("Verdict", Kind.MARK), Column("Champion"),
            Column("ROAS that moved most"), Column("Advice"),
            Column("Took"), Column("Why", Kind.LONG),
        ],
        [
            (
                _page_of(each, known),
                f"{each.outcome}, done before" if each.is_earlier else each.outcome,
                each.verdict,
                each.champion and f"{each.champion}{'' if each.became_champion else ' stays'}",
                _largest_move(each),
                each.advice,
                format_duration(each.seconds),
                _reason(each),
            )
            for each in brands
        ],
    )  # fmt: skip


def _page_of(brand: BrandResult, known: set[str]) -> Link | str:
    """Return a brand with its page: results, or its runs where it has none of this portfolio."""
    if brand.run_id:
        return Link(brand.dataset_id, f"/results/{brand.run_id}")
    if brand.dataset_id in known:
        return Link(brand.dataset_id, address("/run", dataset_id=brand.dataset_id))
    return brand.dataset_id


def _largest_move(brand: BrandResult) -> str | None:
    if brand.roas_channel is None or brand.roas_change is None:
        return None
    return f"{brand.roas_channel} {100 * brand.roas_change:+.1f}\N{NO-BREAK SPACE}%"


def _reason(brand: BrandResult) -> str | None:
    """Return why a brand was not accepted, without where its spec lies on the server."""
    text = brand.reason
    if brand.spec_file:
        text = text.replace(brand.spec_file, Path(brand.spec_file).name)
    return public_text(text.replace(":\n- ", ": ").replace("\n- ", "; ")) or None
