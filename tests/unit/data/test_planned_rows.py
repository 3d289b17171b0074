"""Rows after the last KPI whose KPI is blank are the plan of coming periods, and no knowledge."""

from datetime import date, timedelta

import pytest

from schemas.documents.data import ColumnInfo
from schemas.outcomes import Verdict
from schemas.spec.planned import PlannedPeriod
from tasks.store.files.artifacts import read_document, read_parquet
from tasks.store.home import current_home
from tasks.store.warehouse.connection import reading

FIRST = date(2023, 1, 2)
AFTER = FIRST + timedelta(days=7 * 60)
"""First period after the 60 of ``lines``."""
NOW = AFTER + timedelta(days=1)


def week(n):
    return AFTER + timedelta(days=7 * n)


def plan(n, act="40", spend="90", price="9", entity="north"):
    return f"{entity},{week(n)},,{act},{spend},{price}"


def info_of(world, content, as_of=NOW, **spec):
    candidate = world.with_spec(**spec).candidate(content, as_of)
    return read_document(current_home(), candidate.column_info, ColumnInfo), candidate


def stated(n, entity="north", **values):
    return PlannedPeriod(period_start=week(n), entity=entity, values=values)


def rules(outcome):
    return [(f.rule, f.verdict) for f in outcome.findings]


def test_trailing_rows_without_a_kpi_are_a_plan_and_change_nothing_else(world, lines):
    content = [*lines(), plan(0), plan(2, act="", price="")]
    assert world.raw(content).findings == []
    info, candidate = info_of(world, content)
    assert info.planned.periods == [
        stated(0, act_tv=40, spend_tv=90, ctrl_price=9), stated(2, spend_tv=90),
    ]  # fmt: skip
    assert (info.planned.n_rows, info.planned.first, info.planned.last) == (2, week(0), week(2))
    plain = world.with_spec().candidate(lines(), NOW)
    assert read_parquet(current_home(), candidate.wide).equals(
        read_parquet(current_home(), plain.wide)
    )


def test_a_plan_is_told_and_never_known(world, lines):
    content = [*lines(), plan(0), plan(1)]
    outcome = world.canonical(content, NOW)
    assert rules(outcome) == [("planned_rows", Verdict.PASS)]
    assert f"2 row(s) after the last KPI have none, {week(0)} to {week(1)}" in (
        outcome.findings[0].message
    )
    world.snapshot(content, NOW)
    with reading(current_home(), "shop") as con:
        newest = con.execute("select max(period_start) from canonical.media").fetchone()
    assert newest == (week(-1),)
    # What came then is no restatement of what had been planned.
    came = [*lines(), f"north,{week(0)},1100,8,20.0,11", plan(1)]
    outcome = world.canonical(came, week(1))
    assert [r for r, v in rules(outcome) if v is not Verdict.PASS] == []
    info, _ = info_of(world, came, week(1))
    assert info.history.restated == []


def test_a_kpi_that_has_been_missing_for_long_is_reviewed(world, lines):
    content = [*lines(), *(plan(n) for n in range(6))]
    four = world.canonical(content, week(4))
    assert rules(four) == [("planned_rows", Verdict.PASS)]
    assert "4 of these periods are over" in four.findings[0].message
    assert rules(world.canonical(content, week(5))) == [("planned_rows", Verdict.REVIEW)]


def test_markets_plan_each_for_itself(world, lines):
    both = ("north", "south")
    content = [*lines(entities=both), plan(0), plan(1, entity="south"), plan(0, entity="south")]
    assert world.raw(content).findings == []
    info, _ = info_of(world, content)
    told = [(row.entity, row.period_start) for row in info.planned.periods]
    assert told == [("north", week(0)), ("south", week(0)), ("south", week(1))]


def test_a_market_whose_kpi_is_late_is_refused_and_the_remedy_helps(world, lines):
    both = ("north", "south")
    rows = lines(entities=both)
    late = [*rows[:-1], plan(-1, entity="south")]
    outcome = world.raw(late)
    assert rules(outcome) == [("missing_kpi", Verdict.FAIL)]
    assert outcome.findings[0].rows == [len(late)]
    assert "blank it in the same periods for all of them" in outcome.findings[0].remedy
    followed = [*late[:60], plan(-1), *late[61:]]
    assert world.raw(followed).findings == []
    info, _ = info_of(world, followed)
    assert info.periods.last == week(-2)
    assert [row.entity for row in info.planned.periods] == ["north", "south"]


def test_what_a_closed_market_plans_is_left_out_by_name(world, lines):
    rows = lines(entities=("north", "south"))
    closed = [*rows[:-5], plan(0), plan(0, entity="south")]
    info, _ = info_of(world, closed)
    assert info.planned.left_out == ["south"]
    assert [row.entity for row in info.planned.periods] == ["north"]
    outcome = world.canonical(closed, NOW)
    note = next(f for f in outcome.findings if f.rule == "planned_rows")
    assert "south" in note.message


def test_a_brand_plans_what_all_its_markets_state(world, lines):
    content = [
        *lines(entities=("north", "south")),
        plan(0, act="40", spend="90", price="9"),
        plan(0, act="10", spend="", price="11", entity="south"),
        plan(1),
    ]
    info, _ = info_of(world, content, level="brand")
    # 40 + 10, (9 + 11) / 2; what south spends is not said, nor anything of its next week.
    assert info.planned.periods == [stated(0, "total", act_tv=50, ctrl_price=10)]


def test_a_file_that_restates_media_of_a_known_period_plans_nothing(world, lines):
    world.snapshot(lines(), NOW)
    small = [lines()[0], lines()[58], plan(-2, act="77")]
    info, candidate = info_of(world, small)
    assert info.planned is None
    wide = read_parquet(current_home(), candidate.wide).set_index("period_start")
    row = wide.loc[str(week(-2))]
    assert row["act_tv"] == 77
    assert row["sales"] == float(lines()[59].split(",")[2])


@pytest.mark.parametrize("at", [1, 30, 59], ids=["first", "middle", "last-but-one"])
def test_a_blank_in_the_middle_stays_refused(world, lines, at):
    rows = lines()
    entity, day, _, rest = rows[at].split(",", 3)
    rows[at] = f"{entity},{day},,{rest}"
    outcome = world.raw(rows)
    assert rules(outcome) == [("missing_kpi", Verdict.FAIL)]
    assert outcome.findings[0].rows == [at + 1]


def test_a_file_without_any_kpi_is_no_plan(world, lines):
    rows = [lines()[0], *(plan(n) for n in range(3))]
    assert ("missing_kpi", Verdict.FAIL) in rules(world.raw(rows))


def test_a_column_that_the_plan_leaves_open_is_not_missing(world, lines):
    open_rows = [plan(n, act="", spend="", price="") for n in range(30)]
    assert world.raw([*lines(), *open_rows]).findings == []
    info, _ = info_of(world, [*lines(), *open_rows])
    assert (info.planned.n_rows, info.planned.periods) == (30, [])


def test_a_plan_is_judged_like_every_number(world, lines):
    outcome = world.raw([*lines(), plan(0, spend="-5"), plan(1, act="much")])
    assert {r for r, _ in rules(outcome)} == {"negative_spend", "not_a_number"}
