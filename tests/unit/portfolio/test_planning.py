"""What is planned before a portfolio begins: memory, brands named twice, what is done already."""

from datetime import UTC, date, datetime, timedelta

import pytest
from support.worlds import make_spec

from schemas.answers.portfolio import (
    BrandOutcome,
    BrandResult,
    PlannedBrand,
    PortfolioReport,
)
from schemas.spec.portfolio import Runner
from schemas.spec.refit_request import RefitRequest
from tasks.models.memory import (
    PROCESS_BYTES,
    count_workers,
    estimate_bytes,
    workers_of_equal_size,
)
from tasks.portfolio.summary import make_rows, refuse_repeats, write_csv
from tasks.store.inputs.table_size import measure_table
from tasks.store.runs import portfolios

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)


def brand(name, number, file):
    request = RefitRequest(spec=make_spec(dataset_id=name))
    return PlannedBrand(number=number, name=name, spec_file=file, request=request, key=name)


def result(name, outcome=BrandOutcome.ACCEPTED, **facts):
    return BrandResult(dataset_id=name, outcome=outcome, key=name, **facts)


def report(*results):
    return PortfolioReport(
        portfolio_id="group", portfolio_run_id="group-1", as_of=date(2026, 11, 30),
        runner=Runner.PROCESS, workers=2, brands=results, seconds=1.0, summary_csv="x",
    )  # fmt: skip


def test_both_brands_of_one_dataset_are_refused_whatever_the_case():
    first, other, last = refuse_repeats(
        [brand("acme", 1, "a.yaml"), brand("zeta", 2, "z.yaml"), brand("ACME", 3, "b.yaml")]
    )
    assert (first.request, last.request) == (None, None)
    assert "a.yaml, b.yaml" in first.problem
    assert other.request is not None


def test_memory_grows_with_the_fit_and_decides_how_many_run_at_once():
    spec = make_spec()
    small, large = estimate_bytes(spec, 104, 8), estimate_bytes(spec, 28_548, 80)
    assert PROCESS_BYTES < small < 1.05 * PROCESS_BYTES
    assert large > 5 * small
    assert count_workers([small, small], 10 * small, 4) == 2
    assert count_workers([small] * 9, 3 * small, 8) == 3
    assert count_workers([large], small, 8) == 1


@pytest.mark.parametrize(
    ("name", "content", "size"),
    [
        ("a.csv", b"x,y,z\n1,2,3\n4,5,6\n", (3, 3)),
        ("b.csv", b"x;y\n1,5;2\n", (2, 2)),
        ("c.xls", bytes(6000), (100, 10)),
    ],
)
def test_a_table_is_measured_without_reading_it(tmp_path, name, content, size):
    (tmp_path / name).write_bytes(content)
    assert measure_table(tmp_path / name) == size


def test_a_workbook_that_is_none_is_reported(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"not a workbook")
    with pytest.raises(ValueError, match="no workbook"):
        measure_table(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([BrandOutcome.ACCEPTED], 0),
        ([BrandOutcome.ACCEPTED, BrandOutcome.REJECTED], 3),
        ([BrandOutcome.REJECTED, BrandOutcome.INVALID], 2),
        ([BrandOutcome.INVALID, BrandOutcome.UNAVAILABLE], 4),
        ([BrandOutcome.UNAVAILABLE, BrandOutcome.CRASHED], 1),
        ([BrandOutcome.TIMED_OUT, BrandOutcome.REJECTED], 1),
        ([BrandOutcome.FAILED], 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_brand(outcomes, code):
    assert report(*(result("a", outcome) for outcome in outcomes)).exit_code == code


def test_the_csv_has_a_row_per_brand_and_no_formula():
    text = write_csv([result("acme"), result("=cmd()", reason="-1 is below 0")])
    head, first, second = text.splitlines()
    assert head.startswith("number,dataset_id,outcome,verdict")
    assert first.split(",")[1:3] == ["acme", "accepted"]
    assert "'=cmd()" in second
    assert "'-1 is below 0" in second
    assert "key" not in make_rows([result("acme")])[0]


def test_a_killed_portfolio_is_continued_as_of_its_own_date_for_a_day(home):
    def begin(sha="0", as_of=None, now=NOW):
        return portfolios.begin_portfolio(home, "group", sha, as_of=as_of, now=now)

    first = begin()
    later = NOW + timedelta(hours=20)
    assert begin(now=later) == first
    assert begin(now=later).as_of == NOW.date()
    assert begin(as_of=date(2026, 11, 1), now=later).as_of == date(2026, 11, 1)
    again = begin(sha="1", now=later)
    assert (again.portfolio_run_id, again.as_of) != (first.portfolio_run_id, first.as_of)
    portfolios.end_portfolio(home, again, later)
    ended = begin(sha="1", now=later + timedelta(seconds=1))
    assert ended.portfolio_run_id != again.portfolio_run_id


def test_a_result_is_found_by_its_key_and_half_of_one_is_none(home):
    run = portfolios.begin_portfolio(home, "group", "0", as_of=None, now=NOW)
    for number, name in enumerate(("acme", "zeta"), start=1):
        portfolios.write_result(home, run.portfolio_run_id, result(name, number=number))
    assert set(portfolios.read_results(home, "group")) == {"acme", "zeta"}
    assert portfolios.read_results(home, "other") == {}
    half = next(portfolios.folder_of(home, run.portfolio_run_id).glob("brands/acme*"))
    half.write_text("{")
    assert set(portfolios.read_results(home, "group")) == {"zeta"}


def test_any_of_the_fits_at_once_may_be_the_largest():
    assert workers_of_equal_size(4, free=100, most=8) == 8
    assert workers_of_equal_size(20, free=100, most=8) == 4  # four fifths of 100
    assert workers_of_equal_size(200, free=100, most=8) == 1
