"""Scores of a recovery benchmark, on draws whose scores are known by hand."""

import numpy as np
import pytest
import xarray as xr

from benchmarks.recovery.scores import (
    Fit,
    cover_totals,
    label_totals,
    scaled_errors,
    score_fit,
    worst_convergence,
)

N_CHAINS, N_DRAWS = 2, 500


def known(values):
    """True contribution of shape ``(entity, channel, date)`` with labels."""
    values = np.asarray(values, dtype=float)
    coords = {"entity": [f"e{i}" for i in range(values.shape[0])]}
    coords["channel"] = [f"c{i}" for i in range(values.shape[1])]
    return xr.DataArray(values, dims=("entity", "channel", "date"), coords=coords)


def normal_totals(truth, *, shift=0.0, seed=0):
    """Totals around the truth with standard deviation 1, moved by ``shift``."""
    rng = np.random.default_rng(seed)
    total = truth.sum("date").to_numpy()
    return label_totals(
        total + shift + rng.standard_normal((N_CHAINS, N_DRAWS, *total.shape)), truth
    )


def fit_of(truth, *, totals, parameters=None):
    rng = np.random.default_rng(1)
    level = xr.DataArray(rng.standard_normal((N_CHAINS, N_DRAWS)), dims=("chain", "draw"))
    parameters = xr.Dataset({"level": level}) if parameters is None else parameters
    return Fit(parameters, totals, weekly=truth, n_divergences=3)


def test_srmse_by_hand_leaves_out_a_channel_that_is_off():
    truth = known([[[1.0, 3.0], [0.0, 0.0]]])
    weekly = truth.copy(data=[[[2.0, 4.0], [5.0, 5.0]]])
    assert scaled_errors(weekly, truth) == pytest.approx([0.5])  # RMSE 1 over a mean of 2


def test_one_tiny_channel_moves_the_mean_and_not_the_median():
    truth = known([[[1.0, 3.0], [2.0, 2.0], [0.01, 0.01]]])
    totals = normal_totals(truth)
    weekly = truth + 1.0
    figures = score_fit(Fit(fit_of(truth, totals=totals).parameters, totals, weekly, 0), truth)
    assert figures["srmse_median"] == pytest.approx(0.5)
    assert figures["srmse"] == pytest.approx((0.5 + 0.5 + 100) / 3)


def test_coverage_counts_what_lies_inside_and_what_does_not():
    truth = known([[[10.0, 10.0], [30.0, 5.0]], [[1.0, 2.0], [0.0, 0.0]]])
    assert str(cover_totals(normal_totals(truth), truth)) == "3/3"
    assert str(cover_totals(normal_totals(truth, shift=5.0), truth)) == "0/3"


def test_the_worst_figure_may_come_from_a_channel_total():
    truth = known([[[10.0, 10.0]]])
    totals = normal_totals(truth)
    totals[1] += 8.0  # the second chain is elsewhere
    ess, r_hat = worst_convergence(fit_of(truth, totals=totals))
    assert r_hat > 1.5
    assert ess < 10


def test_totals_with_other_labels_are_measured_all_the_same():
    truth = known([[[10.0, 10.0]]])
    totals = normal_totals(truth)
    totals[1] += 8.0
    named = xr.Dataset(
        {"beta": (("chain", "draw", "channel"), np.random.default_rng(2).normal(size=(2, 500, 1)))},
        coords={"channel": ["spend_c0"]},
    )
    assert worst_convergence(fit_of(truth, totals=totals, parameters=named))[1] > 1.5


def test_a_constant_is_no_parameter():
    truth = known([[[10.0, 10.0]]])
    zero = xr.Dataset({"beta": (("chain", "draw"), np.zeros((N_CHAINS, N_DRAWS)))})
    ess, r_hat = worst_convergence(fit_of(truth, totals=normal_totals(truth), parameters=zero))
    assert np.isfinite([ess, r_hat]).all()


def test_a_perfect_fit_scores_perfectly():
    truth = known([[[10.0, 10.0], [3.0, 4.0]]])
    figures = score_fit(fit_of(truth, totals=normal_totals(truth)), truth)
    assert figures["srmse"] == 0
    assert figures["coverage"] == 1
    assert (figures["n_channels_inside"], figures["n_channels"]) == (2, 2)
    assert figures["n_divergences"] == 3
