"""The parameter table of kind ``mmm``: contrasts, and priors as they come out of its draws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from support.forms import FORMS

from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.derive import publish_points
from tasks.models.mmm.parameters import Parameter, PooledParameter, PriorKind, contrasts
from tasks.models.mmm.prior_draws import draw_prior, prior_points

N_DRAWS = 4000
TAILS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


def constants_of(form):
    world = FORMS[form]()
    return fit_constants(world.panel, world.inputs)


@given(st.integers(1, 60))
def test_contrasts_are_orthonormal_and_sum_to_zero(n_entities):
    matrix = contrasts(n_entities)
    assert matrix.shape == (n_entities, n_entities - 1)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(n_entities - 1), atol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-12)


def test_contrasts_of_three_by_hand():
    # First against second, then both against the third.
    want = np.array([[1, 1], [-1, 1], [0, -2]]) / np.sqrt([2, 6])
    np.testing.assert_allclose(contrasts(3), want, rtol=1e-14)


def distribution(entry):
    """The prior of every cell, by SciPy."""
    first, second = entry.first, entry.second
    by_kind = {
        PriorKind.NORMAL: lambda: stats.norm(first, second),
        PriorKind.LOG_NORMAL: lambda: stats.lognorm(second, scale=np.exp(first)),
        PriorKind.HALF_NORMAL: lambda: stats.halfnorm(scale=first),
        PriorKind.GAMMA: lambda: stats.gamma(first, scale=1 / second),
        PriorKind.BETA: lambda: stats.beta(first, second),
    }
    return by_kind[entry.prior]()


def constrained(x, kind):
    if kind is PriorKind.NORMAL:
        return x
    return special.expit(x) if kind is PriorKind.BETA else np.exp(x)


@pytest.mark.parametrize("form", ["rich", "rich-entities", "adstock-weibull_pdf"])
def test_prior_points_have_the_priors_of_the_table(form):
    constants = constants_of(form)
    points = prior_points(constants, N_DRAWS, seed=3)
    offsets = constants.table.offsets()
    kinds = set()
    for entry in constants.table.entries:
        if not isinstance(entry, Parameter):
            continue
        kinds.add(entry.prior)
        start = offsets[entry.name]
        x = points[:, start : start + entry.first.size].reshape(N_DRAWS, *entry.shape)
        at_tails = np.quantile(constrained(x, entry.prior), TAILS, axis=0)
        below = distribution(entry).cdf(at_tails)
        want = np.broadcast_to(TAILS.reshape(-1, *[1] * (below.ndim - 1)), below.shape)
        # Four standard errors of an empirical probability.
        np.testing.assert_allclose(below, want, atol=2 / np.sqrt(N_DRAWS), err_msg=entry.name)
    assert len(kinds) >= 4


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0], ids=["non-centered", "between", "centered"])
def test_entities_differ_by_the_stated_spread_whatever_the_weight(weight):
    constants = constants_of("signed-entities")
    entries = tuple(
        replace(entry, weight=np.full_like(entry.weight, weight))
        if isinstance(entry, PooledParameter)
        else entry
        for entry in constants.table.entries
    )
    moved = replace(constants, table=replace(constants.table, entries=entries))
    drawn = publish_points(prior_points(moved, N_DRAWS, seed=4)[None], moved)
    pooled = [entry for entry in entries if isinstance(entry, PooledParameter)]
    assert {entry.name for entry in pooled} == {"log_share", "gamma_raw"}
    for entry in pooled:
        spread = drawn[entry.spread] * entry.unit
        known = entry.offset if entry.group_axis == 0 else entry.offset.T
        variance = (
            ((drawn[entry.name] - known) / spread).var("entity", ddof=1).mean(("chain", "draw"))
        )
        np.testing.assert_allclose(variance, 1.0, atol=0.08, err_msg=entry.name)
        average = drawn[entry.name].mean("entity")
        np.testing.assert_allclose(average, drawn[entry.mean], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n_draws", [1, 2, 5, 6])
def test_prior_draws_are_finite_at_any_number_of_draws(n_draws):
    world = FORMS["rich-entities"]()
    draws = draw_prior(world.panel, world.inputs, n_draws, seed=0)
    assert draws.sizes["draw"] == n_draws
    for name, variable in draws.data_vars.items():
        assert np.isfinite(variable).all(), name
