"""Columns that were averaged, cut off or lack some periods are told, and clean ones are not."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.recovery.hard_worlds import generate_hard_world
from schemas.outcomes import Verdict
from tasks.validate.altered import averaged_over, find_hole

N = 150
DAYS = pd.date_range("2022-01-03", periods=N, freq="7D")


def series(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "sales": (900 + 60 * rng.standard_normal(N)).round(2),
        "spend_tv": (rng.gamma(2, 500, N) * (rng.random(N) > 0.4)).round(2),
        "spend_web": rng.gamma(6, 90, N).round(2),
    }


def rows_of(columns):
    header = ",".join(["period_start", *columns])
    cells = zip(DAYS.strftime("%Y-%m-%d"), *columns.values(), strict=True)
    return [header, *(",".join(map(str, row)) for row in cells)]


def averaged(values, span):
    return pd.Series(values).rolling(span, min_periods=1).mean().round(2).to_numpy()


def rules(outcome, *verdicts):
    wanted = verdicts or (Verdict.REVIEW, Verdict.FAIL)
    return [f.rule for f in outcome.findings if f.verdict in wanted]


@pytest.mark.parametrize("column", ["sales", "spend_web"])
def test_a_moving_average_is_a_review_and_what_it_was_made_of_is_none(world, column):
    own = series()
    outcome = world.canonical(rows_of(own | {column: averaged(own[column], 4)}))
    assert "moving_average" in rules(outcome)
    (found,) = [f for f in outcome.findings if f.rule == "moving_average"]
    assert found.column == column
    assert "last 4 periods" in found.message
    assert rules(world.canonical(rows_of(own))) == []


@pytest.mark.parametrize("span", [4, 5])
@pytest.mark.parametrize("is_sum", [False, True])
def test_averages_and_sums_over_some_periods_are_recognized(span, is_sum):
    found = 0
    for seed in range(10):
        own = pd.Series(series(seed)["spend_web"], DAYS).rolling(span)
        found += averaged_over((own.sum() if is_sum else own.mean()).dropna()) == span
    assert found >= 8


def test_series_that_only_last_are_no_averages():
    rng = np.random.default_rng(3)
    for retention in (0.0, 0.5, 0.9, 0.99):
        values = np.zeros(N)
        for t in range(1, N):
            values[t] = retention * values[t - 1] + rng.standard_normal()
        assert averaged_over(pd.Series(values, DAYS)) is None


@pytest.mark.parametrize("name", ["base", "ar 0.8", "step", "christmas", "bursts"])
def test_ordinary_worlds_hold_no_averages(name):
    for seed in range(9700, 9703):
        rows = generate_hard_world(name, seed).world.rows.set_index("period_start")
        columns = [c for c in rows if c == "sales" or c.startswith("spend_")]
        assert {averaged_over(rows[c]) for c in columns} == {None}


def test_a_kpi_that_was_cut_off_is_a_review_and_demand_is_none(world):
    own = series()
    cut = np.minimum(own["sales"], np.quantile(own["sales"], 0.8))
    outcome = world.canonical(rows_of(own | {"sales": cut.round(2)}))
    (found,) = [f for f in outcome.findings if f.rule == "kpi_ceiling"]
    assert found.verdict is Verdict.REVIEW
    assert "30 periods" in found.message
    assert rules(world.canonical(rows_of(own))) == []


def test_small_counts_have_no_ceiling(world):
    own = series()
    counts = np.random.default_rng(1).integers(0, 9, N)
    assert "kpi_ceiling" not in rules(world.canonical(rows_of(own | {"sales": counts})))


def test_some_periods_without_a_channel_that_is_always_on_are_noted(world):
    own = series()
    web = own["spend_web"].copy()
    web[50:62] = 0.0
    outcome = world.canonical(rows_of(own | {"spend_web": web}))
    (found,) = [f for f in outcome.findings if f.rule == "hole_in_media"]
    assert (found.verdict, found.column) == (Verdict.PASS, "spend_web")
    assert f"{DAYS[50]:%Y-%m-%d} to {DAYS[61]:%Y-%m-%d}" in found.message
    assert not world.canonical(rows_of(own)).findings


@pytest.mark.parametrize(
    ("off", "hole"),
    [
        ([(50, 62)], (50, 61)),
        ([(0, 40)], None),
        ([(110, N)], None),
        ([(30, 40), (70, 80)], None),
        ([(50, 51)], None),
        ([(50, 90)], None),
    ],
)
def test_a_hole_is_one_pause_in_the_middle(off, hole):
    values = np.ones(N)
    for first, last in off:
        values[first:last] = 0.0
    assert find_hole(values) == hole
