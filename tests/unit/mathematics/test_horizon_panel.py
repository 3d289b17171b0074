"""The panel beyond its last period: hand-computed repeats, and time that goes on."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from schemas.spec.run_spec import Grain
from tasks.mathematics.horizon_panel import extend_panel, future_starts
from tasks.mathematics.panel import IS_ESTIMATION

N_KNOWN = 60


def make_panel(n_periods=N_KNOWN, *, freq="7D", start="2023-01-02"):
    """Every value reports its period: media of period 7 are 7, spend 107, controls 207, KPI 307."""
    number = np.arange(n_periods, dtype=float)
    cube = np.broadcast_to(number, (2, 1, n_periods))
    return xr.Dataset(
        {
            "media": (("entity", "channel", "date"), cube.copy()),
            "spend": (("entity", "channel", "date"), cube + 100),
            "controls": (("entity", "control", "date"), cube + 200),
            "kpi": (("entity", "date"), cube[:, 0] + 300),
            "unit_value": (("entity", "date"), cube[:, 0] + 400),
            IS_ESTIMATION: (("date",), number >= 8),
        },
        coords={
            "entity": ["a", "b"],
            "channel": ["tv"],
            "control": ["price"],
            "date": pd.date_range(start, periods=n_periods, freq=freq),
        },
    )


def future(panel, n, *, like_last, grain=Grain.WEEK):
    longer = extend_panel(panel, grain, n, like_last=like_last)
    return longer.isel(date=slice(panel.sizes["date"], None))


def test_media_and_spend_repeat_the_last_periods_in_their_order():
    got = future(make_panel(), 5, like_last=3)
    assert got["media"].values[0, 0].tolist() == [57, 58, 59, 57, 58]
    assert got["spend"].values[1, 0].tolist() == [157, 158, 159, 157, 158]


def test_more_periods_than_history_repeat_all_of_it():
    got = future(make_panel(4), 6, like_last=13)
    assert got["media"].values[0, 0].tolist() == [0, 1, 2, 3, 0, 1]


def test_controls_are_those_of_the_same_week_a_year_before():
    got = future(make_panel(), 54, like_last=3)["controls"].values[0, 0]
    # Period 60 is like period 8; after a year the same year is repeated.
    assert got[:3].tolist() == [208, 209, 210]
    assert got[51:54].tolist() == [259, 208, 209]


def test_controls_of_months_repeat_twelve_months():
    got = future(make_panel(20, freq="MS"), 13, like_last=3, grain=Grain.MONTH)
    assert got["controls"].values[0, 0].tolist() == [*range(208, 220), 208]


def test_controls_of_less_than_a_year_stay_at_their_last_value():
    got = future(make_panel(51), 3, like_last=3)
    assert got["controls"].values[0, 0].tolist() == [250, 250, 250]


def test_the_value_of_a_unit_stays_and_the_kpi_is_not_known():
    got = future(make_panel(), 2, like_last=3)
    assert got["unit_value"].values.tolist() == [[459, 459], [459, 459]]
    assert np.isnan(got["kpi"].values).all()
    assert not got[IS_ESTIMATION].values.any()


def test_history_is_kept_as_it_is():
    panel = make_panel()
    kept = extend_panel(panel, Grain.WEEK, 4, like_last=2).isel(date=slice(0, N_KNOWN))
    xr.testing.assert_equal(kept, panel.transpose(..., "date"))


@pytest.mark.parametrize(
    ("grain", "freq", "start", "expected"),
    [
        (Grain.WEEK, "7D", "2023-01-02", ["2024-02-26", "2024-03-04"]),
        (Grain.MONTH, "MS", "2023-01-01", ["2028-01-01", "2028-02-01"]),
    ],
)
def test_periods_go_on_after_the_last(grain, freq, start, expected):
    got = future_starts(make_panel(freq=freq, start=start), grain, 2)
    assert [str(day)[:10] for day in got] == expected


def test_a_longer_future_begins_like_a_shorter_one():
    short, long = (future(make_panel(), n, like_last=5) for n in (4, 9))
    xr.testing.assert_equal(long.isel(date=slice(0, 4)), short)
