"""A published forecast is frozen, and so is what it supposed."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world, log_world, make_rows, make_spec, mmm_world

from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS
from schemas.names import FORECAST_COLUMNS
from schemas.spec.roles import resolve_roles
from tasks.forecast.assumptions import list_assumptions
from tasks.forecast.forecast import continue_panel
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.forecasts import FrozenForecastError, read_ledger

STARTS = pd.date_range("2024-01-22", periods=2, freq="7D")
FRAME = pd.DataFrame(
    [
        [scope, name, start, ahead, 100.25, 100.5, 90.0, 97.0, 100.0, 103.0, 110.0]
        for scope, name in (("entity", "north"), ("all", "all"))
        for ahead, start in enumerate(STARTS, start=1)
    ],
    columns=list(FORECAST_COLUMNS),
)
SUPPOSED = pd.DataFrame(
    [["north", start, "spend", "tv", 0.1 + 0.2] for start in STARTS],
    columns=list(ASSUMPTION_COLUMNS),
)


def rows_of(home, table):
    with reading(home, "demo") as con:
        return con.execute(f"select * from {table} order by all").df()


def test_the_same_forecast_written_again_changes_nothing(home, reported):
    reported("r1", FRAME, SUPPOSED, minute=0)
    before = [rows_of(home, t) for t in ("mart.forecasts", "mart.forecast_assumptions")]
    reported("r1", FRAME.sample(frac=1, random_state=1), SUPPOSED, minute=0)
    after = [rows_of(home, t) for t in ("mart.forecasts", "mart.forecast_assumptions")]
    for one, other in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert len(after[0]) == 4
    assert len(after[1]) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda f, s: (f.assign(kpi_p95=f["kpi_p95"] + 1e-9), s),
        lambda f, s: (f.iloc[:-1], s),
        lambda f, s: (f.replace({"entity_id": {"north": "south"}}), s),
        lambda f, s: (f, s.assign(value=0.3)),
        lambda f, s: (f, s.iloc[:1]),
    ],
    ids=["a digit", "a row less", "another entity", "another spend", "an assumption less"],
)
def test_another_forecast_of_the_same_run_is_refused_and_the_first_one_stays(
    home, reported, change
):
    reported("r1", FRAME, SUPPOSED, minute=0)
    before = rows_of(home, "mart.forecasts"), rows_of(home, "mart.forecast_assumptions")
    frame, supposed = change(FRAME, SUPPOSED)
    with pytest.raises(FrozenForecastError, match=r"r1 has published.*start a new run"):
        reported("r1", frame, supposed, minute=0)
    pd.testing.assert_frame_equal(before[0], rows_of(home, "mart.forecasts"))
    pd.testing.assert_frame_equal(before[1], rows_of(home, "mart.forecast_assumptions"))


def test_a_frozen_forecast_keeps_its_kpi(reported):
    reported("r1", FRAME, SUPPOSED, minute=0)
    with pytest.raises(FrozenForecastError):
        reported("r1", FRAME, SUPPOSED, minute=0, kpi="orders")


def test_the_ledger_holds_every_run_of_a_dataset_in_the_order_they_began(home, reported):
    reported("r2", FRAME, SUPPOSED, minute=5)
    reported("r1", FRAME, SUPPOSED, minute=1, kpi="orders")
    reported("elsewhere", FRAME, SUPPOSED, minute=0, dataset_id="other")
    ledger = read_ledger(home, "demo")
    assert list(dict.fromkeys(ledger["run_id"])) == ["r1", "r2"]
    assert ledger.groupby("run_id")["kpi"].first().tolist() == ["orders", "sales"]
    assert tuple(ledger.columns) == ("run_id", "kpi", *FORECAST_COLUMNS)


def supposed_of(world, horizon=13):
    continued = continue_panel(world.panel, world.metadata, horizon)
    coming = continued.isel(date=slice(world.panel.sizes["date"], None))
    return list_assumptions(coming, world.metadata)


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_assumptions_are_the_last_media_and_the_controls_of_a_year_before(make):
    world = make(2)
    table = supposed_of(world)
    assert tuple(table.columns) == ASSUMPTION_COLUMNS
    found = dict(list(table.groupby(["measure", "name"])))
    assert set(found) == {
        ("activity", "tv"), ("spend", "tv"), ("spend", "search"), ("activity", "email"),
        ("activity", "rival"), ("control", "price"),
    }  # fmt: skip
    rows = world.rows[world.rows["entity_id"] == "market_1"]
    columns = {("activity", "tv"): "act_tv", ("spend", "tv"): "spend_tv"}
    for key, column in {**columns, ("spend", "search"): "spend_search"}.items():
        mine = found[key][found[key]["entity_id"] == "market_1"]
        np.testing.assert_array_equal(mine["value"], rows[column].tail(13))
    price = found["control", "price"]
    price = price[price["entity_id"] == "market_1"]
    # 60 weeks of history: the first coming week is the 61st, a year before it is the 9th.
    np.testing.assert_array_equal(price["value"], rows["ctrl_price"].iloc[8:21])
    first = world.rows["period_start"].max() + pd.Timedelta(days=7)
    assert price["period_start"].tolist() == list(pd.date_range(first, periods=13, freq="7D"))


def test_a_value_per_unit_is_supposed_to_stay():
    rows = make_rows(1).assign(margin=np.linspace(2, 3, 60))
    spec = make_spec(kpi={"kind": "count", "value_per_unit": "margin"})
    roles = resolve_roles(spec, list(rows.columns))
    world = build_world(rows.rename(columns={"margin": "value_per_unit"}), spec, roles)
    table = supposed_of(world, horizon=3)
    assert table.loc[table["measure"] == "unit_value", "value"].tolist() == [3.0] * 3
