"""A large file is judged as a small one: every row counts, and the first that fail are shown."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.outcomes import Verdict
from tasks.store.files.leftovers import find_partials
from tasks.store.home import current_home
from tasks.store.inputs import landing, landing_rows

N_ROWS = 510_000


def findings_of(world, content):
    checked = world.raw(content)
    return checked.verdict, [f.model_dump() for f in checked.findings]


def faulty(panel_lines):
    lines = panel_lines(n_periods=400, entities=("north", "south"))
    cells = [line.split(",") for line in lines]
    for row in range(350, 372):
        cells[row][3] = ""  # missing activity
    for row in (360, 361, 700):
        cells[row][4] = "-3"  # negative spend
    for row in (20, 500, 640):
        cells[row][2] = "n/a"  # no number, and the KPI
    cells[710][1] = "soon"
    cells[711][0] = ""
    cells[712][2] = ""
    cells[720] = list(cells[719])  # a key twice
    cells[30] = list(cells[29])
    return [",".join(row) for row in cells]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_findings_do_not_depend_on_the_size_of_the_frame(world, monkeypatch, share):
    from unit.data.conftest import panel_lines

    world = world.with_spec(gates={"data": {"max_missing_share": share}})
    lines = faulty(panel_lines)
    whole = findings_of(world, lines)
    monkeypatch.setattr(landing_rows, "MAX_FRAME_ROWS", 100)
    assert findings_of(world, lines) == whole
    rules = {finding["rule"] for finding in whole[1]}
    assert {"negative_spend", "not_a_number", "missing_kpi", "unparsable_date"} < rules
    assert {"empty_entity", "duplicate_key"} < rules
    assert ("too_many_missing" in rules) == (share < 0.03)


def test_more_than_half_a_million_rows_pass(world):
    lines = ["entity_id,period_start,sales,spend_tv"]
    days = [f"2023-{month:02d}-{day:02d}" for month in range(1, 6) for day in (1, 8, 15, 22, 27)]
    lines += [f"s{e},{day},{e % 97}.5,{e % 13}" for e in range(N_ROWS // len(days)) for day in days]
    checked = world.raw(lines)
    assert checked.verdict is Verdict.PASS
    assert checked.findings == []


@pytest.mark.slow
def test_a_fault_beyond_half_a_million_rows_is_found(world):
    lines = ["entity_id,period_start,sales,spend_tv"]
    lines += [f"s{e},2023-01-01,1,2" for e in range(N_ROWS)]
    lines[-1] = "s0,2023-01-01,1,-2"
    verdict, findings = findings_of(world, lines)
    assert verdict is Verdict.FAIL
    assert {f["rule"]: f["rows"] for f in findings} == {
        "duplicate_key": [2, N_ROWS + 1],
        "negative_spend": [N_ROWS + 1],
    }


def test_what_does_not_fit_into_memory_is_put_aside_where_leftovers_are_looked_for(
    world, lines, tmp_path, monkeypatch
):
    batch, home = world.ingest(lines()), current_home()
    monkeypatch.chdir(tmp_path / "in")
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    before = sorted(tmp_path.rglob("*"))
    with landing.opened(home, batch) as con:
        con.execute("set memory_limit = '40MB'")
        con.execute("set threads = 1")
        con.execute("create table t as select hash(range)::varchar as h from range(2_000_000)")
        (aside,) = set(tmp_path.rglob("tmp*")) - set(before)
        assert any(aside.iterdir())
        assert aside in {left.place.path for left in find_partials(home, tomorrow)}
        assert not (tmp_path / "in" / ".tmp").exists()
    assert sorted(tmp_path.rglob("*")) == before
