"""Ragged panels: markets that opened late or closed. Laws on draws from priors."""

import numpy as np
import pandas as pd
import pytest
from support.forms import ragged_rows, ragged_world
from support.worlds import build_world, make_spec

from schemas.errors import DataContractError, SpecError
from tasks.attribute.contribution import attribute_kpi
from tasks.forecast.forecast import forecast_kpi
from tasks.mathematics.panel import build_panel, observed_of
from tasks.mathematics.references import measure_references
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.prior_draws import draw_prior


@pytest.fixture(scope="module")
def ragged():
    world = ragged_world()
    return world, MmmFitted(draw_prior(world.panel, world.inputs, 40, seed=1), world.inputs)


def test_a_market_has_nothing_before_it_opened_and_after_it_closed(ragged):
    world, model = ragged
    closed = ~observed_of(world.panel)
    assert closed.sum() == 12 + 10
    for component in model.components:
        assert (model.contribution(component, world.panel)[:, closed] == 0).all()


def test_parts_add_up_and_tables_have_the_rows_of_the_file(ragged):
    world, model = ragged
    split = attribute_kpi(model, world.panel, world.window, seed=1)
    assert len(split.fitted) == len(world.frame)
    keys = ["entity_id", "period_start"]
    pd.testing.assert_frame_equal(split.fitted[keys], world.frame[keys], check_dtype=False)
    assert split.fitted["actual"].tolist() == world.frame["sales"].tolist()
    total = split.contributions.groupby(keys)["contribution_mean"].sum().to_numpy()
    np.testing.assert_allclose(total, split.fitted["fitted_mean"].to_numpy(), rtol=1e-9)


def test_shares_are_of_a_markets_own_periods():
    # Prior median share of a channel is what it states, whenever its market opened.
    stated = {"quantity": "share", "median": 0.1, "spread": 0.01}
    channels = [{"name": n, "spend": f"spend_{n}", "prior": stated} for n in ("tv", "search")]
    world = ragged_world(channels=channels)
    model = MmmFitted(draw_prior(world.panel, world.inputs, 200, seed=1), world.inputs)
    kpi = world.rows.groupby("entity_id")["sales"].sum().to_numpy()
    tv = model.contribution(model.components[0], world.panel).sum(axis=-1) / kpi
    np.testing.assert_allclose(np.median(tv, axis=0), 0.1, rtol=0.15)


def test_what_has_closed_is_not_forecast(ragged):
    world, model = ragged
    coming = forecast_kpi(model, world.panel, world.metadata, horizon=4, seed=1)
    named = coming.loc[coming["scope"] == "entity", "entity_id"].unique().tolist()
    assert named == ["market_0", "market_1"]
    assert np.isfinite(coming["kpi_mean"]).all()


def test_features_keep_the_rows_of_the_file():
    world = ragged_world()
    assert len(world.frame) == len(world.rows)
    late = world.frame[world.frame["entity_id"] == "market_1"]
    assert late["trend"].iloc[0] == pytest.approx(world.frame["trend"].iloc[12])


def test_a_gap_between_opening_and_closing_is_refused():
    world = ragged_world()
    with pytest.raises(DataContractError, match="gaps or repeats"):
        build_panel(world.frame.drop(index=5), world.metadata)


def test_a_kind_with_fixed_transforms_says_what_it_needs():
    spec = make_spec("log_student_t", level="entity")
    with pytest.raises(SpecError, match=r"set model\.kind to mmm"):
        build_world(ragged_rows(), spec)


def test_a_control_counts_from_its_mean_while_a_market_is_open():
    world = ragged_world()
    index = world.panel["control"].values.tolist().index(world.metadata.controls[0].name)
    column = world.metadata.controls[0].column
    own = world.frame.groupby("entity_id")[column].mean().to_numpy()
    panel = world.panel
    references = measure_references(panel, world.metadata.controls)[:, index].to_numpy()
    np.testing.assert_allclose(references, own)


def test_likelihood_starts_anew_where_a_market_opened(ragged):
    # A late market alone has the likelihood that it has beside markets that were there before it.
    world, model = ragged
    late = world.panel.isel(entity=[1])
    alone = late.isel(date=observed_of(late)[0])
    expected = model.expected(world.panel)
    beside = model.log_likelihood(world.panel, expected)[:, 1, 12:]
    draws = model.draws.isel(entity=[1])
    found = MmmFitted(draws, world.inputs).log_likelihood(alone, expected[:, [1], 12:])
    np.testing.assert_allclose(found[:, 0], beside)


def test_a_market_that_closed_before_the_fitted_periods_is_refused():
    rows = ragged_rows()
    windows = {"carryover_months": 1, "estimation_months": 2}
    with pytest.raises(DataContractError, match=r"market_2 .*no row in the fitted periods"):
        build_world(rows, make_spec(windows=windows))
