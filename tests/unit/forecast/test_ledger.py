"""Frozen forecasts beside what happened: naive, deployed, and what scoring again keeps."""

from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world, fitted_model, log_world, make_rows, make_spec, mmm_world

from schemas.documents.forecast_scores import SCORE_COLUMNS, SCORE_KEY
from schemas.names import FORECAST_COLUMNS, QUANTILES
from schemas.spec.run_spec import Grain
from tasks.forecast.deployed import predict_deployed
from tasks.forecast.forecast import forecast_kpi
from tasks.forecast.known import select_known
from tasks.forecast.ledger import (
    describe_gaps,
    keep_history,
    match_run,
    score_deployed,
    score_published,
)
from tasks.forecast.naive import forecast_naively
from tasks.forecast.scores import LEVELS, crps_of_draws
from tasks.mathematics.panel import build_panel

FIRST = pd.Timestamp("2022-01-03")
HORIZON = 6


def known_of(values, name="north", first=FIRST):
    starts = pd.date_range(first, periods=len(values), freq="7D")
    return pd.DataFrame({"entity_id": name, "period_start": starts, "actual": values})


def coming(n, *, origin, names=("north",), step=None):
    rows = [
        [scope, name, origin + (step or pd.Timedelta(days=7)) * i, i + 1]
        for scope, listed in (("entity", names), ("all", ("all",)))
        for name in listed
        for i in range(n)
    ]
    return pd.DataFrame(rows, columns=["scope", "entity_id", "period_start", "periods_ahead"])


def naive(rows, known, *, origin, grain=Grain.WEEK):
    return forecast_naively(rows, known, origin=origin, grain=grain).tolist()


def test_a_naive_forecast_is_the_kpi_of_a_year_before():
    origin = FIRST + pd.Timedelta(days=7 * 60)
    known = known_of(np.arange(70.0))
    rows = coming(3, origin=origin).query("scope == 'entity'")
    assert naive(rows, known, origin=origin) == [8.0, 9.0, 10.0]
    far = rows.assign(period_start=origin + pd.Timedelta(days=7 * 52), periods_ahead=53)
    assert naive(far, known, origin=origin) == [8.0] * 3, "a year before was not known then"


def test_without_a_year_it_is_the_last_value_that_was_known():
    origin = FIRST + pd.Timedelta(days=7 * 20)
    rows = coming(2, origin=origin).query("scope == 'entity'")
    assert naive(rows, known_of(np.arange(30.0)), origin=origin) == [19.0, 19.0]
    new = known_of(np.arange(9.0), first=origin)
    assert np.isnan(naive(rows, new, origin=origin)).all()


def test_naive_forecasts_of_months_go_by_the_calendar():
    starts = pd.date_range("2022-01-01", periods=14, freq="MS")
    known = pd.DataFrame({"entity_id": "north", "period_start": starts, "actual": np.arange(14.0)})
    rows = coming(1, origin=pd.Timestamp("2023-03-01")).query("scope == 'entity'")
    origin = pd.Timestamp("2023-03-01")
    assert naive(rows, known, origin=origin, grain=Grain.MONTH) == [2.0]


def test_naive_of_all_is_the_sum_where_every_entity_is_known():
    origin = FIRST + pd.Timedelta(days=7 * 60)
    short = known_of(np.full(50, 100.0), "south", first=FIRST + pd.Timedelta(days=70))
    known = pd.concat([known_of(np.arange(60.0)), short])
    rows = coming(3, origin=origin, names=("north", "south"))
    assert naive(rows, known, origin=origin) == [
        8.0, 9.0, 10.0,  # a year before
        100.0, 100.0, 100.0,  # its first week is the 11th: the last value
        159.0, 159.0, 110.0,  # together they are known from the 11th week on
    ]  # fmt: skip


def test_a_total_is_over_the_entities_that_were_there_before_the_forecast():
    origin = FIRST + pd.Timedelta(days=21)
    parts = [
        known_of([1.0] * 5, "north"),
        known_of([10.0] * 4, "south"),  # has no fifth week
        known_of([100.0], "left"),  # is no more when the forecast is made
        known_of([1000.0] * 2, "new", first=origin),
    ]
    got = select_known(pd.concat(parts), ["total"], origin=origin)
    assert set(got["entity_id"]) == {"total"}
    assert got["actual"].tolist() == [11.0, 11.0, 11.0, 11.0]
    assert got["period_start"].max() == origin
    kept = select_known(pd.concat(parts), ["north"], origin=origin)
    assert kept["actual"].tolist() == [1.0] * 5


def test_prices_are_averaged_and_an_entity_that_is_called_total_is_itself():
    rows = pd.concat([known_of([2.0], "north"), known_of([4.0], "south")]).assign(price=[1.0, 2.0])
    origin = FIRST + pd.Timedelta(days=7)
    got = select_known(rows, ["total"], origin=origin, averaged=["price"])
    assert got[["actual", "price"]].to_numpy().tolist() == [[6.0, 1.5]]
    own = select_known(known_of([3.0], "total"), ["total"], origin=origin)
    assert own["actual"].tolist() == [3.0]


def world_of(make):
    """A world whose last weeks are still to come, and those weeks as canonical has them."""
    world = make()
    n = world.panel.sizes["date"]
    later = make_rows(world.panel.sizes["entity"], n + HORIZON, seed=9)
    after = later[later["period_start"] > world.rows["period_start"].max()]
    return world, pd.concat([world.rows, after], ignore_index=True)


MAKERS = pytest.mark.parametrize(
    "make", [partial(mmm_world, 2), partial(log_world, 2)], ids=["mmm", "log"]
)


def predict(world, inputs, *, seed=3):
    return predict_deployed(
        fitted_model(world), world.panel, world.metadata, inputs, horizon=HORIZON, seed=seed
    )


@MAKERS
def test_deployed_is_the_model_on_the_panel_that_happened(make):
    world, rows = world_of(make)
    got = predict(world, rows)
    happened = build_panel(rows, world.metadata)
    model = fitted_model(world)
    ends = happened.isel(date=slice(-HORIZON, None))
    expected = model.expected(happened)
    last = happened["kpi"].to_numpy()[:, -HORIZON - 1] - expected[..., -HORIZON - 1]
    kpi = model.sample_kpi(ends, expected[..., -HORIZON:], seed=3, before=last)
    np.testing.assert_allclose(got.draws[:, :2], kpi, rtol=1e-12)
    np.testing.assert_allclose(got.draws[:, 2], kpi.sum(axis=1), rtol=1e-12)
    assert got.is_informed.all()
    assert got.entities == ["market_0", "market_1", "all"]


@MAKERS
def test_with_inputs_as_supposed_deployed_is_what_was_published(make):
    world = make()
    table = forecast_kpi(fitted_model(world), world.panel, world.metadata, horizon=HORIZON, seed=3)
    got = predict(world, world.rows)
    assert not got.is_informed.any(), "nothing has happened yet"
    want = table[list(QUANTILES)].to_numpy().T.reshape(5, 3, HORIZON)
    np.testing.assert_allclose(np.quantile(got.draws, LEVELS, axis=0), want, rtol=1e-12)


@MAKERS
def test_a_period_has_the_same_draws_however_many_are_known(make):
    world, rows = world_of(make)
    fewer = rows[rows["period_start"] < rows["period_start"].max() - pd.Timedelta(days=14)]
    whole, part = predict(world, rows), predict(world, fewer)
    n = int(part.is_informed[0].sum())
    assert n == HORIZON - 3
    np.testing.assert_array_equal(part.draws[..., :n], whole.draws[..., :n])


def test_a_hole_ends_what_the_model_is_asked_and_only_for_its_entity():
    world, rows = world_of(partial(mmm_world, 2))
    hole = rows["period_start"].max() - pd.Timedelta(days=21)
    holed = rows[(rows["entity_id"] != "market_1") | (rows["period_start"] != hole)]
    got = predict(world, holed).is_informed
    until = [True, True, False, False, False, False]
    assert got.tolist() == [[True] * 6, until, until]


def test_a_channel_without_a_number_was_off_and_an_unknown_control_is_as_supposed():
    world, rows = world_of(partial(mmm_world, 1))
    last = rows["period_start"] == rows["period_start"].max()
    gaps, filled = rows.copy(), rows.copy()
    gaps.loc[last, ["act_tv", "ctrl_price"]] = np.nan
    filled.loc[last, "act_tv"] = 0.0
    # 60 weeks of history: a year before the 66th week is the 14th.
    filled.loc[last, "ctrl_price"] = rows["ctrl_price"].iloc[13]
    np.testing.assert_array_equal(predict(world, gaps).draws, predict(world, filled).draws)


def test_a_brand_is_asked_with_the_media_of_its_markets():
    rows = make_rows(2, 66)
    media = [c for c in rows if c.startswith(("act_", "spend_"))]
    brand = rows.groupby("period_start", as_index=False).agg(
        {**dict.fromkeys(["sales", *media], "sum"), "ctrl_price": "mean"}
    )
    brand.insert(0, "entity_id", "total")
    world = build_world(brand.head(60), make_spec(level="brand"))
    from_markets, from_total = predict(world, rows), predict(world, brand)
    np.testing.assert_allclose(from_markets.draws, from_total.draws, rtol=1e-12)
    assert from_markets.is_informed.all()


def scored():
    world, rows = world_of(partial(mmm_world, 2))
    forecast = forecast_kpi(
        fitted_model(world), world.panel, world.metadata, horizon=HORIZON, seed=3
    ).assign(run_id="r1")
    known = rows.rename(columns={"sales": "actual"})[["entity_id", "period_start", "actual"]]
    matched = match_run(forecast, known)
    return forecast, matched, predict(world, rows)


def test_published_scores_are_those_of_the_published_quantiles():
    forecast, matched, _ = scored()
    got = score_published(matched)
    assert tuple(got.columns) == SCORE_COLUMNS
    assert len(got) == len(forecast) == 3 * HORIZON
    key = ["scope", "entity_id", "period_start"]
    both = got.merge(forecast, on=key, suffixes=("", "_told"))
    assert (both["kpi_p50"] == both["kpi_p50_told"]).all()
    assert (both["in_90"] == both["actual"].between(both["kpi_p05"], both["kpi_p95"])).all()
    together = both[both["scope"] == "all"].set_index("period_start")["actual"]
    parts = both[both["scope"] == "entity"].groupby("period_start")["actual"].sum()
    np.testing.assert_allclose(together, parts.loc[together.index])


def test_deployed_scores_are_those_of_the_draws():
    _, matched, prediction = scored()
    got = score_deployed(matched, prediction).set_index(["scope", "entity_id", "period_start"])
    for index, (scope, name) in enumerate([("entity", "market_0"), ("entity", "market_1"),
                                           ("all", "all")]):  # fmt: skip
        mine = got.loc[scope].loc[name]
        draws, actual = prediction.draws[:, index], mine["actual"].to_numpy()
        np.testing.assert_allclose(mine["kpi_p50"], np.median(draws, axis=0))
        np.testing.assert_allclose(mine["crps"], crps_of_draws(draws, actual))


def test_an_entity_that_is_called_all_is_not_the_sum():
    _, matched, prediction = scored()
    renamed = matched.replace({"entity_id": {"market_1": "all"}})
    got = score_deployed(renamed, prediction._replace(entities=["market_0", "all", "all"]))
    want = score_deployed(matched, prediction)
    pd.testing.assert_frame_equal(got.drop(columns="entity_id"), want.drop(columns="entity_id"))


def test_what_is_not_known_is_left_out_and_reported():
    forecast, matched, prediction = scored()
    holed = matched[(matched["scope"] == "entity") & (matched["entity_id"] == "market_0")]
    informed = prediction.is_informed.copy()
    informed[0, 4:] = False
    deployed = score_deployed(holed, prediction._replace(is_informed=informed))
    assert len(deployed) == 4
    notes = describe_gaps("r1", holed, deployed, forecast)
    assert notes[0].startswith("r1: no KPI of all in 6 period(s)")
    assert notes[1].startswith("r1: no KPI of market_1 in 6 period(s)")
    assert "2 scored value(s)" in notes[2]
    assert describe_gaps("r1", matched, score_deployed(matched, prediction), forecast) == []


NOW = datetime(2024, 3, 1, tzinfo=UTC)


def test_scoring_again_keeps_the_day_and_a_restated_kpi_is_seen():
    _, matched, _ = scored()
    none = pd.DataFrame(columns=[*SCORE_COLUMNS, "first_actual", "scored_at", "compared"])
    first = keep_history(none, score_published(matched), now=NOW, compared="a")
    assert (first.n_new, first.n_changed) == (18, 0)
    later = NOW + timedelta(days=7)
    again = keep_history(first.rows, score_published(matched), now=later, compared="b")
    assert (again.n_new, again.n_changed) == (0, 0)
    assert (again.rows["scored_at"] == pd.Timestamp(NOW)).all()
    assert set(again.rows["compared"]) == {"b"}
    one = matched.index[:1]
    restated = matched.copy()
    restated.loc[one, "actual"] += 50
    changed = keep_history(again.rows, score_published(restated), now=later, compared="c")
    assert (changed.n_new, changed.n_changed) == (0, 1)
    row = changed.rows.set_index(list(SCORE_KEY)).query("actual != first_actual")
    assert len(row) == 1
    assert row["actual"].item() == pytest.approx(row["first_actual"].item() + 50)
    assert row["scored_at"].item() == pd.Timestamp(later)
    fewer = keep_history(changed.rows, score_published(matched.head(5)), now=later, compared="d")
    assert (fewer.n_new, len(fewer.rows)) == (0, 5)


def test_nothing_is_scored_before_anything_has_happened():
    world = mmm_world(1)
    model = fitted_model(world)
    forecast = forecast_kpi(model, world.panel, world.metadata, horizon=3, seed=1)
    known = world.rows.rename(columns={"sales": "actual"})
    matched = match_run(
        forecast.assign(run_id="r1"), known[["entity_id", "period_start", "actual"]]
    )
    assert matched.empty
    assert score_published(matched).empty
    assert set(FORECAST_COLUMNS) - {"expected_mean"} <= set(matched.columns)
