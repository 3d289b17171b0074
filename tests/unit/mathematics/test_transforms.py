"""Every carryover and saturation in all its forms: the tables are whole, and the forms agree.

NumPy against PyTensor, the derivative against finite differences, machine code against both, and
against pymc-marketing's own class. A new transform is held to all of it by being in its table.
"""

import math

import numpy as np
import pymc_marketing.mmm as stock
import pytensor.tensor as pt
import pytest
from support.graphs import evaluate

from schemas.spec.channels import AdstockKind, SaturationKind
from tasks.mathematics.carryover import ADSTOCKS, adstock_weights
from tasks.mathematics.saturation import SATURATIONS, saturation_shape, saturation_slope
from tasks.models.mmm.kernel import carry, codes, saturations
from tasks.models.mmm.parameters import PriorKind

X = np.linspace(0.0, 2.5, 23)
LEARNED = {
    "slope": 1.7, "kappa": 0.8, "lam": 1.3, "alpha": 0.45, "theta": 1.2, "k": 1.6,
}  # fmt: skip
N_LAGS = 7
CARRIED = [kind for kind in AdstockKind if kind is not AdstockKind.NONE]


def learned(definition) -> dict[str, np.ndarray]:
    return {name: np.array(LEARNED[name]) for name in definition.parameters}


def in_order(definition) -> tuple[float, float]:
    """Both parameters as machine code takes them."""
    first, second, *_ = [*(LEARNED[name] for name in definition.parameters), 1.0, 1.0]
    return first, second


def test_every_name_of_the_spec_has_a_definition_and_every_definition_a_name():
    assert list(ADSTOCKS) == list(AdstockKind)
    assert list(SATURATIONS) == list(SaturationKind)
    assert set(codes.ADSTOCK_CODES) == set(ADSTOCKS)
    assert set(codes.SATURATION_CODES) == set(SATURATIONS)
    for table in (codes.ADSTOCK_CODES, codes.SATURATION_CODES):
        assert len(set(table.values())) == len(table)


@pytest.mark.parametrize(
    "definition", [*ADSTOCKS.values(), *SATURATIONS.values()], ids=lambda d: d.stock
)
def test_a_definition_has_a_prior_and_a_stock_class_for_all_that_is_learned(definition):
    assert len(definition.parameters) <= 2, "the compiled density takes two"
    for prior in definition.priors.values():
        assert prior.peak_power == 0 or PriorKind(prior.family) is PriorKind.LOG_NORMAL
    known = set(getattr(stock, definition.stock).default_priors)
    plain = definition.line if hasattr(definition, "line") else definition.no_carryover
    assert set(plain) == set(definition.parameters)
    renamed = {"kappa"} if definition.stock == "TanhSaturation" else set()
    assert set(definition.parameters) - renamed <= known


def test_channels_that_share_a_parameter_share_the_family_of_its_prior():
    for table in (ADSTOCKS, SATURATIONS):
        families = {(n, p.family) for d in table.values() for n, p in d.priors.items()}
        assert len(families) == len({name for name, _ in families})


@pytest.mark.parametrize("kind", SaturationKind)
def test_a_saturation_is_the_same_in_numpy_in_the_graph_and_in_machine_code(kind):
    definition = SATURATIONS[kind]
    want = saturation_shape(kind, X, learned(definition))
    p = {name: pt.constant(value) for name, value in learned(definition).items()}
    graph = pt.as_tensor(saturation_shape(kind, pt.constant(X), p, xp=pt))
    np.testing.assert_allclose(evaluate(graph), want, rtol=1e-12)
    out, aux, scratch, spare = (np.zeros_like(X) for _ in range(4))
    saturations.saturate_into(
        codes.SATURATION_CODES[kind], X, *in_order(definition), out, aux, scratch, spare
    )
    np.testing.assert_allclose(out, want, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", SaturationKind)
def test_the_slopes_of_a_saturation_are_those_of_its_shape(kind):
    """Independent route: central differences, by the input and by both parameters."""
    definition, x, step = SATURATIONS[kind], X[1:], 1e-6

    def shape(points, **changes):
        return saturation_shape(kind, points, learned(definition) | changes)

    by_input = (shape(x + step) - shape(x - step)) / (2 * step)
    np.testing.assert_allclose(
        saturation_slope(kind, x, learned(definition)), by_input, rtol=1e-6, atol=1e-8
    )
    out, aux, scratch, spare, back = (np.zeros_like(x) for _ in range(5))
    code, both = codes.SATURATION_CODES[kind], in_order(definition)
    saturations.saturate_into(code, x, *both, out, aux, scratch, spare)
    by_parameters = saturations.saturate_adjoint(code, x, *both, out, aux, np.ones_like(x), back)
    np.testing.assert_allclose(back, by_input, rtol=1e-6, atol=1e-8)
    for got, name in zip(by_parameters, definition.parameters, strict=False):
        up, down = (shape(x, **{name: LEARNED[name] + s}).sum() for s in (step, -step))
        assert got == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("kind", CARRIED)
def test_lag_weights_are_the_same_in_numpy_in_the_graph_and_in_machine_code(kind):
    definition, step = ADSTOCKS[kind], 1e-6
    want = adstock_weights(kind, learned(definition), l_max=N_LAGS)
    p = {name: pt.constant(value) for name, value in learned(definition).items()}
    graph = adstock_weights(kind, p, l_max=N_LAGS, xp=pt)
    np.testing.assert_allclose(evaluate(graph), want, rtol=1e-12)
    weights, slopes = np.zeros(N_LAGS), np.zeros(2 * N_LAGS)
    carry.lag_weights(codes.ADSTOCK_CODES[kind], N_LAGS, *in_order(definition), weights, slopes)
    np.testing.assert_allclose(weights, want, rtol=1e-11, atol=1e-14)
    for place, name in enumerate(definition.parameters):
        up, down = (
            adstock_weights(
                kind, learned(definition) | {name: np.array(LEARNED[name] + s)}, l_max=N_LAGS
            )
            for s in (step, -step)
        )
        got = slopes[place * N_LAGS : (place + 1) * N_LAGS]
        np.testing.assert_allclose(got, (up - down) / (2 * step), rtol=1e-5, atol=1e-8)


def test_plain_parameters_make_a_line_and_keep_all_weight_on_lag_zero():
    for kind, definition in SATURATIONS.items():
        p = {name: np.array(value) for name, value in definition.line.items()}
        line = definition.line_factor * saturation_shape(kind, X, p)
        np.testing.assert_allclose(line, X, rtol=1e-6, atol=1e-6)
    for kind in CARRIED:
        p = {name: np.array(value) for name, value in ADSTOCKS[kind].no_carryover.items()}
        weights = adstock_weights(kind, p, l_max=N_LAGS)
        assert math.isclose(weights[0], 1.0, rel_tol=1e-6)
