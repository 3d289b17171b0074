"""Every kind of bad input: the rule that speaks, the place it names, nothing written."""

import pytest

from schemas.errors import DataContractError, SpecError
from schemas.outcomes import Verdict
from tasks.store.home import current_home
from tasks.store.runs.status import fail_run, start_run
from tasks.store.warehouse.connection import reading


def changed(lines, at, old, new):
    copy = list(lines)
    assert old in copy[at]
    copy[at] = copy[at].replace(old, new)
    return copy


STRUCTURE = {
    "ragged": (b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n", {"ragged_row": [3, 4]}),
    "empty": (b"", {"empty_file": [1]}),
    "blank": (b"\n\n", {"empty_file": [1]}),
    "header only": (b"a,b\n", {"header_only": [1]}),
    "duplicate header": (b"a,b,a\n1,2,3\n", {"duplicate_header": [1]}),
    "duplicate but for case": (b"Sales,sales\n1,2\n", {"duplicate_header": [1]}),
    "empty header": (b"a,,b\n1,2,3\n", {"empty_header_name": [1]}),
    "binary": (b"a,b\n\x00\x01,2\n", {"not_text": [2]}),
    "latin-1": ("a,b\n1,2\ncafé,3\n".encode("latin-1"), {"wrong_encoding": [3]}),
    "latin-1 header": ("café,b\n1,2\n".encode("latin-1"), {"wrong_encoding": [1]}),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), {"wrong_encoding": [1]}),
    "open quote": (b'a,b\n1,2\n"3,4\n5,6\n', {"broken_quotes": [3]}),
    "several at once": (
        b"a,b,a\n1,2\n1,caf\xe9,3\n",
        {"duplicate_header": [1], "ragged_row": [2], "wrong_encoding": [3]},
    ),
}


@pytest.mark.parametrize(("content", "expected"), STRUCTURE.values(), ids=STRUCTURE.keys())
def test_structural_faults_are_reported_together_with_their_lines(world, content, expected):
    with pytest.raises(DataContractError) as caught:
        world.ingest(content)
    assert {f.rule: f.rows for f in caught.value.findings} == expected
    assert all("panel.csv" in f.message and f.remedy for f in caught.value.findings)
    assert not list(current_home().landing.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("x.docx", "unsupported_file"),
        ("x.parquet", "unreadable_file"),
        ("x.xlsx", "unreadable_file"),
    ],
)
def test_a_file_of_the_wrong_kind_is_refused(world, name, rule):
    with pytest.raises(DataContractError) as caught:
        world.ingest(b"not what it says", name)
    assert [f.rule for f in caught.value.findings] == [rule]


def test_a_wrong_encoding_names_the_byte(world):
    with pytest.raises(DataContractError, match=r"line 3, byte 4 \(0xe9\)"):
        world.ingest("a,b\n1,2\ncafé,3\n".encode("latin-1"))


def blank(line):
    """A row without its KPI."""
    entity, day, _, rest = line.split(",", 3)
    return f"{entity},{day},,{rest}"


RAW = {
    "duplicate key": (lambda ls: [*ls, ls[5]], "duplicate_key", [6, 62]),
    "unparsable date": (
        lambda ls: changed(ls, 3, "2023-01-16", "last week"),
        "unparsable_date",
        [4],
    ),
    "impossible date": (
        lambda ls: changed(ls, 3, "2023-01-16", "2023-02-30"),
        "unparsable_date",
        [4],
    ),
    "empty date": (lambda ls: changed(ls, 3, "2023-01-16", ""), "unparsable_date", [4]),
    "text in number": (lambda ls: [*ls, "north,2025-01-06,ten,1,1,1"], "not_a_number", [62]),
    "infinity": (lambda ls: [*ls, "north,2025-01-06,inf,1,1,1"], "not_a_number", [62]),
    "nan": (lambda ls: [*ls, "north,2025-01-06,NaN,1,1,1"], "not_a_number", [62]),
    "huge": (lambda ls: [*ls, "north,2025-01-06,1e999,1,1,1"], "not_a_number", [62]),
    "missing kpi": (lambda ls: [*ls[:5], blank(ls[5]), *ls[6:]], "missing_kpi", [6]),
    "negative spend": (lambda ls: [*ls, "north,2025-01-06,5,1,-1,1"], "negative_spend", [62]),
    "negative activity": (lambda ls: [*ls, "north,2025-01-06,5,-1,1,1"], "negative_activity", [62]),
    "empty entity": (lambda ls: [*ls, " ,2025-01-06,5,1,1,1"], "empty_entity", [62]),
}


@pytest.mark.parametrize(("spoil", "rule", "rows"), RAW.values(), ids=RAW.keys())
def test_a_bad_value_fails_with_its_line(world, lines, spoil, rule, rows):
    outcome = world.raw(spoil(lines()))
    assert outcome.verdict is Verdict.FAIL
    assert [(f.rule, f.rows) for f in outcome.findings] == [(rule, rows)]
    assert "panel.csv" in outcome.findings[0].message
    start_run(current_home(), world.key.run_id, "shop")
    fail_run(current_home(), world.key.run_id, "the data cannot be used")
    with reading(current_home(), "shop") as con:
        assert con.execute("select count(*) from canonical.kpi").fetchone() == (0,)
        reported = con.execute(
            "select gate, verdict from ops.gate_results order by gate"
        ).fetchall()
    assert (rule, "FAIL") in reported


def test_all_bad_values_are_reported_in_one_go(world, lines):
    spoilt = [*lines(), "north,soon,inf,1,-4,1", "north,2023-01-02,,1,1,x"]
    rules = {f.rule for f in world.raw(spoilt).findings}
    assert rules == {
        "unparsable_date", "not_a_number", "negative_spend", "missing_kpi", "duplicate_key",
    }  # fmt: skip


def dated(dates):
    return ["period_start,sales,act_tv", *(f"{d},{i},{i}" for i, d in enumerate(dates, start=5))]


@pytest.mark.parametrize(
    ("dates", "rule"),
    [
        (["01/02/2023", "08/02/2023"], "ambiguous_date"),
        (["01.02.2023", "08.02.2023"], "ambiguous_date"),
        (["13/02/23", "20/02/23"], "ambiguous_date"),
        (["2023-02-13", "20/02/2023"], "mixed_date_formats"),
        (["13/02/2023", "02/20/2023"], "mixed_date_formats"),
    ],
)
def test_a_date_order_is_never_guessed(world, dates, rule):
    outcome = world.raw(dated(dates))
    assert outcome.verdict is Verdict.FAIL
    assert rule in {f.rule for f in outcome.findings}
    assert {f.column for f in outcome.findings} == {"period_start"}


@pytest.mark.parametrize(
    ("dates", "spec"),
    [
        (["06/02/2023", "13/02/2023"], {}),
        (["02/06/2023", "02/13/2023"], {}),
        (["06.02.2023", "13.02.2023"], {}),
        (["20230206", "20230213"], {}),
        (["2023-02-06 00:00:00", "2023-02-13"], {}),
        (["01/02/2023", "08/02/2023"], {"date_format": "%d/%m/%Y"}),
        (["01/02/23", "08/02/23"], {"date_format": "%d/%m/%y"}),
        (["Feb 6 2023", "Feb 13 2023"], {"date_format": "%b %d %Y"}),
    ],
)
def test_one_telling_row_or_the_spec_decides_the_order(world, dates, spec):
    assert world.with_spec(**spec).raw(dated(dates)).findings == []


def test_missing_media_are_a_review_and_many_are_a_failure(world, lines):
    few, many = lines(), lines()
    few[3] = "north,2023-01-16,5,1,,1"
    for i in range(3, 9):
        many[i] = many[i].rsplit(",", 2)[0] + ",,1"
    (review,), (failure,) = world.raw(few).findings, world.raw(many).findings
    assert (review.rule, review.verdict, review.rows) == ("missing_values", Verdict.REVIEW, [4])
    assert (failure.rule, failure.verdict, failure.n_affected) == (
        "too_many_missing",
        Verdict.FAIL,
        6,
    )


@pytest.mark.parametrize(
    "spec", [{"target_col": "slaes"}, {"drivers": ["act_tvv"]}, {"controls": ["price"]}]
)
def test_a_misspelled_column_is_answered_with_the_nearest(world, lines, spec):
    with pytest.raises(SpecError, match="did you mean"):
        world.with_spec(**spec).raw(lines())


def test_a_missing_required_column_is_named(world):
    with pytest.raises(SpecError, match="period_start"):
        world.raw("day,sales,act_tv\n2023-01-02,1,1\n")


def without(lines, at):
    return lines[:at] + lines[at + 1 :]


CANONICAL = {
    "gap": (lambda ls: without(ls(), 10), {}, "grid_gap"),
    "off grid": (lambda ls: changed(ls(), 10, "2023-03-06", "2023-03-07"), {}, "off_grid_date"),
    "short": (lambda ls: ls(51), {}, "short_history"),
    "grain": (lambda ls: ls(60), {"grain": "MONTH"}, "wrong_grain"),
    "daily": (lambda ls: ls(60, step=1), {}, "grain_undetectable"),
    "spend alone": (lambda ls: [*ls(), "north,2024-02-26,5,0,900,1"], {}, "unpaired_media"),
    "constant": (
        lambda ls: [
            ls()[0],
            *(",".join([*x.split(",")[:2], "7", *x.split(",")[3:]]) for x in ls()[1:]),
        ],
        {},
        "constant_kpi",
    ),
}


@pytest.mark.parametrize(("make", "spec", "rule"), CANONICAL.values(), ids=CANONICAL.keys())
def test_a_bad_panel_fails_on_canonical(world, lines, make, spec, rule):
    outcome = world.with_spec(**spec).canonical(make(lines))
    assert outcome.verdict is Verdict.FAIL
    assert rule in {f.rule for f in outcome.findings if f.verdict is Verdict.FAIL}
    reported = next(f for f in outcome.findings if f.rule == rule)
    assert reported.remedy
    with reading(current_home(), "shop") as con:
        assert con.execute("select count(*) from canonical.kpi").fetchone() == (0,)


def test_a_gap_names_where_it_is(world, lines):
    (gap,) = world.canonical(without(lines(), 10)).findings
    assert gap.places == ["north, 2023-03-13"]
    assert "1 missing after 2023-02-27" in gap.message


def test_an_outlier_a_drift_and_future_periods_are_reviews(world, lines):
    world.snapshot(lines())
    later = [lines()[0], *(f"north,2024-{d},1100,9000,9000,11" for d in ("02-26", "03-04"))]
    later += ["north,2024-03-11,900000,9000,9000,11", "north,2025-01-06,1,1,1,1"]
    outcome = world.canonical(later)
    assert {f.rule for f in outcome.findings if f.verdict is Verdict.REVIEW} == {
        "kpi_outlier", "unusual_values", "stuck_values", "future_periods",
    }  # fmt: skip
    assert outcome.verdict is Verdict.REVIEW
