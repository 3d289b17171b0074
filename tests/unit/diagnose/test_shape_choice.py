"""When another shape of the model is tried, and when it is taken."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from schemas.documents.shapes import Shape, ShapeChoice, ShapeRecord, TriedShape
from schemas.names import CHANNEL_DIM
from schemas.spec.baseline import TrendKind
from schemas.spec.channels import AdstockKind, Carryover, Slope
from schemas.spec.model import ModelSpec
from schemas.spec.run_spec import Grain, RunSpec
from tasks.diagnose.shape_choice import (
    CALLED_FROM,
    KEPT,
    LASTING_NOISE,
    LEAST_GAIN,
    SURE,
    ShapeSignals,
    choose_shapes,
    compare,
    measure_signals,
    note_choice,
    open_shapes,
    shapes_to_try,
    with_shapes,
)
from tasks.store.runs.recoveries import question_of

EVERY = list(Shape)
LOUD = ShapeSignals({Shape.STEEP: 9.0, Shape.LONG: 9.0}, 0.5)
QUIET = ShapeSignals({Shape.STEEP: -2.0, Shape.LONG: -2.0}, 0.0)


def tried(shape, gain, error=0.5):
    return TriedShape(shape=shape, elpd_difference=gain, standard_error=error)


def draws(**values):
    return xr.Dataset(
        {
            name: (("chain", "draw", CHANNEL_DIM), np.asarray(v, float)[None])
            for name, v in values.items()
        },
        coords={CHANNEL_DIM: ["tv", "search"]},
    )


def test_what_a_spec_does_not_state_is_open():
    assert open_shapes(ModelSpec()) == EVERY
    assert open_shapes(ModelSpec.model_validate({"trend": "gp"})) == EVERY[:3]


@pytest.mark.parametrize(
    ("stated", "closed"),
    [
        ({"adstock": {"kind": "geometric"}}, {Shape.LONG, Shape.DELAYED}),
        ({"saturation": {"kind": "hill"}}, {Shape.STEEP}),
        ({"trend": True}, {Shape.SMOOTH}),
        ({"autocorrelated_noise": False}, {Shape.SMOOTH}),
        ({"choose": []}, set(EVERY)),
        ({"transform": "acme:Reach"}, set(EVERY)),
    ],
)
def test_what_it_states_is_not_even_where_it_is_the_default(stated, closed):
    assert set(open_shapes(ModelSpec.model_validate(stated))) == set(EVERY) - closed


def test_what_was_stated_is_still_known_after_the_spec_was_written_and_read():
    spec = RunSpec.model_validate({"dataset_id": "d", "model": {"adstock": {"kind": "geometric"}}})
    again = RunSpec.model_validate_json(spec.model_dump_json())
    assert again == spec
    assert open_shapes(again.model) == [Shape.STEEP, Shape.SMOOTH]


def test_a_model_with_shapes_states_them_and_leaves_the_rest_open():
    model = with_shapes(ModelSpec(), [Shape.STEEP, Shape.DELAYED], Grain.WEEK)
    assert (model.adstock.kind, model.adstock.carryover) == (AdstockKind.DELAYED, Carryover.LONG)
    assert model.saturation.slope is Slope.STEEP
    assert open_shapes(model) == [Shape.SMOOTH]
    months = with_shapes(ModelSpec(), [Shape.SMOOTH], Grain.MONTH).trend
    assert (months.kind, months.length_scale) == (TrendKind.GP, 8)


def test_a_bayes_factor_is_the_mean_ratio_of_prior_densities():
    # Beta(2, 2) over Beta(1, 2) is 6 a (1 - a) / (2 (1 - a)) = 3 a: of the draws of both channels
    # 9 * 0.2 * 0.5 = 0.9 and 9 * 0.4 * 0.5 = 1.8, so 1.35 on average. Search alone: 1.5.
    made = draws(adstock_alpha=[[0.2, 0.5], [0.4, 0.5]])
    both = measure_signals(made, ["tv", "search"], [])
    assert both.log_bayes_factors == pytest.approx({Shape.LONG: np.log(1.35)})
    alone = measure_signals(made, ["search"], [])
    assert alone.log_bayes_factors[Shape.LONG] == pytest.approx(np.log(1.5))


def test_steeper_slopes_speak_for_steep_curves():
    flat, steep = (
        measure_signals(draws(saturation_slope=[[s, s]] * 2), [], ["tv", "search"])
        for s in (1.2, 2.6)
    )
    assert flat.log_bayes_factors[Shape.STEEP] < 0 < steep.log_bayes_factors[Shape.STEEP]


def test_nothing_is_tried_where_nothing_speaks_for_it():
    at_limit = ShapeSignals(CALLED_FROM, LASTING_NOISE)
    assert shapes_to_try(at_limit, EVERY, []) == []


def test_what_speaks_for_long_carryover_calls_delayed_too():
    assert shapes_to_try(ShapeSignals({Shape.LONG: 1.1}, 0.0), EVERY, []) == [
        Shape.LONG,
        Shape.DELAYED,
    ]
    assert shapes_to_try(LOUD, EVERY, []) == EVERY


def test_what_is_stated_is_never_tried():
    assert shapes_to_try(LOUD, [Shape.STEEP], [Shape.LONG]) == [Shape.STEEP]


def test_a_shape_of_the_champion_is_tried_whatever_the_draws_say():
    assert shapes_to_try(QUIET, EVERY, [Shape.DELAYED]) == [Shape.DELAYED]


@pytest.mark.parametrize("shape", EVERY)
def test_a_shape_has_to_be_better_by_what_it_has_to_show(shape):
    least = LEAST_GAIN[shape]
    assert choose_shapes([tried(shape, least)], LOUD, []) == []
    assert choose_shapes([tried(shape, least + 0.1)], LOUD, []) == [shape]


def test_a_smooth_trend_has_to_be_surely_better():
    assert choose_shapes([tried(Shape.SMOOTH, 8.0, error=8.0 / SURE)], LOUD, []) == []
    assert choose_shapes([tried(Shape.SMOOTH, 8.0, error=3.9)], LOUD, []) == [Shape.SMOOTH]


def test_a_prior_that_the_draws_speak_against_is_not_taken_for_its_predictions():
    assert choose_shapes([tried(Shape.STEEP, 2.0)], QUIET, []) == []
    assert choose_shapes([tried(Shape.LONG, 2.0)], QUIET, []) == []


def test_carryover_and_drift_compete_and_steep_curves_join_the_winner():
    rivals = [tried(Shape.LONG, 10.4), tried(Shape.DELAYED, -4.0), tried(Shape.SMOOTH, 16.2, 4.7)]
    assert choose_shapes(rivals, LOUD, []) == [Shape.SMOOTH]
    assert choose_shapes([*rivals, tried(Shape.STEEP, 1.0)], LOUD, []) == [
        Shape.STEEP,
        Shape.SMOOTH,
    ]


def test_two_that_are_about_as_good_are_decided_by_what_each_has_to_show():
    about = [tried(Shape.LONG, 5.8), tried(Shape.DELAYED, 6.3)]
    assert choose_shapes(about, LOUD, []) == [Shape.LONG]


@pytest.mark.parametrize("shape", EVERY)
def test_the_choice_does_not_flip_where_evidence_moves_by_a_little(shape):
    """Just above the limit in one week and just below in the next: the champion's shape stays."""
    below = [tried(shape, LEAST_GAIN[shape] - 0.5, error=0.5)]
    weak = ShapeSignals({s: least - 0.5 for s, least in CALLED_FROM.items()}, 0.05)
    assert choose_shapes(below, weak, []) == []
    assert choose_shapes(below, weak, [shape]) == [shape]


@pytest.mark.parametrize("shape", EVERY)
def test_a_shape_of_the_champion_is_left_where_data_speak_against_it(shape):
    against = [tried(shape, LEAST_GAIN[shape] - KEPT - 0.1)]
    assert choose_shapes(against, LOUD, [shape]) == []


def test_fits_are_compared_value_by_value():
    # Gains 1, 1, 4: sum 6; standard deviation sqrt(2), times sqrt(3).
    found = compare(Shape.LONG, np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, -1.0]))
    assert found.elpd_difference == pytest.approx(6.0)
    assert found.standard_error == pytest.approx(np.sqrt(6))


def test_the_note_says_what_was_assumed_tried_and_chosen():
    record = ShapeRecord(
        log_bayes_factors={"long": 1.7},
        champion=[],
        tried=[tried(Shape.LONG, 10.4, 3.9), tried(Shape.SMOOTH, 16.2, 4.7)],
        chosen=[Shape.SMOOTH],
    )
    note = note_choice(record)
    assert note.startswith("shape_chosen: this fit has a smooth trend in place of what is assumed")
    assert "carryover of months (+10.4 ± 3.9); a smooth trend (+16.2 ± 4.7)" in note
    kept = record.model_copy(update={"champion": [Shape.SMOOTH]})
    assert "by default, as the champion has." in note_choice(kept)
    none = record.model_copy(update={"chosen": []})
    assert "nothing was better by enough" in note_choice(none)
    lost = ShapeChoice(record=record).without_other()
    assert lost.chosen == []
    assert "a smooth trend would predict better, but no fit" in note_choice(lost.record)


@pytest.fixture
def champion(monkeypatch):
    """A champion whose refit chose S-shaped curves and a smooth trend."""
    from tasks.diagnose import task_shapes

    monkeypatch.setattr(task_shapes, "current_home", lambda: None)
    monkeypatch.setattr(task_shapes, "_of_champion", lambda *_: [Shape.STEEP, Shape.SMOOTH])
    monkeypatch.setattr(task_shapes, "find_champion", lambda *_: SimpleNamespace(run_id="run-1"))
    made = SimpleNamespace(grain=Grain.MONTH)
    monkeypatch.setattr(task_shapes, "open_document", lambda *_: made)
    return task_shapes


def test_fits_that_choose_nothing_ask_what_the_champion_was_asked(champion):
    spec = RunSpec(dataset_id="shop")
    chosen = with_shapes(spec.model, [Shape.STEEP, Shape.SMOOTH], Grain.MONTH)
    published = spec.model_copy(update={"model": chosen})
    shaped, note = champion.shape_as_champion(spec)
    assert question_of(shaped) == question_of(published) != question_of(spec)
    assert "S-shaped curves and a smooth trend, which the champion's refit chose" in note


def test_what_a_spec_states_is_kept_whatever_the_champion_chose(champion):
    spec = RunSpec.model_validate({"dataset_id": "shop", "model": {"choose": ["saturation"]}})
    shaped, note = champion.shape_as_champion(spec)
    assert shaped.model.saturation.slope is Slope.STEEP
    assert shaped.model.trend == spec.model.trend
    assert "smooth" not in note
    closed = RunSpec.model_validate({"dataset_id": "shop", "model": {"choose": []}})
    assert champion.shape_as_champion(closed) == (closed, None)
    ridge = RunSpec.model_validate({"dataset_id": "shop", "model": {"kind": "ridge"}})
    assert champion.shape_as_champion(ridge) == (ridge, None)


def test_without_a_champion_the_default_shape_is_told(champion, monkeypatch):
    monkeypatch.setattr(champion, "_of_champion", lambda *_: [])
    monkeypatch.setattr(champion, "find_champion", lambda *_: None)
    spec = RunSpec(dataset_id="shop")
    shaped, note = champion.shape_as_champion(spec)
    assert shaped == spec
    assert "assumed by default" in note
