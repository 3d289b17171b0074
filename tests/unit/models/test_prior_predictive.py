"""What is believed before the fit: what the spec states comes out, and draws are a fit's draws."""

import json
import logging

import numpy as np
import pytest
from scipy.stats import lognorm
from support.graphs import evaluate_graph
from support.worlds import log_world, mmm_world

from tasks.fit.summary import log_prior
from tasks.mathematics.draws import stack_samples
from tasks.mathematics.spend import effective_spend
from tasks.models.mmm.graph import build_graph
from tasks.models.mmm.prior_draws import draw_prior
from tasks.models.mmm.prior_predictive import N_DRAWS, predict_prior
from tasks.models.registry import kind_of


def stated(prior, **changes):
    return [
        {"name": "tv", "activity": "act_tv", "spend": "spend_tv", "prior": prior} | changes,
        {"name": "search", "spend": "spend_search"},
        {"name": "rival", "kind": "competitor", "activity": "act_rival"},
    ]


def quantiles(document, name, quantity):
    row = document["channels"][name]
    ends = ("low_90", "low_50", "median", "high_50", "high_90")
    return [row[f"{quantity}_{end}"] for end in ends]


TAILS = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.mark.parametrize(("median", "spread"), [(0.12, 0.4), (0.02, 1.3)])
def test_a_stated_share_comes_out_as_stated(median, spread):
    world = mmm_world(
        channels=stated({"quantity": "share", "median": median, "spread": spread}),
        carryover_months=2,
    )
    document = predict_prior(world.panel, world.inputs, seed=1)
    expected = lognorm(spread, scale=median).ppf(TAILS)
    np.testing.assert_allclose(quantiles(document, "tv", "share"), expected, rtol=0.02)


def test_a_stated_roas_comes_out_as_stated():
    world = mmm_world(
        channels=stated({"quantity": "roas", "median": 2.5, "spread": 0.6}),
        kpi={"kind": "count", "value_per_unit": 4.0},
    )
    document = predict_prior(world.panel, world.inputs, seed=1)
    expected = lognorm(0.6, scale=2.5).ppf(TAILS)
    np.testing.assert_allclose(quantiles(document, "tv", "roas"), expected, rtol=0.02)
    assert document["channels"]["rival"]["roas_median"] is None
    assert document["channels"]["rival"]["share_high_90"] < 0


def test_a_stated_coefficient_is_the_amplitude_and_its_share_follows():
    prior = {"quantity": "coefficient", "median": 0.4, "spread": 0.3}
    world = mmm_world(1, "none", "none", channels=stated(prior))
    beta = draw_prior(world.panel, world.inputs, 500, seed=0)["saturation_beta"].sel(channel="tv")
    expected = lognorm(0.3, scale=0.4).ppf(TAILS)
    np.testing.assert_allclose(np.quantile(beta, TAILS), expected, rtol=0.02)
    share = predict_prior(world.panel, world.inputs, seed=0)["channels"]["tv"]["share_median"]
    media = world.panel["media"].sel(channel="tv") / world.inputs.scales["media_scale"]
    kpi = world.panel["kpi"] / world.inputs.scales["kpi_scale"]
    by_hand = 0.4 * float(media.sel(channel="tv").mean() / kpi.mean())
    assert share == pytest.approx(by_hand, rel=0.02)


def test_entities_widen_a_channel_around_its_stated_median():
    world = mmm_world(3, channels=stated({"quantity": "share", "median": 0.1, "spread": 0.5}))
    row = predict_prior(world.panel, world.inputs, seed=1)["channels"]["tv"]
    assert row["share_median"] == pytest.approx(0.1, rel=0.15)
    assert row["share_low_90"] < row["share_low_50"] < row["share_high_50"] < row["share_high_90"]


def test_the_band_of_the_kpi_holds_it():
    world = mmm_world(2, carryover_months=2)
    document = predict_prior(world.panel, world.inputs, seed=1)
    rows = document["kpi"]
    assert len(rows) == world.window.sum()
    actual = world.panel["kpi"].sum("entity").values[world.window]
    np.testing.assert_allclose([r["actual"] for r in rows], actual)
    inside = [r["low_90"] <= r["actual"] <= r["high_90"] for r in rows]
    assert np.mean(inside) > 0.9
    assert 0 <= document["media_share"]["prob_above_one"] < 0.2
    json.dumps(document, allow_nan=False)


def test_the_same_seed_gives_the_same_document():
    world = mmm_world(2)
    first, again, other = (predict_prior(world.panel, world.inputs, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("n_entities", [1, 2])
@pytest.mark.parametrize(
    ("adstock", "saturation"),
    [("geometric", "hill"), ("delayed", "logistic"), ("weibull_pdf", "tanh"), ("none", "none")],
)
def test_draws_have_the_names_and_dims_of_a_fit(adstock, saturation, n_entities):
    world = mmm_world(n_entities, adstock, saturation)
    draws = draw_prior(world.panel, world.inputs, 5, seed=0)
    graph, _ = evaluate_graph(build_graph(world.panel, world.inputs), n_points=1)
    for name, variable in draws.data_vars.items():
        assert set(variable.dims[2:]) == set(graph[name].dims[2:]), name
        assert np.isfinite(variable).all(), name
    assert stack_samples(draws).sizes["sample"] == 5


def test_a_channel_that_is_off_in_an_entity_has_no_amplitude_there():
    world = mmm_world(2)
    draws = draw_prior(world.panel, world.inputs, 5, seed=0)
    email = draws["saturation_beta"].sel(channel="email")
    assert (email.isel(entity=1) == 0).all()
    assert (email.isel(entity=0) > 0).all()


def test_the_log_reports_each_channel_before_sampling(caplog):
    world = mmm_world(channels=stated({"quantity": "roas", "median": 2.0, "spread": 0.5}))
    with caplog.at_level(logging.INFO):
        log_prior(predict_prior(world.panel, world.inputs, seed=1))
    assert len(caplog.messages) == 3
    assert caplog.messages[0].startswith("prior of tv: ROAS 2")
    assert "share of the KPI -" in caplog.messages[2]


def test_effective_spend_by_hand():
    world = mmm_world(2, carryover_months=2)
    table = effective_spend(world.panel)
    window = world.panel.isel(date=world.window)
    spend = window["spend"].sum(("entity", "date"))
    assert table["tv"]["spend"] == pytest.approx(float(spend.sel(channel="tv")))
    both = float(spend.sel(channel=["tv", "search"]).sum())
    assert table["tv"]["spend_share"] == pytest.approx(table["tv"]["spend"] / both)
    assert (table["email"]["spend"], table["email"]["spend_share"]) == (None, None)
    media = window["media"].sum("entity").sel(channel="tv")
    assert table["tv"]["input_mean"] == pytest.approx(float(media.mean()))
    assert table["tv"]["n_active_periods"] == int((media > 0).sum()) < table["tv"]["n_periods"]


def test_kind_log_student_t_gets_its_spend_alone():
    world = log_world(2)
    document = kind_of(world.metadata).predict_prior(world.panel, world.inputs, seed=1)
    assert document == {"channels": effective_spend(world.panel)}
    log_prior(document)


def test_enough_draws_for_the_widest_interval():
    assert N_DRAWS * 0.05 >= 20
