"""The linear design: which terms there are, what they may do, and their numbers."""

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world, log_world, make_rows, make_spec, mmm_world

from schemas.names import ComponentKind
from tasks.mathematics.carryover import recursive_adstock
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_components, linear_design, linear_terms, terms_of

EVENTS = [
    {"name": "launch", "dates": ["2022-05-05"]},
    {"name": "strike", "start": "2022-08-01", "end": "2022-08-21"},
]
RICH = {"trend": {"kind": "piecewise", "changepoints": 2}, "events": EVENTS, "holidays": "DE"}


@pytest.fixture(scope="module")
def world():
    price = {"name": "ctrl_price", "sign": "negative", "decay": 0.5, "max_lag": 4}
    return mmm_world(2, controls=[price], model=RICH, carryover_months=2)


def test_terms_are_controls_trend_fourier_events(world):
    terms = linear_terms(world.inputs)
    assert [(t.name, t.component.name, t.component.kind.value) for t in terms] == [
        ("price", "price", "control"),
        ("trend", "trend", "trend"),
        ("trend_1", "trend", "trend"),
        ("trend_2", "trend", "trend"),
        ("sin_1", "seasonality", "seasonality"),
        ("cos_1", "seasonality", "seasonality"),
        ("launch", "launch", "event"),
        ("strike", "strike", "event"),
        ("holidays", "holidays", "event"),
    ]


def test_a_control_has_the_sign_the_spec_gives_it(world):
    assert [t.sign for t in linear_terms(world.inputs)] == [-1, 0, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("sign", "number"), [("any", 0), ("positive", 1), ("negative", -1)])
def test_signs_as_numbers(sign, number):
    controls = [{"name": "ctrl_price", "sign": sign}]
    assert linear_terms(mmm_world(controls=controls).inputs)[0].sign == number


def test_only_bends_are_held_tighter(world):
    sds = [t.relative_sd for t in linear_terms(world.inputs)]
    bend = 0.5 / np.sqrt(2)
    assert sds == pytest.approx([1, 1, bend, bend, 1, 1, 1, 1, 1])


def test_components_are_reported_once_with_all_their_terms(world):
    components = linear_components(world.inputs)
    assert [c.name for c in components] == [
        *("price", "trend", "seasonality", "launch", "strike", "holidays")
    ]
    assert terms_of(components[1], world.inputs) == [1, 2, 3]
    assert [c.kind for c in components[3:]] == [ComponentKind.EVENT] * 3


def test_the_design_has_a_column_per_term_for_every_period(world):
    design = linear_design(world.panel, world.inputs)
    assert design.shape == (2, 9, 60)
    np.testing.assert_array_equal(design[0, 1:], design[1, 1:])


def test_events_are_shares_of_their_weeks(world):
    design = linear_design(world.panel, world.inputs)
    launch, strike = design[0, 6], design[0, 7]
    dates = pd.DatetimeIndex(world.panel["date"].values)
    assert launch[dates == "2022-05-02"] == 1 / 7
    assert launch.sum() == pytest.approx(1 / 7)
    assert strike[(dates >= "2022-08-01") & (dates <= "2022-08-15")].tolist() == [1, 1, 1]
    assert strike.sum() == 3


def test_a_stated_carryover_comes_before_the_z_score(world):
    price = world.panel["controls"].to_numpy()[:, 0]
    carried = recursive_adstock(price, decay=0.5, max_lag=4)
    fitted = carried[:, world.window]
    want = (carried - fitted.mean()) / fitted.std()
    np.testing.assert_allclose(linear_design(world.panel, world.inputs)[:, 0], want, rtol=1e-10)


def test_the_frame_shows_the_design(world):
    design = linear_design(world.panel, world.inputs)
    columns = ["z_ctrl_price", "trend", "trend_1", "trend_2", "sin_1", "cos_1"]
    columns += ["event_launch", "event_strike", "event_holidays"]
    one = world.frame[world.frame["entity_id"] == "market_0"]
    np.testing.assert_array_equal(one[columns].to_numpy().T, design[0])


@pytest.mark.parametrize("trend", ["linear", "piecewise", "gp"])
def test_the_past_looks_the_same_from_a_longer_panel(trend):
    """A forecast appends periods; every column of the fitted ones must stay as it was."""
    price = {"name": "ctrl_price", "decay": 0.7}
    fit = mmm_world(controls=[price], model={**RICH, "trend": trend})
    rows = make_rows(1, 90)
    rows.loc[:59, "ctrl_price"] = make_rows(1, 60)["ctrl_price"].to_numpy()
    longer = build_world(rows, make_spec(controls=[price], model={"yearly_seasonality": 0}))
    inputs = ModelInputs(fit.inputs.metadata, fit.inputs.scales)
    np.testing.assert_array_equal(
        linear_design(longer.panel, inputs)[..., :60], linear_design(fit.panel, fit.inputs)
    )


def test_a_smooth_trend_has_its_basis_and_no_line():
    world = mmm_world(model={"trend": {"kind": "gp", "basis": 5}})
    names = [t.name for t in linear_terms(world.inputs) if t.component.name == "trend"]
    assert names == [f"trend_{k}" for k in range(1, 6)]


def test_terms_of_kind_log_student_t_are_plain():
    terms = linear_terms(log_world().inputs)
    assert [t.name for t in terms] == ["price", "trend", "sin_1", "sin_2", "cos_1", "cos_2"]
    assert {(t.sign, t.relative_sd) for t in terms} == {(0, 1.0)}


def test_kind_log_student_t_can_do_without_a_trend():
    world = log_world(feature_config={"trend": {"enabled": False}})
    assert "trend" not in [t.name for t in linear_terms(world.inputs)]


def test_nothing_asked_nothing_built():
    world = mmm_world(controls=[], model={"trend": False, "yearly_seasonality": 0})
    assert linear_terms(world.inputs) == []
    assert linear_design(world.panel, world.inputs).shape == (1, 0, 60)
