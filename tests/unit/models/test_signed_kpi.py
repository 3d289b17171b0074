"""A KPI of both signs: shares are of its size, returns keep their sign. Laws on prior draws."""

import numpy as np
import pytest
from support.worlds import build_world, make_rows, make_spec

from schemas.errors import SpecError
from tasks.attribute.contribution import attribute_kpi
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.prior_draws import draw_prior
from tasks.models.returns import channel_quantiles, evaluate


def signed_rows():
    """Rows whose KPI adds up to next to nothing."""
    rows = make_rows(2)
    rows["sales"] -= rows.groupby("entity_id")["sales"].transform("mean")
    return rows


@pytest.fixture(scope="module")
def signed():
    stated = {"quantity": "share", "median": 0.1, "spread": 0.01}
    channels = [{"name": n, "spend": f"spend_{n}", "prior": stated} for n in ("tv", "search")]
    world = build_world(signed_rows(), make_spec(channels=channels))
    return world, MmmFitted(draw_prior(world.panel, world.inputs, 200, seed=1), world.inputs)


def test_shares_are_of_the_size_of_the_kpi(signed):
    world, model = signed
    assert world.metadata.has_negative_kpi
    size = np.abs(world.frame["sales"]).sum()
    tv = evaluate(model, world.panel).channels["tv"].contribution.sum(axis=1)
    assert (tv > 0).all()
    assert np.median(tv) / size == pytest.approx(0.1, rel=0.1)
    window = world.panel.isel(date=world.window)
    told = channel_quantiles(evaluate(model, world.panel).channels, window, world.metadata)
    assert told["tv"]["share_median"] == pytest.approx(np.median(tv) / size)


def test_the_split_says_the_same_shares(signed):
    world, model = signed
    split = attribute_kpi(model, world.panel, world.window, seed=1)
    found = split.summary["tv"]
    size = np.abs(world.frame["sales"]).sum()
    assert found["share_mean"] == pytest.approx(found["contribution_mean"] / size)


def test_a_baseline_cannot_be_held_above_zero_under_a_negative_kpi():
    spec = make_spec(model={"non_negative_baseline": True})
    with pytest.raises(SpecError, match="the KPI itself is negative"):
        build_world(signed_rows(), spec)


def test_a_kpi_that_is_never_negative_is_not_signed():
    assert not build_world(make_rows(2), make_spec()).metadata.has_negative_kpi
