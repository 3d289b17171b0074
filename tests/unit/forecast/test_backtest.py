"""A backtest: where its dates lie, what is averaged, and a spec with another kind."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from support.worlds import build_world, fitted_model, make_rows, make_spec, prior_draws

from schemas.answers.backtest import SliceReturn, SliceScore
from schemas.errors import DataContractError, SpecError
from schemas.spec.backtest import BacktestRequest, with_kind
from schemas.spec.errors import parse_run_spec
from tasks.canonicalize.slices import place_origins
from tasks.forecast.backtest import (
    Horizon,
    average_scores,
    measure_slice_returns,
    score_fit,
    summarize_candidate,
    worst_r_hat,
)
from tasks.models.opening import FitData

STARTS = [date(2022, 1, 3) + timedelta(weeks=k) for k in range(80)]


def request(**settings):
    return BacktestRequest(**{"spec_files": ["a.yaml"], "n_slices": 3, "horizon": 4, **settings})


def test_the_newest_date_is_the_last_whose_horizon_has_happened():
    assert place_origins(STARTS, request(step=6)) == [STARTS[63], STARTS[69], STARTS[75]]
    assert place_origins(STARTS, request(n_slices=1, horizon=1)) == [STARTS[78]]


def test_a_slice_without_enough_history_is_refused_with_what_would_do():
    with pytest.raises(DataContractError, match=r"leave 16 of 80 .* ask for 5 slices or fewer"):
        place_origins(STARTS, request(n_slices=6, step=12))
    assert len(place_origins(STARTS, request(n_slices=5, step=12))) == 5
    with pytest.raises(DataContractError, match="ask for a shorter horizon"):
        place_origins(STARTS, request(horizon=60))


@pytest.mark.parametrize("settings", [{"n_slices": 0}, {"horizon": 0}, {"step": 0}, {"folds": 3}])
def test_an_unknown_or_empty_setting_is_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        request(**settings)


def test_another_kind_keeps_the_spec_and_takes_its_own_sampler():
    spec = parse_run_spec(
        {"dataset_id": "d", "draws": 1000, "random_seed": 7, "model": {"adstock": {"l_max": 6}}}
    )
    assert with_kind(spec, "mmm") is spec
    ridge = with_kind(spec, "ridge")
    assert (ridge.model.kind, ridge.model.adstock.l_max) == ("ridge", 6)
    assert (ridge.sampler.draws, ridge.sampler.random_seed) == (250, 7)
    student = parse_run_spec({"dataset_id": "d", "model": {"likelihood": "student_t"}})
    with pytest.raises(SpecError, match="only kind mmm knows this"):
        with_kind(student, "ridge")


@pytest.fixture(scope="module")
def world():
    return build_world(make_rows(2, 60), make_spec())


@pytest.fixture(scope="module")
def coming():
    """Inputs and KPI of the two markets, ten weeks longer than the fit."""
    return make_rows(2, 70)


def test_periods_after_the_fit_are_scored_with_what_happened(world, coming):
    model = fitted_model(world, prior_draws(world, n_draws=50))
    data = FitData(world.panel, world.inputs)
    inputs = coming.rename(columns=_canonical(world))
    rows = score_fit(model, data, inputs, Horizon(4, 1))
    assert len(rows) == 3 * 4
    assert set(rows["periods_ahead"]) == {1, 2, 3, 4}
    together = rows[rows["scope"] == "all"].sort_values("period_start")
    by_hand = coming.groupby("period_start")["sales"].sum().iloc[60:64]
    np.testing.assert_allclose(together["actual"], by_hand)
    louder = inputs.copy()
    late = louder["period_start"] >= louder["period_start"].unique()[60]
    louder.loc[late, world.metadata.channels[0].input_column] *= 3
    moved = score_fit(model, data, louder, Horizon(4, 1))
    gain = moved["kpi_p50"].to_numpy() - rows["kpi_p50"].to_numpy()
    assert (gain >= 0).all()
    assert (gain > 0).sum() >= 9


def test_returns_of_every_channel_are_of_one_quantity(world):
    model = fitted_model(world, prior_draws(world, n_draws=50))
    returns = measure_slice_returns(model, FitData(world.panel, world.inputs))
    assert returns["tv"].quantity == "roas"
    assert returns["email"].quantity == "share"
    assert returns["tv"].low_90 <= returns["tv"].median <= returns["tv"].high_90


def scored(n, scope="all", **numbers):
    values = {"crps": 2.0, "in_50": True, "in_90": True, "ape": 0.1, "abs_error": 1.0,
              "naive_error": 4.0, **numbers}  # fmt: skip
    return pd.DataFrame(
        [{"scope": scope, "basis": "deployed", "periods_ahead": k + 1, **values} for k in range(n)]
    )


def test_means_are_of_the_sum_over_entities():
    rows = pd.concat([scored(4), scored(4, scope="entity", crps=99.0)])
    means = average_scores(rows)
    assert (means["n_scored"], means["crps"], means["skill"]) == (4, 2.0, 0.75)
    assert average_scores(rows[:0])["crps"] is None


def slice_score(origin, median, **facts):
    return SliceScore.model_validate(
        {
            "candidate": "a", "origin": origin, "as_of": origin, "as_known": False, "n_fitted": 60,
            "n_scored": 4, "crps": 1.0, "mape": 0.1, "coverage_50": 0.5, "coverage_90": 0.9,
            "skill": 0.1, "r_hat_max": None, "seconds": 2.0,
            "returns": {"tv": SliceReturn(quantity="roas", median=median, low_90=0, high_90=9)},
            **facts,
        }
    )  # fmt: skip


def test_a_candidate_is_summarized_over_the_dates_that_count():
    made = [
        slice_score(STARTS[60], 1.0),
        slice_score(STARTS[64], 3.0),
        slice_score(STARTS[68], 0.0, error="no draws", returns={}),
    ]
    found = summarize_candidate(
        "a", "ridge", made, {STARTS[60]: scored(4), STARTS[64]: scored(4, crps=4.0)}
    )
    assert (found.n_slices, found.n_failed, found.n_scored) == (2, 1, 8)
    assert (found.crps, found.seconds) == (3.0, 6.0)
    assert found.return_spread["tv"] == pytest.approx(np.sqrt(2) / 2)
    nothing = summarize_candidate("a", "ridge", made[2:], {})
    assert (nothing.n_scored, nothing.crps, nothing.return_spread) == (0, None, {})


def test_the_worst_r_hat_leaves_out_what_does_not_vary():
    rng = np.random.default_rng(0)
    dims = ("chain", "draw")
    draws = xr.Dataset({"a": (dims, rng.normal(size=(4, 500))), "b": (dims, np.ones((4, 500)))})
    assert worst_r_hat(draws) == pytest.approx(1.0, abs=0.02)
    assert worst_r_hat(draws[["b"]]) is None


def _canonical(world):
    """Source columns by the canonical names that the warehouse has."""
    metadata = world.metadata
    names = {c.input_source: c.input_column for c in metadata.channels}
    return {**names, **{f"ctrl_{c.name}": c.column for c in metadata.controls}}
