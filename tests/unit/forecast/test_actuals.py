"""Earlier forecasts beside what happened: by hand, in memory and through the warehouse."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from schemas.names import FORECAST_ACTUALS_COLUMNS, FORECAST_COLUMNS
from tasks.forecast.actuals import match_actuals
from tasks.store.warehouse.forecasts import read_forecasts

WEEKS = pd.date_range("2024-01-01", periods=6, freq="7D")


def panel_of(kpi: dict[str, list[float]]) -> xr.Dataset:
    dates = WEEKS[: len(next(iter(kpi.values())))]
    return xr.Dataset(
        {"kpi": (("entity", "date"), np.array(list(kpi.values()), dtype=float))},
        coords={"entity": list(kpi), "date": dates},
    )


def forecast_of(entities: list[str], first: int, n_periods: int, *, level=100.0) -> pd.DataFrame:
    """Forecast of the weeks from ``first``; its numbers tell row from row."""
    rows = []
    for scope, names in (("entity", entities), ("all", ["all"])):
        for number, name in enumerate(names):
            for ahead in range(1, n_periods + 1):
                middle = level + 10 * number + ahead
                ends = [middle + d for d in (0.25, 0, -5, -2, 1, 2, 5)]
                rows.append([scope, name, WEEKS[first + ahead - 1], ahead, *ends])
    return pd.DataFrame(rows, columns=list(FORECAST_COLUMNS))


def test_what_was_forecast_and_has_happened_by_hand():
    earlier = forecast_of(["north", "south"], first=3, n_periods=3).assign(run_id="r1")
    now = panel_of({"north": [1, 2, 3, 40, 50], "south": [1, 2, 3, 7, 8]})
    table = match_actuals(earlier, now)
    assert tuple(table.columns) == FORECAST_ACTUALS_COLUMNS
    key = ["scope", "entity_id", "period_start", "periods_ahead", "actual", "kpi_mean", "kpi_p95"]
    assert table[key].to_numpy().tolist() == [
        ["all", "all", WEEKS[3], 1, 47.0, 101.0, 106.0],
        ["all", "all", WEEKS[4], 2, 58.0, 102.0, 107.0],
        ["entity", "north", WEEKS[3], 1, 40.0, 101.0, 106.0],
        ["entity", "north", WEEKS[4], 2, 50.0, 102.0, 107.0],
        ["entity", "south", WEEKS[3], 1, 7.0, 111.0, 116.0],
        ["entity", "south", WEEKS[4], 2, 8.0, 112.0, 117.0],
    ]
    assert set(table["forecast_run_id"]) == {"r1"}


def test_every_earlier_run_is_compared_by_itself():
    earlier = pd.concat(
        [
            forecast_of(["north"], first=2, n_periods=3).assign(run_id="r1"),
            forecast_of(["north"], first=3, n_periods=3, level=500.0).assign(run_id="r2"),
        ]
    )
    table = match_actuals(earlier, panel_of({"north": [1, 2, 3, 4]}))
    found = table.loc[table["scope"] == "entity", ["forecast_run_id", "periods_ahead", "actual"]]
    assert found.to_numpy().tolist() == [["r1", 1, 3.0], ["r1", 2, 4.0], ["r2", 1, 4.0]]
    assert (table["scope"] == "all").sum() == 3


def test_all_needs_every_entity_of_that_forecast_and_no_other_one():
    earlier = forecast_of(["north", "south"], first=3, n_periods=2).assign(run_id="r1")
    gone = match_actuals(earlier, panel_of({"north": [1, 2, 3, 4, 5]}))
    assert set(gone["entity_id"]) == {"north"}
    unknown = {"north": [1, 2, 3, 4, 5], "south": [1, 2, 3, np.nan, 9]}
    half = match_actuals(earlier, panel_of(unknown))
    assert half.loc[half["scope"] == "all", "actual"].tolist() == [14.0]
    new = {"east": [9] * 5, "north": [1, 2, 3, 4, 5], "south": [1, 2, 3, 6, 7]}
    grown = match_actuals(earlier, panel_of(new))
    assert grown.loc[grown["scope"] == "all", "actual"].tolist() == [10.0, 12.0]


@pytest.mark.parametrize("earlier", [0, 3], ids=["no forecast", "nothing came due"])
def test_without_a_match_there_are_columns_with_types_and_no_rows(earlier, tmp_path):
    forecasts = forecast_of(["north"], first=3, n_periods=3).assign(run_id="r1").head(earlier)
    table = match_actuals(forecasts, panel_of({"north": [1, 2, 3]}))
    assert table.empty
    table.to_parquet(tmp_path / "none.parquet")
    kinds = pd.read_parquet(tmp_path / "none.parquet").dtypes
    assert tuple(kinds.index) == FORECAST_ACTUALS_COLUMNS
    assert all(pd.api.types.is_string_dtype(kinds[c]) for c in ("forecast_run_id", "entity_id"))
    assert pd.api.types.is_datetime64_dtype(kinds["period_start"])
    assert pd.api.types.is_float_dtype(kinds["actual"])


def test_a_forecast_comes_back_as_it_was_written(home, reported):
    frame = forecast_of(["north", "all"], first=3, n_periods=3)
    reported("r1", frame, minute=0)
    reported("now", minute=1)
    got = read_forecasts(home, "demo", kpi="sales", before_run="now")
    assert set(got.pop("run_id")) == {"r1"}
    key = ["scope", "entity_id", "period_start"]
    pd.testing.assert_frame_equal(got, frame.sort_values(key, ignore_index=True), check_dtype=False)
    panel = panel_of({"all": [1, 2, 3, 4, 5], "north": [1, 2, 3, 6, 7]})
    assert len(match_actuals(got.assign(run_id="r1"), panel)) == 6


def test_only_earlier_runs_of_the_same_dataset_and_kpi_are_read(home, reported):
    frame = forecast_of(["north"], first=3, n_periods=1)
    reported("earlier", frame, minute=0)
    reported("elsewhere", frame, minute=1, dataset_id="x'; drop table mart.forecasts; --")
    reported("exchanged", frame, minute=2, kpi="orders")
    reported("now", frame, minute=3)
    reported("later", frame, minute=4)
    got = read_forecasts(home, "demo", kpi="sales", before_run="now")
    assert set(got["run_id"]) == {"earlier"}
    hostile = "x'; drop table mart.forecasts; --"
    reported("then", minute=2, dataset_id=hostile)
    assert len(read_forecasts(home, hostile, kpi="sales", before_run="then")) == 2


def test_a_forecast_of_a_period_that_was_known_is_refused_whole(home, reported):
    frame = forecast_of(["north"], first=3, n_periods=2)
    with pytest.raises(Exception, match="CHECK constraint"):
        reported("r1", frame.assign(periods_ahead=0), minute=0)
    reported("now", minute=1)
    assert read_forecasts(home, "demo", kpi="sales", before_run="now").empty
