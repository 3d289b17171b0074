"""From where controls count, and that parts still add up."""

import numpy as np
import pytest
from support.worlds import build_world, fitted_model, log_world, make_rows, make_spec, mmm_world

from schemas.names import ComponentKind
from schemas.spec.baseline import ControlReference
from tasks.mathematics.references import choose_reference
from tasks.models.contract import Component


@pytest.mark.parametrize(
    ("values", "reference"),
    [
        ([0.0, 1.0, 1.0, 1.0], ControlReference.ZERO),
        ([0.0, 0.0, 0.0, 3.0, 7.0], ControlReference.ZERO),
        ([9.9, 10.4, 11.0], ControlReference.MEAN),
        ([0.0, 4.0, 5.0, np.nan], ControlReference.MEAN),
        ([1.0, 2.0, 1.0], ControlReference.MEAN),
    ],
)
def test_a_control_counts_from_zero_where_it_is_mostly_absent_or_a_switch(values, reference):
    assert choose_reference(np.array(values)) is reference


@pytest.mark.parametrize("build", [mmm_world, log_world])
@pytest.mark.parametrize("reference", ["zero", "mean", "min", "max", 2.5])
def test_a_control_contributes_nothing_at_its_reference(build, reference):
    world = build(2, controls=[{"name": "ctrl_price", "reference": reference}])
    model, panel = fitted_model(world), world.panel
    values = panel["controls"].sel(control="price")
    window = values.where(panel["is_estimation"])
    at = {
        "zero": values * 0,
        "mean": values * 0 + window.mean("date"),
        "min": values * 0 + window.min("date"),
        "max": values * 0 + window.max("date"),
    }.get(str(reference), values * 0 + 2.5)
    still = panel.assign(controls=at.expand_dims(control=panel["control"].values))
    still = still.transpose(*panel["controls"].dims, ...)
    price = Component("price", ComponentKind.CONTROL)
    contributed = model.contribution(price, still)
    np.testing.assert_allclose(contributed, 0.0, atol=1e-6)
    assert np.abs(model.contribution(price, panel)).max() > 1.0
    total = sum(model.contribution(c, panel) for c in model.components)
    np.testing.assert_allclose(total, model.expected(panel), rtol=1e-9)


def test_a_promotion_counts_only_in_its_own_weeks():
    rows = make_rows()
    rows["ctrl_promo"] = (np.arange(len(rows)) % 5 == 0).astype(float)
    world = build_world(rows, make_spec())
    model, promo = fitted_model(world), world.panel["controls"].sel(control="promo").to_numpy()
    assert set(np.unique(promo)) == {0.0, 1.0}
    parts = model.contribution(Component("promo", ComponentKind.CONTROL), world.panel)
    off = np.broadcast_to(promo == 0, parts.shape)
    np.testing.assert_allclose(parts[off], 0.0, atol=1e-9)
    assert np.ptp(parts[~off].reshape(len(parts), -1), axis=1).max() < 1e-6
    assert np.abs(parts[~off]).min() > 0
