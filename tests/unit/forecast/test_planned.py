"""What is planned for coming periods is what a forecast supposes, on every path."""

import numpy as np
import pytest
from support.worlds import fitted_model, mmm_world

from schemas.errors import SpecError
from schemas.spec.planned import PlannedPeriod
from schemas.spec.run_spec import Grain
from tasks.forecast.forecast import continue_panel, forecast_kpi
from tasks.forecast.uncertain import vary_coming
from tasks.mathematics.planned import KNOWN_CONTROLS, KNOWN_MEDIA, keep_known

N_PAST, HORIZON = 120, 13


def day(world, ahead):
    """First day of a coming period."""
    return (world.panel["date"].values[-1] + np.timedelta64(7 * ahead, "D")).astype("M8[D]").item()


def plan(world, ahead, entity="market_0", offset=0, **values):
    start = np.datetime64(day(world, ahead)) + np.timedelta64(offset, "D")
    return PlannedPeriod(period_start=start.item(), entity=entity, values=values)


def coming(panel, name, entity="market_0", **where):
    return panel[name].sel(entity=entity, **where).to_numpy()[..., N_PAST:]


@pytest.fixture(scope="module")
def world():
    return mmm_world(2, n_periods=N_PAST)


def test_what_is_planned_stays_on_every_path_and_what_is_not_varies(world):
    rows = [plan(world, 2, offset=3, act_tv=77.0, ctrl_price=9.5), plan(world, 13, act_tv=0.0)]
    continued = continue_panel(world.panel, world.metadata, HORIZON, rows)
    known = coming(continued, KNOWN_MEDIA, channel="tv")
    assert np.flatnonzero(known).tolist() == [1, 12]
    assert coming(continued, KNOWN_CONTROLS, control="price").sum() == 1
    paths = [
        vary_coming(continued, N_PAST, Grain.WEEK, np.random.default_rng(seed)) for seed in range(5)
    ]
    for varied in paths:
        assert coming(varied, "media", channel="tv")[[1, 12]].tolist() == [77.0, 0.0]
        assert coming(varied, "controls", control="price")[1] == 9.5
    others = [tuple(coming(varied, "media", channel="tv")[2:12]) for varied in paths]
    assert len(set(others)) > 1


def test_activity_follows_stated_money_at_the_rate_of_the_last_year(world):
    rows = [plan(world, 1, spend_tv=500.0)]
    continued = continue_panel(world.panel, world.metadata, HORIZON, rows)
    year = world.panel.sel(entity="market_0", channel="tv").isel(date=slice(-52, None))
    rate = float(year["media"].sum() / year["spend"].sum())
    assert coming(continued, "media", channel="tv")[0] == pytest.approx(500 * rate)
    both = [plan(world, 1, spend_tv=500.0, act_tv=3.0)]
    continued = continue_panel(world.panel, world.metadata, HORIZON, both)
    assert coming(continued, "media", channel="tv")[0] == 3.0


def test_more_planned_media_forecast_more_and_a_full_plan_leaves_less_uncertain(world):
    model = fitted_model(world)

    def ahead(rows, paths=0):
        table = forecast_kpi(model, world.panel, world.metadata, horizon=HORIZON, seed=1,
                             paths=paths, planned=rows)  # fmt: skip
        return table[(table["scope"] == "entity") & (table["entity_id"] == "market_0")]

    off, on = ([plan(world, k, act_tv=v) for k in range(1, 14)] for v in (0.0, 300.0))
    assert ahead(on)["expected_mean"].sum() > ahead(off)["expected_mean"].sum()


def test_periods_that_are_over_or_beyond_the_horizon_do_not_matter(world):
    plain = continue_panel(world.panel, world.metadata, HORIZON)
    rows = [plan(world, 0, act_tv=1e6), plan(world, 14, act_tv=1e6)]
    got = continue_panel(world.panel, world.metadata, HORIZON, rows)
    assert got["media"].equals(plain["media"])
    assert not got[KNOWN_MEDIA].any()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"entity": None, "values": {"act_tv": 1.0}}, "names no entity"),
        ({"entity": "market_O", "values": {"act_tv": 1.0}}, "did you mean 'market_1'"),
        ({"entity": "market_0", "values": {"act_tvv": 1.0}}, "did you mean 'act_tv'"),
        ({"entity": "market_0", "values": {"act_tv": -1.0}}, "never below zero"),
    ],
)
def test_what_has_no_place_in_the_panel_is_refused_with_its_row(world, row, message):
    rows = [PlannedPeriod(period_start=day(world, 1), **row)]
    with pytest.raises(SpecError, match=message) as refusal:
        continue_panel(world.panel, world.metadata, HORIZON, rows)
    assert str(day(world, 1)) in str(refusal.value)


def test_two_rows_of_one_period_are_refused(world):
    rows = [plan(world, 1, act_tv=1.0), plan(world, 1, offset=2, act_tv=2.0)]
    with pytest.raises(SpecError, match="act_tv is there twice"):
        continue_panel(world.panel, world.metadata, HORIZON, rows)


def with_file_plan(world, rows):
    return world.metadata.model_copy(update={"planned": rows})


def test_rows_of_the_file_are_a_plan_and_the_spec_comes_before_them(world):
    metadata = with_file_plan(
        world, [plan(world, k, act_tv=50.0, spend_tv=9.0, ctrl_price=8.0) for k in (1, 2, 3)]
    )
    stated = [plan(world, 2, spend_tv=500.0)]
    continued = continue_panel(world.panel, metadata, HORIZON, stated)
    year = world.panel.sel(entity="market_0", channel="tv").isel(date=slice(-52, None))
    rate = float(year["media"].sum() / year["spend"].sum())
    assert coming(continued, "media", channel="tv")[:3] == pytest.approx([50.0, 500 * rate, 50.0])
    assert coming(continued, "spend", channel="tv")[:3].tolist() == [9.0, 500.0, 9.0]
    assert coming(continued, "controls", control="price")[:3].tolist() == [8.0] * 3
    known = coming(continued, KNOWN_MEDIA, channel="tv")
    assert np.flatnonzero(known).tolist() == [0, 1, 2]


def test_a_plan_in_the_file_forecasts_as_the_same_plan_in_the_spec(world):
    model = fitted_model(world)
    rows = [plan(world, k, act_tv=float(30 * k), ctrl_price=9.0) for k in range(1, HORIZON + 1)]
    tables = [
        forecast_kpi(model, world.panel, metadata, horizon=HORIZON, seed=1, paths=3, planned=given)
        for metadata, given in ((world.metadata, rows), (with_file_plan(world, rows), ()))
    ]
    assert tables[0].equals(tables[1])


def test_columns_that_the_model_left_out_are_no_part_of_a_plan_in_the_file(world):
    row = plan(world, 1, act_tv=1.0, ctrl_idle=3.0)
    assert keep_known([row, plan(world, 2, ctrl_idle=3.0)], world.metadata) == [
        plan(world, 1, act_tv=1.0)
    ]
