"""What a batch changes of history is found to the cell, whatever the file looks like."""

from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from tasks.store.warehouse import restatements
from tasks.store.warehouse.canonical import apply_staged, stage_batch
from tasks.store.warehouse.files import ddl

KEY = ["role", "entity_id", "period_start", "name"]
COLUMNS = {("kpi", "sales"), ("activity", "tv"), ("spend", "tv"), ("control", "price")}
ENTITIES = ("north", "south")
N_PERIODS = 20
FIRST = date(2025, 1, 6)
TODAY = date(2026, 1, 5)


def panel(rng, n_periods=N_PERIODS):
    rows = [
        (role, entity, FIRST + timedelta(weeks=t), name, round(float(rng.uniform(1, 100)), 2))
        for role, name in sorted(COLUMNS)
        for entity in ENTITIES
        for t in range(n_periods)
    ]
    frame = pd.DataFrame(rows, columns=[*KEY, "value"])
    # A channel that is off, and one that the file leaves empty.
    frame.loc[rng.choice(frame.index[frame["role"] == "spend"], 6, replace=False), "value"] = 0.0
    frame.loc[rng.choice(frame.index[frame["role"] == "activity"], 3, replace=False), "value"] = (
        np.nan
    )
    return frame


class Ledger:
    """A warehouse in memory that takes batches."""

    def __init__(self, folder):
        self.folder = folder
        self.con = duckdb.connect(":memory:")
        self.con.execute(ddl())

    def stage(self, frame, batch, *, accepted=False):
        path = self.folder / f"{batch}.parquet"
        frame.to_parquet(path, index=False)
        stage_batch(self.con, path, dataset_id="d", batch_id=batch, accepted=accepted)

    def measure(self, frame, batch, *, accepted=False, as_of=TODAY):
        self.stage(frame, batch, accepted=accepted)
        return restatements.measure_restatements(
            self.con, batch_id=batch, accepted=accepted, as_of=as_of
        )

    def apply(self, frame, batch, known_from=TODAY):
        self.stage(frame, batch)
        apply_staged(
            self.con, dataset_id="d", batch_id=batch, known_from=known_from, accepted=False
        )


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path)


def mutate(frame, rng):
    """Change some values in one to three ways; return the file and the changed cells."""
    changed = frame.copy()
    for _ in range(rng.integers(1, 4)):
        role = rng.choice(sorted(r for r, _ in COLUMNS))
        rows = changed.index[changed["role"] == role]
        picked = rng.choice(rows, rng.integers(1, 8), replace=False)
        way = rng.choice(["scale", "add", "empty", "zero"])
        old = changed.loc[picked, "value"]
        if way == "scale":
            changed.loc[picked, "value"] = old * rng.uniform(0.5, 2)
        elif way == "add":
            changed.loc[picked, "value"] = old.fillna(0.0) + rng.uniform(0.01, 50)
        elif way == "zero":
            changed.loc[picked, "value"] = 0.0
        elif role != "kpi":
            changed.loc[picked, "value"] = np.nan
    old, new = frame["value"], changed["value"]
    differs = ~((old == new) | (old.isna() & new.isna()))
    return changed, differs


def expected(before, after, differs):
    """The same by pandas: column by column."""
    found = {}
    for (role, name), rows in before[differs].groupby(["role", "name"]):
        known = before[(before["role"] == role) & (before["name"] == name)]
        new = after.loc[rows.index, "value"].fillna(0)
        moved, base = (new - rows["value"].fillna(0)).abs().sum(), known["value"].abs().sum()
        found[role, name] = (
            len(rows), rows["entity_id"].nunique(), min(rows["period_start"]),
            max(rows["period_start"]), pytest.approx(moved / base, abs=2e-6),
        )  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(30))
def test_injected_restatements_are_found_all_and_alone(ledger, seed):
    rng = np.random.default_rng(seed)
    before = panel(rng)
    ledger.apply(before, "first", known_from=date(2025, 6, 2))
    after, differs = mutate(before, rng)
    sent = after.sample(frac=1, random_state=seed)[[*reversed(KEY), "value"]]
    found = ledger.measure(sent, "second")
    reported = {
        (one.role, one.name): (
            one.n_values, one.n_entities, one.first_period, one.last_period, one.share,
        )
        for one in found
    }  # fmt: skip
    assert reported == expected(before, after, differs)
    assert {one.n_known for one in found} <= {N_PERIODS * len(ENTITIES)}
    ledger.apply(sent, "second")
    moved = ledger.con.execute(f"select {', '.join(KEY)} from canonical.restated").fetchall()
    assert set(moved) == set(before[differs][KEY].itertuples(index=False, name=None))
    assert ledger.measure(sent, "second", accepted=True) == []


def add_weeks(frame):
    longer = panel(np.random.default_rng(9), N_PERIODS + 2)
    is_new = longer["period_start"] >= FIRST + timedelta(weeks=N_PERIODS)
    return pd.concat([frame, longer[is_new]])


@pytest.mark.parametrize(
    "resend",
    [
        lambda frame: frame,
        lambda frame: frame.iloc[::-1],
        lambda frame: frame[frame["period_start"] >= FIRST + timedelta(weeks=N_PERIODS - 4)],
        lambda frame: frame.assign(value=frame["value"] * (1 + 1e-13)),
        lambda frame: frame[frame["role"] != "control"],
        add_weeks,
    ],
    ids=["as it was", "other order", "last weeks", "other digits", "a column less", "new weeks"],
)
def test_no_false_alarm(ledger, resend):
    frame = panel(np.random.default_rng(1))
    ledger.apply(frame, "first")
    assert ledger.measure(resend(frame), "second") == []
    assert restatements.find_vanished(ledger.con, as_of=TODAY) is None


def of_north(frame, role="spend"):
    return frame.index[(frame["role"] == role) & (frame["entity_id"] == "north")]


def test_a_value_that_becomes_missing_and_one_that_appears_count_with_their_whole_size(ledger):
    frame = panel(np.random.default_rng(2))
    frame.loc[frame["role"] == "spend", "value"] = 10.0
    first, second = of_north(frame)[:2]
    frame.loc[first, "value"] = np.nan
    ledger.apply(frame, "first")
    frame.loc[[first, second], "value"] = [5.0, np.nan]
    (found,) = ledger.measure(frame, "second")
    # 39 known values of 10; one appears with 5, one of 10 is gone.
    assert (found.n_values, found.share) == (2, round(15 / 390, 6))


def test_where_all_was_zero_any_spend_is_a_whole_restatement_and_a_gap_filled_by_zero_is_none(
    ledger,
):
    frame = panel(np.random.default_rng(2))
    frame.loc[frame["role"] == "spend", "value"] = 0.0
    ledger.apply(frame, "first")
    spends = frame.copy()
    spends.loc[of_north(frame)[0], "value"] = 1.0
    assert [one.share for one in ledger.measure(spends, "second")] == [1.0]
    empty = frame.copy()
    empty.loc[of_north(frame)[0], "value"] = np.nan
    assert [(one.n_values, one.share) for one in ledger.measure(empty, "third")] == [(1, 0.0)]


def test_periods_that_had_not_begun_are_plans(ledger):
    frame = panel(np.random.default_rng(3))
    ledger.apply(frame, "first")
    changed = frame.copy()
    last = FIRST + timedelta(weeks=N_PERIODS - 1)
    changed.loc[changed["period_start"] == last, "value"] = 1e6
    assert ledger.measure(changed, "second", as_of=last - timedelta(days=1)) == []
    assert len(ledger.measure(changed, "second", as_of=last)) == len(COLUMNS)


def test_rows_that_a_file_leaves_out_within_its_dates_are_named_the_newest_first(ledger):
    frame = panel(np.random.default_rng(4))
    ledger.apply(frame, "first")
    day = FIRST + timedelta(weeks=7)
    is_gone = (frame["entity_id"] == "south") & (frame["period_start"] == day)
    assert ledger.measure(frame[~is_gone], "second") == []
    gone = restatements.find_vanished(ledger.con, as_of=TODAY)
    assert (gone.n_rows, gone.places, gone.n_absent_entities) == (1, [f"south, {day}"], 0)


def test_an_entity_that_has_a_file_of_its_own_is_told_apart(ledger):
    frame = panel(np.random.default_rng(4))
    ledger.apply(frame, "first")
    ledger.stage(frame[frame["entity_id"] == "north"], "second")
    gone = restatements.find_vanished(ledger.con, as_of=TODAY)
    assert (gone.n_rows, gone.absent_entities, gone.n_absent_entities) == (0, ["south"], 1)
