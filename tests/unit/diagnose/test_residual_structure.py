"""What residuals still know: of later spend, of effects that drift, of steps of the level."""

from functools import cache

import numpy as np
import pytest
from support.worlds import fitted_model, mmm_world, prior_draws

from tasks.diagnose.residual_structure import (
    CHANCE_LIMIT,
    Score,
    _Residuals,
    measure_residual_structure,
    note_residuals,
)
from tasks.mathematics.panel import IS_ESTIMATION

NOTES = ("later_spend", "effect_drift", "level_step")


class Remembering:
    """One draw of a model, and residuals that are given to it."""

    def __init__(self, model, left):
        self._model, self._left = model, left

    def __getattr__(self, name):
        return getattr(self._model, name)

    def thinned(self, n_draws):
        del n_draws
        return self

    def innovations(self, panel, expected):
        del panel, expected
        return self._left[None]


@cache
def known_world(n_entities):
    return mmm_world(n_entities, n_periods=120)


@pytest.fixture(params=[1, 3], ids=["one entity", "panel"])
def world(request):
    return known_world(request.param)


@cache
def one_draw(n_entities):
    made = known_world(n_entities)
    return fitted_model(made, prior_draws(made, n_draws=2).isel(chain=[0], draw=[0]))


def scores(world, left):
    model = one_draw(world.panel.sizes["entity"])
    window = world.panel[IS_ESTIMATION].to_numpy()
    made = Remembering(model, left)
    return measure_residual_structure(made, world.panel, world.inputs, window)


def noise(world, seed=4):
    shape = (world.panel.sizes["entity"], world.panel.sizes["date"])
    return np.random.default_rng(seed).normal(0, 10, shape)


def test_white_noise_has_scores_like_those_of_chance(world):
    found = [scores(world, noise(world, seed)) for seed in range(12)]
    for name in ("later_spend", "effect_drift", "curve", "long_lags"):
        assert np.median([abs(one[name].value) for one in found]) < 2.2
    assert np.median([one["tails"].value for one in found]) < 0.7
    assert np.median([one["lasting"].value for one in found]) < 2


def test_a_residual_that_comes_before_spend_is_later_spend(world):
    media = np.log1p(
        world.panel["media"].sel(channel="search").transpose("entity", "date").to_numpy()
    )
    ahead = np.roll(media, -1, axis=1)
    ahead = (ahead - ahead.mean()) / ahead.std()
    found = scores(world, noise(world) + 10 * ahead)["later_spend"]
    assert found.chance < CHANCE_LIMIT
    assert found.where == "search"
    assert scores(world, noise(world) - 10 * ahead)["later_spend"].where != "search"


def test_an_effect_that_shrinks_is_found_at_its_channel(world):
    media = world.panel["media"].sel(channel="tv").transpose("entity", "date").to_numpy()
    time = np.linspace(1, -1, media.shape[1])
    drift = 35 * time * media / media.max()
    found = scores(world, noise(world) + drift)["effect_drift"]
    assert found.chance < CHANCE_LIMIT
    assert found.where == "tv"


def test_a_step_of_the_level_is_found(world):
    step = 30.0 * (np.arange(world.panel.sizes["date"]) >= 70)
    assert scores(world, noise(world) + step)["level_step"].chance < CHANCE_LIMIT


def test_noise_that_lasts_and_rare_large_errors_are_seen(world):
    white = noise(world)
    assert scores(world, np.cumsum(white, axis=1))["lasting"].value > 4
    white[0, 5] += 150
    assert scores(world, white)["tails"].value > 3


def test_residuals_of_zero_have_no_score(world):
    found = scores(world, np.zeros_like(noise(world)))
    assert all((found[name].value, found[name].chance) == (0, 1) for name in NOTES)


def test_notes_err_as_often_as_they_say_where_nothing_is_left(world):
    """White noise, less what a regression on all that the model has would take out of it."""
    rates = dict.fromkeys(NOTES, 0)
    n_any, n_fits = 0, 60
    for seed in range(n_fits):
        found = scores(world, noise(world, seed))
        called = [name for name in NOTES if found[name].chance < CHANCE_LIMIT]
        n_any += bool(called)
        for name in called:
            rates[name] += 1
    # Binomial: 60 fits exceed 17 once in 400 times at 15 %, and 8 once in 250 times at 5 %.
    assert n_any <= 17
    assert all(rate <= 8 for rate in rates.values())


def test_the_largest_of_many_is_held_against_many(world):
    """The same t is rarer where fewer channels could have had it; correlated ones count less."""
    model = fitted_model(world, prior_draws(world, n_draws=2).isel(chain=[0], draw=[0]))
    window = world.panel[IS_ESTIMATION].to_numpy()
    made = Remembering(model, noise(world))
    seen = _Residuals(made, world.panel, world.inputs, window)

    def rate(correlation):
        return float((seen._largest_by_chance(correlation, both_signs=False) > 2.0).mean())

    alone, same, apart = rate(np.eye(1)), rate(np.ones((6, 6))), rate(np.eye(6))
    assert alone == pytest.approx(0.0228, abs=0.015)
    assert same == pytest.approx(alone, abs=0.01)
    assert apart == pytest.approx(1 - (1 - alone) ** 6, abs=0.03)


def test_a_note_names_the_channel_and_the_remedy_and_nothing_is_noted_at_the_limit():
    at_limit = {name: Score(2.5, "tv", CHANCE_LIMIT) for name in NOTES}
    assert note_residuals(at_limit) == []
    (note,) = note_residuals({**at_limit, "later_spend": Score(4.2, "search", CHANCE_LIMIT / 10)})
    assert note.startswith("later_spend: the KPI rises before money is spent on search")
    assert "lift test" in note
    assert "t 4.2" in note
    assert "0.5\N{NO-BREAK SPACE}% by chance" in note
