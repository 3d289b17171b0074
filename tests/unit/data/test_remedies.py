"""What a refusal advises leads to a right answer: the panel that a file without the fault gives.

Equal panels are equal fits, so nothing is sampled. What ends in another panel than that of a clean
file is compared with the panel that it should be, column by column.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
import pytest

from schemas.errors import SpecError
from schemas.outcomes import Verdict
from tasks.store.files.artifacts import read_parquet
from tasks.store.home import current_home

Rows = list[str]


def cells(row):
    return row.split(",")


def edited(rows: Rows, at: int, **changes: object) -> Rows:
    """Change cells of one row, by the header's names."""
    header, row = cells(rows[0]), cells(rows[at])
    for name, value in changes.items():
        row[header.index(name)] = str(value)
    return [*rows[:at], ",".join(row), *rows[at + 1 :]]


def mapped(rows: Rows, change: Callable[[Rows], Rows]) -> Rows:
    return [rows[0], *(",".join(change(cells(row))) for row in rows[1:])]


def without(rows: Rows, *columns: str) -> Rows:
    keep = [i for i, name in enumerate(cells(rows[0])) if name not in columns]
    return [",".join(cells(row)[i] for i in keep) for row in rows]


def slashed(day: str) -> str:
    return date.fromisoformat(day).strftime("%d/%m/%Y")


def in_month_days(rows: Rows) -> Rows:
    """Twelve days of a month at most, written with slashes: nothing tells day from month."""
    kept = [row for row in rows[1:] if int(cells(row)[1][-2:]) <= 12]
    return mapped([rows[0], *kept], lambda c: [c[0], slashed(c[1]), *c[2:]])


class Remedy(NamedTuple):
    rule: str
    bad: Callable[[Rows], Rows]
    followed: Callable[[Rows], Rows]
    """From the clean file: what whoever follows the remedy hands in."""
    spec: Mapping[str, Any] = {}
    """Settings that the remedy names."""
    bad_spec: Mapping[str, Any] = {}


REMEDIES = {
    "a date in words": Remedy(
        "unparsable_date", lambda rows: edited(rows, 9, period_start="week 9"), list
    ),
    "dates that a format reads": Remedy(
        "unparsable_date",
        lambda rows: mapped(rows, lambda c: [c[0], c[1].replace("-", "_"), *c[2:]]),
        lambda rows: mapped(rows, lambda c: [c[0], c[1].replace("-", "_"), *c[2:]]),
        {"date_format": "%Y_%m_%d"},
    ),
    "an entity that is empty": Remedy(
        "empty_entity", lambda rows: [*rows, " ,2024-02-26,1000,1,2.5,10"], list
    ),
    "a row twice": Remedy("duplicate_key", lambda rows: [*rows, rows[7]], list),
    "a decimal comma": Remedy(
        "not_a_number",
        lambda rows: [row.replace(",", ";").replace(".", ",") for row in rows],
        lambda rows: [row.replace(",", ";").replace(".", ",") for row in rows],
        {"decimal": ","},
    ),
    "a word among media": Remedy(
        "not_a_number",
        lambda rows: edited(rows, 9, act_tv="none", spend_tv="none"),
        lambda rows: edited(rows, 9, act_tv=cells(rows[9])[3], spend_tv=cells(rows[9])[4]),
    ),
    "a KPI in the middle": Remedy("missing_kpi", lambda rows: edited(rows, 9, sales=""), list),
    "a refund": Remedy("negative_spend", lambda rows: edited(rows, 9, spend_tv=-5), list),
    "a negative activity": Remedy(
        "negative_activity", lambda rows: edited(rows, 9, act_tv=-5), list
    ),
    "media that are left empty": Remedy(
        "too_many_missing",
        lambda rows: mapped(rows, lambda c: [*c[:3], "", "", c[5]]),
        list,
    ),
    "a gap": Remedy("grid_gap", lambda rows: [*rows[:9], *rows[10:]], list),
    "a day off the grid": Remedy(
        "off_grid_date", lambda rows: edited(rows, 9, period_start="2023-02-28"), list
    ),
    "a KPI that never changes": Remedy(
        "constant_kpi",
        lambda rows: [f"{row},{'target' if i == 0 else 7}" for i, row in enumerate(rows)],
        lambda rows: [f"{row},{'target' if i == 0 else 7}" for i, row in enumerate(rows)],
        {"target_col": "sales"},
        {"target_col": "target"},
    ),
    "another grain": Remedy("wrong_grain", list, list, {}, {"grain": "MONTH"}),
}


def panel(world, content, spec):
    return read_parquet(current_home(), world.with_spec(**spec).candidate(content).wide)


def judged(world, content, spec):
    """Findings of both layers that judge rows, the second only where the first let them through."""
    own = world.with_spec(**spec)
    raw = own.raw(content)
    return raw if raw.verdict is Verdict.FAIL else own.canonical(content)


@pytest.mark.parametrize("remedy", REMEDIES.values(), ids=REMEDIES.keys())
def test_who_follows_the_remedy_gets_the_panel_of_the_clean_file(world, lines, remedy):
    clean = lines()
    refused = judged(world, remedy.bad(clean), remedy.bad_spec)
    assert remedy.rule in {f.rule for f in refused.findings if f.verdict is Verdict.FAIL}
    followed = remedy.followed(clean)
    accepted = judged(world, followed, remedy.spec)
    assert accepted.verdict is Verdict.PASS
    pd.testing.assert_frame_equal(panel(world, followed, remedy.spec), panel(world, clean, {}))


def test_a_stated_format_reads_dates_that_no_row_decides(world):
    rows = in_month_days(["x,period_start,sales,act_tv", *(f"x,{d},{i},{i}" for i, d in MONDAYS)])
    (finding,) = [f for f in world.raw(rows).findings if f.verdict is Verdict.FAIL]
    assert finding.rule == "ambiguous_date"
    assert "%d/%m/%Y" in finding.remedy
    days = panel(world, rows, {"date_format": "%d/%m/%Y"})["period_start"]
    assert {day.weekday() for day in days} == {0}


MONDAYS = [
    (n, day.isoformat())
    for n in range(60)
    if (day := date(2023, 1, 2) + timedelta(days=7 * n)).day <= 12
]


def test_an_entity_column_that_is_mapped_ends_double_keys(world, lines):
    rows = lines(entities=("north", "south"))
    renamed = [rows[0].replace("entity_id", "geo"), *rows[1:]]
    (finding,) = [f for f in world.raw(renamed).findings if f.verdict is Verdict.FAIL]
    assert finding.rule == "duplicate_key"
    assert "columns.entity_id" in finding.remedy
    got = panel(world, renamed, {"columns": {"entity_id": "geo"}})
    pd.testing.assert_frame_equal(got, panel(world, rows, {}))


def test_a_lost_kpi_is_never_filled_in_what_was_before_the_gap_is_left_out(world, lines):
    rows = lines(100)
    gap = [*rows[:20], *rows[23:]]
    (finding,) = [f for f in judged(world, gap, {}).findings if f.verdict is Verdict.FAIL]
    assert finding.rule == "grid_gap"
    assert "never a KPI that nobody knows" in finding.remedy
    followed = [rows[0], *rows[23:]]
    assert judged(world, followed, {}).verdict is Verdict.PASS
    whole = panel(world, rows, {})
    left = panel(world, followed, {})
    pd.testing.assert_frame_equal(left, whole.tail(len(left)).reset_index(drop=True))


def test_spend_is_the_input_where_activity_is_left_out(world, lines):
    spoilt = mapped(lines(), lambda c: [*c[:3], "0" if int(c[3]) % 2 else c[3], *c[4:]])
    (finding,) = [f for f in judged(world, spoilt, {}).findings if f.verdict is Verdict.FAIL]
    assert finding.rule == "unpaired_media"
    spec = {"channels": [{"name": "tv", "spend": "spend_tv"}]}
    assert judged(world, spoilt, spec).verdict is Verdict.PASS
    expected = panel(world, without(lines(), "act_tv"), {})
    pd.testing.assert_frame_equal(panel(world, spoilt, spec), expected)


def test_an_entity_with_too_little_history_can_be_left_out(world, lines):
    rows = [*lines(), *(row.replace("north", "south") for row in lines()[51:])]
    (finding,) = [f for f in judged(world, rows, {}).findings if f.verdict is Verdict.FAIL]
    assert (finding.rule, finding.places) == ("short_history", ["south, 2023-12-18"])
    assert "leave these entities out" in finding.remedy
    followed = [row for row in rows if "south" not in row]
    assert judged(world, followed, {}).verdict is Verdict.PASS
    pd.testing.assert_frame_equal(panel(world, followed, {}), panel(world, lines(), {}))


def test_the_suggested_name_of_a_column_reads_the_file(world, lines):
    with pytest.raises(SpecError, match="did you mean 'sales'"):
        world.with_spec(target_col="slaes").raw(lines())
    got = panel(world, lines(), {"target_col": "sales"})
    pd.testing.assert_frame_equal(got, panel(world, lines(), {}))
