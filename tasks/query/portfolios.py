"""Portfolios: what became of each brand, as the newest summary says."""

from typing import NamedTuple

from schemas.answers.portfolio import PortfolioReport, PortfolioRun
from schemas.errors import UnknownRunError
from schemas.hints import suggest
from tasks.store.home import current_home
from tasks.store.runs import portfolios


class ShownPortfolio(NamedTuple):
    """The newest summary of a portfolio, and the run that has begun since and not ended."""

    report: PortfolioReport
    begun: PortfolioRun | None
    others: list[str]
    """Portfolios that have a summary, this one among them."""


def find_portfolio(portfolio_id: str | None = None) -> ShownPortfolio | None:
    """Return the newest summary of a portfolio, by default of the newest; None without any.

    Raises
    ------
    UnknownRunError
        Naming the nearest portfolio.
    """
    home = current_home()
    reports = {report.portfolio_id: report for report in portfolios.list_summaries(home)}
    if portfolio_id is not None and portfolio_id not in reports:
        hint = suggest(portfolio_id, reports, f"there is one of: {', '.join(reports) or 'none'}.")
        raise UnknownRunError(f"No summary of a portfolio {portfolio_id!r}; {hint}")
    chosen = portfolio_id or next(iter(reports), None)
    if chosen is None:
        return None
    newest = portfolios.find_newest(home, chosen)
    begun = newest if newest and newest.ended_at is None else None
    return ShownPortfolio(reports[chosen], begun, sorted(reports))
