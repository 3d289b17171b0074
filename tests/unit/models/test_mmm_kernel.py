"""The compiled kernel of kind ``mmm`` against the PyMC graph, form by form, and its promises."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.forms import FORMS
from support.graphs import AS_WRITTEN
from support.kernels import evaluate_density, hand_over
from support.worlds import mmm_world

from tasks.models.mmm.constants import fit_constants
from tasks.models.mmm.graph import graph_of
from tasks.models.mmm.kernel.elementary import exp_into, log_into
from tasks.models.mmm.kernel.layout import Preconditioner, pack
from tasks.models.mmm.parameters import PooledParameter
from tasks.models.mmm.prior_draws import prior_points


def constants_of(form):
    world = FORMS[form]()
    return fit_constants(world.panel, world.inputs)


def points_of(constants):
    """Points from the priors, where posteriors begin, and points around zero, where they are not.

    The second kind has standard deviations near one and shares near the whole KPI.
    """
    around_zero = np.random.default_rng(3).normal(0, 0.5, (2, constants.table.size))
    return np.concatenate([prior_points(constants, 4, seed=5), around_zero])


def sampled_names(constants):
    return [
        entry.z_name if isinstance(entry, PooledParameter) else entry.name
        for entry in constants.table.entries
    ]


SOON = {"bare", "rich"}
"""The least and the most of one entity; compiling a graph takes seconds, so the rest is slow."""


@pytest.mark.parametrize(
    "form",
    [pytest.param(form, marks=[] if form in SOON else pytest.mark.slow) for form in FORMS],
)
def test_density_and_gradient_are_those_of_the_graph(form):
    constants = constants_of(form)
    graph = graph_of(constants)
    assert [variable.name for variable in graph.free_RVs] == sampled_names(constants)
    in_graph = graph.logp_dlogp_function(ravel_inputs=True, mode=AS_WRITTEN)
    in_graph.set_extra_values({})
    buffers = pack(constants)
    for point in points_of(constants):
        got = evaluate_density(buffers, point)
        value, gradient = in_graph(point)
        assert got.code == 0
        assert got.value == pytest.approx(float(value), rel=1e-9)
        # Each cell by its own size, but for what the largest one rounds away.
        rounding = 1e-12 * np.abs(gradient).max()
        np.testing.assert_allclose(got.gradient, gradient, rtol=1e-9, atol=rounding)


@pytest.fixture(scope="module")
def constants():
    return constants_of("rich-entities")


@pytest.fixture(scope="module")
def points(constants):
    return prior_points(constants, 8, seed=2)


def dense_frame(n, rng):
    factor = np.tril(rng.normal(0, 0.2, (n, n)))
    factor[np.diag_indices(n)] = rng.uniform(0.5, 2, n)
    return factor


@pytest.mark.parametrize("kind", ["dense", "diagonal"])
def test_a_frame_moves_the_point_and_turns_the_gradient(constants, points, kind):
    # x = origin + factor @ u, so d/du = factor.T @ d/dx, and the value stays.
    rng = np.random.default_rng(1)
    n = constants.table.size
    factor = dense_frame(n, rng) if kind == "dense" else rng.uniform(0.5, 2, n)
    matrix = factor if kind == "dense" else np.diag(factor)
    framed, plain = pack(constants, Preconditioner(points[0], factor)), pack(constants)
    for u in rng.normal(0, 0.1, (3, n)):
        got, want = evaluate_density(framed, u), evaluate_density(plain, points[0] + matrix @ u)
        assert got.code == want.code == 0
        assert got.value == pytest.approx(want.value, rel=1e-9)
        turned = matrix.T @ want.gradient
        np.testing.assert_allclose(got.gradient, turned, rtol=1e-9, atol=1e-9 * abs(turned).max())
        code, recorded = hand_over(framed, u, n)
        assert code == 0
        np.testing.assert_allclose(recorded, points[0] + matrix @ u, rtol=1e-12, atol=1e-12)


def test_without_a_frame_the_point_is_recorded_as_it_is(constants, points):
    code, recorded = hand_over(pack(constants), points[0], constants.table.size)
    assert code == 0
    np.testing.assert_array_equal(recorded, points[0])


def as_bytes(evaluated):
    return np.array([evaluated.value, *evaluated.gradient]).tobytes()


def test_the_same_point_has_the_same_density_bit_for_bit(constants, points):
    buffers, again = pack(constants), pack(constants)
    for point in points:
        first = as_bytes(evaluate_density(buffers, point))
        assert as_bytes(evaluate_density(buffers, point)) == first
        assert as_bytes(evaluate_density(again, point)) == first


def test_chains_at_once_do_not_disturb_each_other(constants, points):
    buffers = pack(constants)
    alone = [as_bytes(evaluate_density(buffers, point)) for point in points]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda x: evaluate_density(buffers, x), [*points] * 50))
    assert [as_bytes(evaluated) for evaluated in together] == alone * 50


@pytest.mark.parametrize("change", [-1, 1])
def test_a_wrong_dimension_is_refused(constants, change):
    buffers, n = pack(constants), constants.table.size
    assert evaluate_density(buffers, np.zeros(n + change)).code != 0
    assert hand_over(buffers, np.zeros(n + change), n + change)[0] != 0
    assert hand_over(buffers, np.zeros(n), n + change)[0] != 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_no_number_is_refused(constants, points, value):
    buffers = pack(constants)
    for position in range(constants.table.size):
        broken = points[0].copy()
        broken[position] = value
        with np.errstate(all="ignore"):
            assert evaluate_density(buffers, broken).code != 0, position


@pytest.mark.parametrize("l_max", [1, 2, 3, 4, 5, 8])
def test_padding_of_lags_never_moves_the_fitted_periods(l_max):
    # Independent of the graph: without carryover (retention to zero) every l_max is the same model.
    world = mmm_world(1, l_max=l_max, carryover_months=2)
    constants = fit_constants(world.panel, world.inputs)
    instant = mmm_world(1, l_max=1, carryover_months=2)
    other = fit_constants(instant.panel, instant.inputs)
    point = np.zeros(constants.table.size)
    point[constants.table.offsets()["y_sigma"]] = -2.0
    start = constants.table.offsets()["adstock_alpha"]
    point[start : start + 4] = -60.0
    got, want = evaluate_density(pack(constants), point), evaluate_density(pack(other), point)
    assert got.value == pytest.approx(want.value, rel=1e-12)


def elementwise(function, x):
    out, scratch = np.empty_like(x), np.empty_like(x)
    function(x, out, scratch)
    return out


LENGTHS = st.integers(1, 40)


@settings(deadline=None)
@given(arrays(float, LENGTHS, elements=st.floats(-700, 700)))
def test_exp_is_numpys_over_its_range(x):
    np.testing.assert_allclose(elementwise(exp_into, x), np.exp(x), rtol=1e-15)


@settings(deadline=None)
@given(arrays(float, LENGTHS, elements=st.floats(0, 1e300)))
def test_log_is_numpys_over_its_range(x):
    np.testing.assert_allclose(elementwise(log_into, x), np.log(x + 1e-300), rtol=1e-15)


@settings(deadline=None)
@given(arrays(float, LENGTHS, elements=st.floats(0.5, 2)))
def test_log_keeps_its_digits_around_one(x):
    np.testing.assert_allclose(elementwise(log_into, x), np.log(x), rtol=1e-15)


def test_exp_is_cut_where_it_would_overflow():
    got = elementwise(exp_into, np.array([-1e6, -701.0, 701.0, 1e6]))
    np.testing.assert_allclose(got, np.exp([-700.0, -700.0, 700.0, 700.0]), rtol=1e-15)


def test_log_of_zero_is_finite():
    np.testing.assert_allclose(elementwise(log_into, np.zeros(3)), np.log(1e-300), rtol=1e-15)
