"""The comparison of kinds on sets with known truth, on a world of one short series."""

import sys

import numpy as np
import xarray as xr
from support.worlds import make_rows

from benchmarks import kinds
from benchmarks.recovery.worlds import KPI_COLUMN, make_world


def test_a_kind_is_scored_on_its_contributions():
    rows = make_rows(1, 60)[["entity_id", "period_start", "sales", "spend_tv", "ctrl_price"]]
    rows = rows.rename(columns={"sales": KPI_COLUMN})
    dates = rows["period_start"].to_numpy()
    truth = xr.DataArray(
        0.48 * rows["spend_tv"].to_numpy()[None, None],
        dims=("entity", "channel", "date"),
        coords={"entity": ["market_0"], "channel": ["tv"], "date": dates},
    )
    fixed = {
        "decay": 0.0, "half_saturation": 10.0, "slope": 1.0,
        "penalty": dict.fromkeys(("media", "controls", "trend", "seasonality"), 0.003),
    }  # fmt: skip
    world = make_world("tiny", rows, truth, model={"kind": "ridge", "ridge": fixed})
    row = kinds.measure("ridge", world)
    assert 0 < row["srmse"] < 0.5
    assert 0 <= row["coverage"] <= 1
    assert row["seconds"] > 0
    assert np.isfinite(list(row.values())).all()


def test_without_the_sets_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.delenv("MMM_RECOVERY_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["kinds.py"])
    kinds.main()
    assert "MMM_RECOVERY_DATA" in capsys.readouterr().out
