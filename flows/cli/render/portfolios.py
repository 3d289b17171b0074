"""How a portfolio looks on a terminal: a line per brand as it ends, then one table."""

from flows.cli.render.terminal import render_table, shown_path
from schemas.answers.portfolio import BrandOutcome, BrandResult, PortfolioReport
from schemas.words import format_number

_HEADER = ["dataset", "outcome", "verdict", "champion", "ROAS moved most", "advice", "seconds"]
_LONGEST_REASON = 160


def render_progress(result: BrandResult, n_done: int, n_brands: int) -> str:
    """Render the line of a brand that has ended."""
    width = len(str(n_brands))
    state = "already done" if result.is_earlier else result.outcome.value
    facts = [f"{result.verdict}" if result.verdict else "", _champion(result), _seconds(result)]
    said = "  ".join(part for part in facts if part and part != "–")
    failed = result.outcome is not BrandOutcome.ACCEPTED and result.reason
    reason = f"  {_first_line(result.reason)}" if failed else ""
    return f"{n_done:>{width}}/{n_brands}  {result.dataset_id:<24} {state:<12} {said}{reason}"


def render_portfolio(report: PortfolioReport) -> str:
    """Render the table of a portfolio and the reasons for what was not accepted."""
    reasons = [
        f"- {brand.dataset_id}: {brand.reason}"
        for brand in report.brands
        if brand.reason and brand.outcome is not BrandOutcome.ACCEPTED
    ]
    n_refitted = _n_refitted(report)
    rate = f", {60 * n_refitted / report.seconds:.1f} a minute" if n_refitted else ""
    parts = [
        f"{report.portfolio_id}  {report.summary}  as of {report.as_of}",
        render_table(_HEADER, [_row(brand) for brand in report.brands]),
        *reasons,
        f"{n_refitted} refitted in {format_number(report.seconds)} s{rate}, "
        f"{report.workers} at once",
        f"summary    {shown_path(report.summary_csv)}",
        *([f"MLflow     run {report.mlflow_run_id} (mmm ui shows it)"] if report.mlflow_run_id
          else []),
        *([f"note: {report.note}"] if report.note else []),
    ]  # fmt: skip
    return "\n".join(parts)


def _n_refitted(report: PortfolioReport) -> int:
    return sum(brand.run_id is not None and not brand.is_earlier for brand in report.brands)


def _row(brand: BrandResult) -> list[str]:
    moved = "–"
    if brand.roas_channel is not None and brand.roas_change is not None:
        moved = f"{brand.roas_channel} {100 * brand.roas_change:+.1f}\N{NO-BREAK SPACE}%"
    return [
        brand.dataset_id,
        "already done" if brand.is_earlier else brand.outcome.value,
        brand.verdict.value if brand.verdict else "–",
        _champion(brand),
        moved,
        brand.advice.value if brand.advice else "–",
        _seconds(brand),
    ]


def _champion(brand: BrandResult) -> str:
    if brand.champion is None:
        return "–"
    return brand.champion if brand.became_champion else f"{brand.champion} stays"


def _seconds(brand: BrandResult) -> str:
    return f"{brand.seconds:.1f} s" if brand.seconds else "–"


def _first_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"
