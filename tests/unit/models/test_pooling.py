"""Pooling of entities in kind ``mmm``: which parameters there are, and what they speak for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import loggamma, norm
from support.kernels import evaluate_density
from support.worlds import CHANNELS, mmm_world

from schemas.errors import SpecError
from schemas.spec.errors import parse_run_spec
from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.kernel.layout import pack
from tasks.models.mmm.parameters import PooledParameter
from tasks.models.mmm.prior_draws import draw_prior, prior_points
from tasks.models.registry import kind_of

SHARED = 0.1
"""A stated share of the KPI."""


def world_of(pooling, **settings):
    return mmm_world(3, model={"pooling": pooling}, **settings)


def drawn(world, n_draws=50):
    return draw_prior(world.panel, world.inputs, n_draws, seed=3)


def test_partial_pooling_is_what_a_spec_that_says_nothing_has():
    silent, stated = mmm_world(3), world_of("partial")
    assert silent.metadata == stated.metadata
    draws = drawn(silent)
    assert draws["log_share"].dims == ("chain", "draw", "channel", "entity")
    assert {"log_share_mean", "log_share_spread", "gamma_linear_spread"} <= set(draws)


def test_complete_pooling_has_one_effect_of_all_entities():
    world = world_of("complete")
    draws = drawn(world)
    assert draws["log_share"].dims == ("chain", "draw", "channel")
    assert draws["gamma_linear"].dims == ("chain", "draw", "term")
    assert draws["y_sigma"].dims == ("chain", "draw", "entity")
    entries = fit_constants(world.panel, world.inputs).table.entries
    assert not [entry.name for entry in entries if isinstance(entry, PooledParameter)]


def test_complete_pooling_gives_every_entity_the_same_return():
    """Shares go with spend: what a channel returns per money spent is one number."""
    world = world_of("complete")
    model = MmmFitted(drawn(world), world.inputs)
    spend = world.panel["spend"].sel(channel="tv").to_numpy().sum(axis=-1)
    brought = model.incremental("tv", world.panel).sum(axis=-1)
    returns = brought / spend
    np.testing.assert_allclose(returns, returns[:, :1] * np.ones(3), rtol=1e-9)


def test_without_pooling_nothing_of_one_entity_speaks_for_another():
    """Its KPI moves the level, noise and effects of the entity alone; transforms are common."""
    constants = fit_constants(*_given(world_of("none")))
    kpi = constants.kpi.copy()
    kpi[2] = kpi[2][::-1]
    other = replace(constants, kpi=kpi)
    offsets, point = constants.table.offsets(), prior_points(constants, 1, seed=1)[0]
    moved = (
        evaluate_density(pack(other), point).gradient
        - evaluate_density(pack(constants), point).gradient
    )
    n_checked = 0
    for entry in constants.table.entries:
        if "entity" not in entry.dims:
            continue
        begin = offsets[entry.name]
        own = moved[begin : begin + entry.first.size].reshape(entry.shape)
        by_entity = np.moveaxis(own, entry.dims.index("entity"), 0)
        np.testing.assert_array_equal(by_entity[:2], 0.0)
        n_checked += entry.name == "common_return" or np.any(by_entity[2] != 0)
    names = {e.name for e in constants.table.entries if "entity" in e.dims}
    assert {"common_return", "log_share", "gamma_linear", "level", "y_sigma"} <= names
    assert n_checked == len(names)


def _given(world):
    return world.panel, world.inputs


def _log_prior(world, index, sizes, common):
    """Log prior density of one channel's sizes ``(entity,)``, by SciPy."""
    priors = world.metadata.share_priors
    location = priors.log_median[index] + np.array(priors.pressure[index])
    if not priors.is_gamma[index]:
        return norm.logpdf(sizes, location, priors.spread[index]).sum()
    location = location + (np.log(common) if priors.follows[index] else 0.0)
    return loggamma.logpdf(sizes - location, priors.spread[index]).sum()


@pytest.mark.parametrize("stated", [False, True], ids=["by-return", "stated"])
def test_the_score_is_the_derivative_by_a_shift_of_the_prior(stated):
    own = {"prior": {"quantity": "share", "median": SHARED, "spread": 0.4}} if stated else {}
    channels = [CHANNELS[0] | own, *CHANNELS[1:]]
    world = world_of("none", channels=channels)
    draws = drawn(world, n_draws=3)
    effect, score = MmmFitted(draws, world.inputs).effect_draws("tv")
    sizes = draws["log_share"].sel(channel="tv").to_numpy()[0]
    common = draws["common_return"].to_numpy()[0]
    np.testing.assert_allclose(effect, sizes.mean(axis=1))
    step = 1e-5
    for k in range(3):
        # A prior that is shifted up is one of sizes that are shifted down.
        up = _log_prior(world, 0, sizes[k] - step, common[k])
        down = _log_prior(world, 0, sizes[k] + step, common[k])
        assert score[k] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("pooling", ["complete", "none"])
def test_parameters_are_counted_as_they_are_pooled(pooling):
    world = world_of(pooling)
    table = fit_constants(world.panel, world.inputs).table
    learned = sum(
        int(np.prod(entry.shape)) for entry in table.entries if entry.name != "common_return"
    )
    assert kind_of(world.metadata).count_parameters(world.metadata) == learned


def test_a_kind_with_a_pooling_of_its_own_refuses_another():
    raw = {"dataset_id": "d", "model": {"kind": "ridge", "pooling": "none"}}
    with pytest.raises(SpecError, match=r"model\.pooling: only kinds mmm, log_student_t know"):
        parse_run_spec(raw)
