"""Channels window by window, and how much of an effect comes at once."""

import numpy as np
import pytest
from support.worlds import fitted_model, log_world, mmm_world, prior_draws

from schemas.documents.windows import ChannelEffects
from tasks.attribute.contribution import attribute_kpi
from tasks.attribute.windows import (
    cut_windows,
    describe_channels,
    measure_timing,
    measure_windows,
)
from tasks.mathematics.panel import estimation_window


def described(world, horizon):
    cut = cut_windows(int(world.window.sum()), horizon)
    split = attribute_kpi(fitted_model(world), world.panel, world.window, seed=1, windows=cut)
    rows = measure_windows(
        estimation_window(world.panel), split.windows, cut, in_money=world.metadata.in_money
    )
    return rows, split, cut


@pytest.mark.parametrize(
    ("n_periods", "horizon", "expected"),
    [
        (10, 4, [(2, 6), (6, 10)]),
        (8, 4, [(0, 4), (4, 8)]),
        (3, 13, [(0, 3)]),
        (200, 13, [(200 - 13 * k, 200 - 13 * (k - 1)) for k in range(8, 0, -1)]),
    ],
    ids=["rest is left", "exact", "short", "at most eight"],
)
def test_windows_are_counted_back_from_the_last_period(n_periods, horizon, expected):
    assert [(w.start, w.stop) for w in cut_windows(n_periods, horizon)] == expected


def test_windows_hold_what_the_tables_hold():
    """Independent route: the published table of contributions, summed over the same periods."""
    world = mmm_world(2)
    rows, split, cut = described(world, 4)
    table = split.contributions.query("component == 'tv'")
    dates = sorted(table["period_start"].unique())
    spend = estimation_window(world.panel)["spend"].sel(channel="tv")
    for row, place in zip(rows["tv"], cut, strict=True):
        part = table[table["period_start"].isin(dates[place])]
        assert row["contribution_mean"] == pytest.approx(part["contribution_mean"].sum())
        assert row["spend"] == pytest.approx(float(spend[:, place].sum()))
        assert row["roas_mean"] == pytest.approx(row["contribution_mean"] / row["spend"])
        assert row["roas_low"] <= row["roas_mean"] <= row["roas_high"]
        assert row["first_period"] == f"{dates[place][0]:%Y-%m-%d}"
    assert rows["email"][-1]["spend"] is None
    assert rows["email"][-1]["roas_mean"] is None


def test_timing_of_a_geometric_carryover_in_closed_form():
    """Without saturation one percent more works at once by the first of the lag weights."""
    world = mmm_world(1, "geometric", "none", l_max=6, carryover_months=1)
    draws = prior_draws(world)
    got = measure_timing(fitted_model(world, draws), world.panel, world.metadata, horizon=8)["tv"]
    alpha = draws["adstock_alpha"].to_numpy()[..., 0].reshape(-1)
    weights = alpha[:, None] ** np.arange(6)
    weights /= weights.sum(axis=1, keepdims=True)
    assert got["immediate_share_mean"] == pytest.approx(weights[:, 0].mean(), rel=1e-6)
    assert got["within_4_share_mean"] == pytest.approx(weights[:, :4].sum(axis=1).mean(), rel=1e-6)


@pytest.mark.parametrize("make", [mmm_world, log_world])
def test_shares_grow_with_time_and_the_document_opens(make):
    world = make(2)
    rows, _, _ = described(world, 4)
    timing = measure_timing(fitted_model(world), world.panel, world.metadata, horizon=4)
    for row in timing.values():
        assert 0 <= row["immediate_share_mean"] <= row["within_4_share_mean"] <= 1 + 1e-9
    document = ChannelEffects.model_validate(describe_channels(rows, timing))
    assert document["tv"].windows[-1].contribution_mean == rows["tv"][-1]["contribution_mean"]
