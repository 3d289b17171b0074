"""Restatements, as-of reading, idempotence, and the identity of snapshots."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DataContractError
from schemas.spec.retention import RetentionSpec
from schemas.spec.run_spec import Grain
from tasks.canonicalize.content_id import snapshot_id_of
from tasks.prune.task import prune_dataset
from tasks.store.home import current_home
from tasks.store.warehouse.canonical import PanelColumn, read_panel
from tasks.store.warehouse.connection import reading

SALES = [PanelColumn("kpi", "sales", "sales")]
JANUARY, MARCH, MAY = date(2025, 1, 1), date(2025, 3, 1), date(2025, 5, 1)


def restated(lines):
    copy = list(lines)
    copy[4] = "north,2023-01-23,5555,1,2.5,10"
    return copy


def tables():
    with reading(current_home(), "shop") as con:
        return [
            con.execute(f"select * from {t} order by all").fetchall()
            for t in (
                "canonical.kpi",
                "canonical.media",
                "canonical.controls",
                "canonical.restated",
            )
        ]


def test_doing_it_twice_changes_nothing(world, lines):
    first = world.snapshot(lines(), JANUARY)
    before = tables()
    second = world.snapshot(lines(), MARCH)
    assert tables() == before
    assert second.snapshot_id == first.snapshot_id
    assert second.n_restated == 0


def test_a_past_snapshot_can_be_rebuilt_after_a_restatement(world, lines):
    then = world.snapshot(lines(), JANUARY)
    now = world.snapshot(restated(lines()), MARCH)
    assert now.snapshot_id != then.snapshot_id
    assert now.n_restated >= 1
    assert world.snapshot(None, JANUARY).snapshot_id == then.snapshot_id
    assert world.snapshot(None, MARCH).snapshot_id == now.snapshot_id
    with reading(current_home(), "shop") as con:
        past, present = (
            read_panel(con, dataset_id="shop", as_of=day, wanted=SALES, staged=False)
            for day in (JANUARY, MAY)
        )
    values = [
        rows.loc[rows["period_start"] == "2023-01-23", "sales"].item() for rows in (past, present)
    ]
    assert values == [1000 + 13 * (21 % 17), 5555.0]


def test_a_past_snapshot_can_be_rebuilt_after_its_landed_files_were_pruned(world, lines):
    then = world.snapshot(lines(), JANUARY)
    now = world.snapshot(restated(lines()), MARCH)
    refused = world.ingest(lines(55))
    world.refuse(refused)
    keep, expire = (
        RetentionSpec(landing=landing, landing_days=0) for landing in ("keep", "expire")
    )
    assert pruned(keep) == {refused.batch_id}, "values of the first file are still in use"
    assert len(pruned(expire)) == 1, "the newest accepted file stays"
    assert pruned(expire) == set()
    assert len(list((current_home().landing / "shop").iterdir())) == 1
    assert world.snapshot(None, JANUARY).snapshot_id == then.snapshot_id
    assert world.snapshot(None, MARCH).snapshot_id == now.snapshot_id
    assert world.snapshot(lines(), MAY).n_restated == 0, "a file given again lands again"


def pruned(retention):
    return {item.item_id for item in prune_dataset.fn("shop", retention, False).items}


def test_a_landed_file_goes_once_a_later_one_has_replaced_all_of_its_values(world, lines):
    first = world.snapshot(lines(), JANUARY)
    batch_id = world.ingest(lines()).batch_id
    assert pruned(RetentionSpec(landing_days=0)) == set()
    rows = [line.split(",") for line in lines()[1:]]
    raised = [",".join([*row[:2], *(str(float(v) + 1) for v in row[2:])]) for row in rows]
    world.snapshot([lines()[0], *raised], MARCH)
    assert pruned(RetentionSpec(landing_days=1)) == set()
    assert pruned(RetentionSpec(landing_days=0)) == {batch_id}
    assert world.snapshot(None, JANUARY).snapshot_id == first.snapshot_id


def test_an_old_file_given_again_does_not_undo_a_restatement(world, lines):
    world.snapshot(lines(), JANUARY)
    now = world.snapshot(restated(lines()), MARCH)
    again = world.snapshot(lines(), MAY)
    assert (again.snapshot_id, again.n_restated) == (now.snapshot_id, 0)


def test_new_weeks_are_added_to_what_is_known(world, lines):
    world.snapshot(lines(60), JANUARY)
    grown = world.snapshot([lines()[0], *lines(62)[-2:]], MARCH)
    whole = world.with_spec(dataset_id="other").snapshot(lines(62), MARCH)
    assert grown.snapshot_id == whole.snapshot_id


def test_the_same_file_read_in_another_way_replaces_its_own_rows(world, lines):
    text = [line.replace("entity_id", "shop_name") for line in lines()]
    first = world.snapshot(text, JANUARY)
    world = world.with_spec(columns={"entity_id": "shop_name"})
    second = world.snapshot(text, MARCH)
    assert second.snapshot_id != first.snapshot_id
    with reading(current_home(), "shop") as con:
        names = con.execute("select distinct entity_id from canonical.kpi").fetchall()
    assert names == [("north",)]


def test_the_past_cannot_be_rewritten_behind_later_knowledge(world, lines):
    world.snapshot(lines(), MARCH)
    before = tables()
    with pytest.raises(DataContractError, match="2025-03-01 or later"):
        world.snapshot(restated(lines()), JANUARY)
    assert tables() == before


def test_knowledge_of_days_to_come_is_pointed_to_repair(world, lines):
    ahead = datetime.now(UTC).date() + timedelta(days=730)
    world.snapshot(lines(), ahead)
    with pytest.raises(DataContractError, match=f"{ahead}, which has not come by .*`mmm repair`"):
        world.snapshot(restated(lines()), JANUARY)


def test_without_a_file_an_unknown_dataset_is_an_error(world):
    with pytest.raises(DataContractError, match="give --data FILE"):
        world.snapshot(None)


def test_a_refused_batch_leaves_canonical_untouched(world, lines):
    batch = world.ingest(lines())
    world.refuse(batch)
    with reading(current_home(), "shop") as con:
        assert con.execute("select status from ops.batches").fetchall() == [("REFUSED",)]
    assert tables() == [[], [], [], []]
    world.snapshot(lines())
    world.refuse(batch)
    with reading(current_home(), "shop") as con:
        assert con.execute("select status from ops.batches").fetchall() == [("ACCEPTED",)]


def test_row_and_column_order_of_the_file_do_not_matter(world, lines):
    text = lines(60, ("a", "b"))
    swapped = [",".join(reversed(line.split(","))) for line in [text[0], *reversed(text[1:])]]
    one = world.snapshot(text)
    two = world.with_spec(dataset_id="other").snapshot(swapped)
    assert one.snapshot_id == two.snapshot_id


PANEL = pd.DataFrame(
    {
        "entity_id": ["a", "a", "b", "b"],
        "period_start": pd.to_datetime(["2023-01-02", "2023-01-09"] * 2),
        "sales": [1.0, 2.0, np.nan, 0.0],
        "act_tv": [0.5, 0.0, 3.0, 4.0],
    }
)


@given(st.permutations(range(4)), st.permutations(["entity_id", "period_start", "sales", "act_tv"]))
def test_a_snapshot_id_forgets_order(rows, columns):
    shuffled = PANEL.iloc[list(rows)][list(columns)]
    assert snapshot_id_of(shuffled, Grain.WEEK) == snapshot_id_of(PANEL, Grain.WEEK)


@given(st.integers(0, 3), st.sampled_from(["sales", "act_tv"]), st.floats(-1e9, 1e9))
def test_a_snapshot_id_remembers_every_value(row, column, value):
    changed = PANEL.copy()
    changed.loc[row, column] = value
    same = value == PANEL.loc[row, column]
    assert (snapshot_id_of(changed, Grain.WEEK) == snapshot_id_of(PANEL, Grain.WEEK)) == same


def test_a_snapshot_id_knows_grain_and_names():
    assert snapshot_id_of(PANEL, Grain.WEEK) != snapshot_id_of(PANEL, Grain.MONTH)
    renamed = PANEL.rename(columns={"act_tv": "act_t"})
    assert snapshot_id_of(PANEL, Grain.WEEK) != snapshot_id_of(renamed, Grain.WEEK)
