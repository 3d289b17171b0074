"""Portfolio: the newest summary as a page."""

from datetime import UTC, date, datetime, timedelta

from schemas.answers.portfolio import BrandOutcome, BrandResult, PortfolioReport
from schemas.spec.portfolio import Runner
from tasks.store.files.artifacts import write_document
from tasks.store.runs import portfolios
from tasks.store.runs.status import start_run

MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)


def record(home, portfolio_id, moment, *brands):
    run = portfolios.begin_portfolio(home, portfolio_id, "f" * 64, as_of=None, now=moment)
    report = PortfolioReport(
        portfolio_id=portfolio_id, portfolio_run_id=run.portfolio_run_id, as_of=date(2026, 11, 16),
        runner=Runner.PROCESS, workers=2, brands=list(brands), seconds=95.0,
        summary_csv=str(home.root / "summary.csv"),
    )  # fmt: skip
    folder = portfolios.folder_of(home, run.portfolio_run_id)
    write_document(home, folder / portfolios.SUMMARY_JSON, report)
    portfolios.end_portfolio(home, run, moment + timedelta(seconds=95))
    return run


ACCEPTED = BrandResult(
    dataset_id="coffee", outcome=BrandOutcome.ACCEPTED, verdict="PASS", champion="coffee@3",
    became_champion=True, roas_channel="tv", roas_change=0.12, advice="follow", seconds=31.0,
    run_id="coffee-1",
)  # fmt: skip


def test_without_a_portfolio_the_page_says_how_to_begin(web, home):
    assert "refit-portfolio of Prefect" in web.page("/portfolio")


def test_each_brand_stands_with_what_became_of_it_and_why(web, home):
    where = str(home.root / "specs" / "tea.yaml")
    bad = BrandResult(
        dataset_id="tea", outcome=BrandOutcome.INVALID, spec_file="/srv/brands/tea.yaml",
        reason=f"/srv/brands/tea.yaml: no <b>KPI</b>; see {where}",
    )  # fmt: skip
    record(home, "group", MONDAY, ACCEPTED, bad)
    page = web.page("/portfolio")
    assert '<a href="/results/coffee-1">coffee</a>' in page
    assert "coffee@3" in page
    assert "tv +12.0\N{NO-BREAK SPACE}%" in page
    assert "bad input" in page
    assert "tea.yaml: no &lt;b&gt;KPI&lt;/b&gt;" in page
    assert "/srv/brands" not in page
    assert str(home.root) not in page


def test_a_brand_that_was_not_fitted_leads_to_its_runs_and_says_every_finding(web, home):
    start_run(home, "tea-1", "tea")
    said = "The data cannot be used (2 findings):\n- a gap. Add it.\n- a text. Write a number."
    record(home, "group", MONDAY, BrandResult(dataset_id="tea", outcome=BrandOutcome.INVALID,
                                              reason=said))  # fmt: skip
    page = web.page("/portfolio")
    assert '<a href="/run?dataset_id=tea">tea</a>' in page
    assert "(2 findings): a gap. Add it.; a text. Write a number." in page


def test_the_newest_is_shown_others_are_named_and_one_at_work_is_said(web, home):
    record(home, "group", MONDAY, ACCEPTED)
    record(home, "agency", MONDAY + timedelta(days=1), ACCEPTED)
    begun = MONDAY + timedelta(days=7)
    portfolios.begin_portfolio(home, "agency", "e" * 64, as_of=None, now=begun)
    page = web.page("/portfolio")
    assert "Portfolio agency" in page
    assert "has not ended" in page
    assert "<option>group</option>" in page
    assert "has not ended" not in web.page("/portfolio?portfolio_id=group")
    assert "did you mean" in web.page("/portfolio?portfolio_id=groupp", 404)
