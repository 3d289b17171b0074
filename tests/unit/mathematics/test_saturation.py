"""Saturation: hand-computed points and the laws of every curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.spec.channels import SaturationKind
from tasks.mathematics.saturation import SATURATIONS, saturation_shape, saturation_slope

CURVES = list(SaturationKind)
BOUNDED = [k for k in CURVES if k not in (SaturationKind.NONE, SaturationKind.ROOT)]
X = st.floats(0, 1e6)
RANGES = {
    "slope": st.floats(0.3, 5),
    "kappa": st.floats(0.01, 10),
    "lam": st.floats(0.01, 10),
    "alpha": st.floats(0.01, 1),
}


def parameters(kind, data):
    return {name: data.draw(RANGES[name], name) for name in SATURATIONS[kind].parameters}


@pytest.mark.parametrize(
    ("kind", "curve", "x", "expected"),
    [
        (SaturationKind.HILL, {"slope": 2.0, "kappa": 0.5}, 0.5, 0.5),
        (SaturationKind.HILL, {"slope": 2.0, "kappa": 0.5}, 1.0, 0.8),
        (SaturationKind.LOGISTIC, {"lam": 2.0}, 0.5, (1 - np.exp(-1)) / (1 + np.exp(-1))),
        (SaturationKind.MICHAELIS_MENTEN, {"lam": 0.5}, 1.5, 0.75),
        (SaturationKind.TANH, {"kappa": 0.5}, 0.5, np.tanh(1.0)),
        (SaturationKind.ROOT, {"alpha": 0.5}, 0.09, 0.3),
        (SaturationKind.NONE, {}, 1.7, 1.7),
    ],
)
def test_hand_computed_points(kind, curve, x, expected):
    assert saturation_shape(kind, np.array(x), curve) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("kind", CURVES)
@given(data=st.data())
def test_nothing_in_nothing_out(kind, data):
    # Hill takes a logarithm with a tiny floor: zero up to 1e-80 at its flattest slope.
    assert abs(saturation_shape(kind, np.zeros(1), parameters(kind, data))[0]) < 1e-80


@pytest.mark.parametrize("kind", CURVES)
@given(data=st.data(), low=X, step=X)
def test_more_input_never_gives_less(kind, data, low, step):
    below, above = saturation_shape(kind, np.array([low, low + step]), parameters(kind, data))
    # One ulp of slack: at the ceiling neighbouring inputs round either way.
    assert above >= below * (1 - 1e-15)


@pytest.mark.parametrize("kind", BOUNDED)
@given(data=st.data(), x=X)
def test_saturation_stays_between_zero_and_one(kind, data, x):
    assert 0 <= saturation_shape(kind, np.array(x), parameters(kind, data)) <= 1


@given(st.floats(0.001, 1))
def test_root_of_nothing_is_nothing_however_flat_the_curve(alpha):
    assert saturation_shape(SaturationKind.ROOT, np.zeros(2), {"alpha": alpha}).tolist() == [0, 0]


@given(st.floats(1e-6, 1e3), st.floats(0.05, 5))
def test_hill_of_slope_one_is_michaelis_menten(x, kappa):
    hill = saturation_shape(SaturationKind.HILL, np.array(x), {"slope": 1.0, "kappa": kappa})
    mm = saturation_shape(SaturationKind.MICHAELIS_MENTEN, np.array(x), {"lam": kappa})
    assert hill == pytest.approx(mm, rel=1e-10)


def test_extreme_slopes_stay_finite():
    curve = {"slope": 500.0, "kappa": 0.5}
    got = saturation_shape(SaturationKind.HILL, np.array([0.0, 1e-9, 0.5, 1e9]), curve)
    np.testing.assert_allclose(got, [0, 0, 0.5, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "curve", "x", "expected"),
    [
        # x^2 / (1/4 + x^2) has the slope x / 2 / (1/4 + x^2)^2: 1 at a half.
        (SaturationKind.HILL, {"slope": 2.0, "kappa": 0.5}, 0.5, 1.0),
        (SaturationKind.LOGISTIC, {"lam": 2.0}, 0.0, 1.0),
        (SaturationKind.MICHAELIS_MENTEN, {"lam": 0.5}, 0.5, 0.5),
        (SaturationKind.TANH, {"kappa": 0.5}, 0.0, 2.0),
        (SaturationKind.ROOT, {"alpha": 0.5}, 0.25, 1.0),
        (SaturationKind.NONE, {}, 1.7, 1.0),
    ],
)
def test_hand_computed_slopes(kind, curve, x, expected):
    assert saturation_slope(kind, np.array(x), curve) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("kind", CURVES)
@given(data=st.data(), x=st.floats(0.05, 5))
def test_the_slope_is_the_finite_difference_of_the_shape(kind, data, x):
    p, step = parameters(kind, data), 1e-6 * x
    ends = saturation_shape(kind, np.array([x - step, x + step]), p)
    numeric = (ends[1] - ends[0]) / (2 * step)
    got = saturation_slope(kind, np.array(x), p)
    # Where a curve is flat, the difference is of numbers that agree to their last digits.
    assert got == pytest.approx(numeric, rel=1e-5, abs=1e-8 * max(1.0, ends[1] / x))


@pytest.mark.parametrize("kind", CURVES)
@given(data=st.data())
def test_the_slope_at_nothing_is_finite_and_not_negative(kind, data):
    slope = saturation_slope(kind, np.zeros(1), parameters(kind, data))[0]
    assert np.isfinite(slope)
    assert slope >= 0
