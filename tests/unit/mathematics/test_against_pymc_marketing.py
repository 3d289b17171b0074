"""Kernels, curves and seasonality against two other routes: PyTensor, and pymc-marketing."""

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from pymc_marketing.mmm import YearlyFourier
from pymc_marketing.mmm import transformers as stock
from pymc_marketing.mmm.fourier import generate_fourier_modes
from pytensor.xtensor import as_xtensor
from support.graphs import FAST, evaluate

from schemas.spec.channels import AdstockKind, SaturationKind
from tasks.mathematics.carryover import ADSTOCKS, adstock_weights, stack_lags
from tasks.mathematics.saturation import SATURATIONS, saturation_shape
from tasks.mathematics.seasonality import (
    DAYS_PER_YEAR,
    fourier_names,
    fourier_terms,
    standardized_trend,
)

L_MAX = 6
ALPHA, THETA, LAM, K = (np.array(v) for v in ([0.2, 0.7], [0.5, 2.0], [0.8, 3.0], [0.6, 2.2]))
ADSTOCK = {"alpha": ALPHA, "theta": THETA, "lam": LAM, "k": K}
CURVE = {"slope": np.array([0.7, 2.4]), "kappa": np.array([0.2, 1.3]), "lam": np.array([0.4, 3.0])}
CURVE["alpha"] = np.array([0.03, 0.7])
X = np.random.default_rng(3).gamma(1, 0.4, (2, 25))
X[:, 5:9] = 0


def xtensor(values, *dims):
    return as_xtensor(pt.as_tensor(values), dims=dims)


def per_channel(values):
    return xtensor(values, "channel")


STOCK_ADSTOCK = {
    AdstockKind.GEOMETRIC: lambda x: stock.geometric_adstock(
        x, per_channel(ALPHA), l_max=L_MAX, normalize=True, dim="date"
    ),
    AdstockKind.DELAYED: lambda x: stock.delayed_adstock(
        x, per_channel(ALPHA), per_channel(THETA), l_max=L_MAX, normalize=True, dim="date"
    ),
    AdstockKind.WEIBULL_PDF: lambda x: stock.weibull_adstock(
        x, per_channel(LAM), per_channel(K), l_max=L_MAX, normalize=True, dim="date", type="PDF"
    ),
    AdstockKind.WEIBULL_CDF: lambda x: stock.weibull_adstock(
        x, per_channel(LAM), per_channel(K), l_max=L_MAX, normalize=True, dim="date", type="CDF"
    ),
    AdstockKind.BINOMIAL: lambda x: stock.binomial_adstock(
        x, per_channel(ALPHA), l_max=L_MAX, normalize=True, dim="date"
    ),
}
STOCK_CURVE = {
    SaturationKind.HILL: lambda x: stock.hill_function(
        x, per_channel(CURVE["slope"]), per_channel(CURVE["kappa"])
    ),
    SaturationKind.LOGISTIC: lambda x: stock.logistic_saturation(x, per_channel(CURVE["lam"])),
    SaturationKind.MICHAELIS_MENTEN: lambda x: stock.michaelis_menten(
        x, 1.0, per_channel(CURVE["lam"])
    ),
    # Its curve is b * tanh(x / (b c)); ours has the amplitude b apart.
    SaturationKind.TANH: lambda x: stock.tanh_saturation(x, 1.0, per_channel(CURVE["kappa"])),
    SaturationKind.ROOT: lambda x: stock.root_saturation(x, per_channel(CURVE["alpha"])),
}


def adstocked(kind):
    weights = adstock_weights(kind, {n: ADSTOCK[n] for n in ADSTOCKS[kind].parameters}, l_max=L_MAX)
    return np.einsum("cl,clt->ct", weights, stack_lags(X, L_MAX))


def curve_of(kind, convert=np.asarray):
    return {n: convert(CURVE[n][:, None]) for n in SATURATIONS[kind].parameters}


@pytest.mark.parametrize("kind", list(STOCK_ADSTOCK))
def test_adstock_equals_pymc_marketing(kind):
    theirs = STOCK_ADSTOCK[kind](xtensor(X, "channel", "date")).transpose("channel", "date").values
    np.testing.assert_allclose(adstocked(kind), evaluate(theirs), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", list(STOCK_CURVE))
def test_saturation_equals_pymc_marketing(kind):
    theirs = STOCK_CURVE[kind](xtensor(X, "channel", "date")).transpose("channel", "date").values
    ours = saturation_shape(kind, X, curve_of(kind))
    np.testing.assert_allclose(ours, evaluate(theirs), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", list(STOCK_ADSTOCK))
def test_adstock_weights_are_the_same_in_numpy_and_pytensor(kind):
    p = {n: ADSTOCK[n] for n in ADSTOCKS[kind].parameters}
    graph = adstock_weights(kind, {n: pt.as_tensor(v) for n, v in p.items()}, l_max=L_MAX, xp=pt)
    np.testing.assert_allclose(
        evaluate(graph), adstock_weights(kind, p, l_max=L_MAX), rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("kind", list(SaturationKind))
def test_saturation_is_the_same_in_numpy_and_pytensor(kind):
    graph = saturation_shape(kind, pt.as_tensor(X), curve_of(kind, pt.as_tensor), xp=pt)
    ours = saturation_shape(kind, X, curve_of(kind))
    np.testing.assert_allclose(evaluate(graph), ours, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", list(STOCK_CURVE))
def test_saturation_has_a_finite_gradient_in_weeks_without_media(kind):
    names = SATURATIONS[kind].parameters
    inputs = {n: pt.vector(n) for n in names}
    graph = saturation_shape(
        kind, pt.as_tensor(X), {n: v[:, None] for n, v in inputs.items()}, xp=pt
    )
    gradient = pytensor.function(
        list(inputs.values()), pytensor.grad(graph.sum(), list(inputs.values())), mode=FAST
    )
    for slope in gradient(*(CURVE[n] for n in names)):
        assert np.isfinite(slope).all()


@pytest.mark.parametrize("alpha", [0.01, 0.5, 1.0])
def test_root_has_a_finite_gradient_in_its_input_at_zero(alpha):
    # A learned carryover passes its gradient through the curve, at weeks without media too.
    x = pt.vector("x")
    graph = saturation_shape(SaturationKind.ROOT, x, {"alpha": alpha}, xp=pt)
    gradient = pytensor.function([x], pytensor.grad(graph.sum(), x), mode=FAST)
    got = gradient(np.array([0.0, 0.25]))
    assert np.isfinite(got).all()
    assert got[1] == pytest.approx(alpha * 0.25 ** (alpha - 1), rel=1e-10)


def test_seasonality_equals_pymc_marketing():
    dates = pd.DatetimeIndex(["2023-01-01", "2023-07-02", "2024-02-29", "2024-12-31"])
    yearly = YearlyFourier(n_order=3)
    assert yearly.days_in_period == DAYS_PER_YEAR
    days = dates.day_of_year.to_numpy(float)
    modes = generate_fourier_modes(xtensor(days / yearly.days_in_period, "date"), n_order=3)
    theirs = evaluate(modes.transpose("date", "fourier_mode").values)
    np.testing.assert_allclose(fourier_terms(dates, 3), theirs, rtol=0, atol=1e-12)


def test_seasonality_columns_hand_computed():
    # Day 365.25 / 4 is no date; day 1 of a year is 2 pi / 365.25 in.
    got = fourier_terms(pd.DatetimeIndex(["2023-01-01"]), 2)
    angle = 2 * np.pi / 365.25
    want = [[np.sin(angle), np.sin(2 * angle), np.cos(angle), np.cos(2 * angle)]]
    np.testing.assert_allclose(got, want, rtol=1e-14)
    assert fourier_names(2) == ["sin_1", "sin_2", "cos_1", "cos_2"]


def test_no_harmonics_no_columns():
    assert fourier_terms(pd.date_range("2023-01-01", periods=3), 0).shape == (3, 0)


def test_trend_is_standardized():
    got = standardized_trend(np.arange(5.0), mean=2.0, std=np.sqrt(2))
    np.testing.assert_allclose(got, np.array([-2, -1, 0, 1, 2]) / np.sqrt(2), rtol=1e-15)
