"""Media that stand later than they worked are told before a fit; moving them back ends it."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.recovery.hard_worlds import generate_hard_world
from schemas.outcomes import Verdict
from schemas.spec.roles import resolve_roles
from tasks.validate.timing import MIN_GAIN, judge_timing, measure_lateness

N = 130
DAYS = pd.date_range("2023-01-02", periods=N, freq="7D")
RULE = "media_after_kpi"


def series(seed=0):
    rng = np.random.default_rng(seed)
    tv = rng.gamma(2, 500, N) * (rng.random(N) > 0.4)
    web = rng.gamma(4, 120, N)
    sales = 9000 + 1.2 * tv + 1.5 * web + rng.normal(0, 250, N)
    return {"sales": sales.round(2), "spend_tv": tv.round(2), "spend_web": web.round(2)}


def later(values, by):
    return np.concatenate([values[:by], values[:-by]])


def rows_of(columns):
    header = ",".join(["period_start", *columns])
    cells = zip(DAYS.strftime("%Y-%m-%d"), *columns.values(), strict=True)
    return [header, *(",".join(map(str, row)) for row in cells)]


def told(outcome):
    return [f for f in outcome.findings if f.rule == RULE]


@pytest.mark.parametrize("by", [1, 2, 4])
def test_media_that_stand_too_late_are_a_review_and_moved_back_are_none(world, by):
    own = series()
    moved = {c: v if c == "sales" else later(v, by) for c, v in own.items()}
    (found,) = told(world.canonical(rows_of(moved)))
    assert found.verdict is Verdict.REVIEW
    assert f"all media: the KPI moves {by} period(s) before them" in found.message
    assert told(world.canonical(rows_of(own))) == []


def test_one_channel_that_stands_too_late_is_named(world):
    own = series()
    (found,) = told(world.canonical(rows_of(own | {"spend_web": later(own["spend_web"], 3)})))
    assert "channel 'web'" in found.message
    assert found.column == "spend_web"


def test_effects_that_come_later_are_not_taken_for_late_media(world):
    own = series()
    delayed = {c: later(v, 3) if c == "sales" else v for c, v in own.items()}
    assert told(world.canonical(rows_of(delayed))) == []


def test_a_short_file_says_nothing(world):
    own = {c: v[:60] for c, v in series().items()}
    moved = {c: v if c == "sales" else later(v, 1) for c, v in own.items()}
    header = ",".join(["period_start", *moved])
    cells = zip(DAYS.strftime("%Y-%m-%d"), *moved.values(), strict=False)
    assert told(world.canonical([header, *(",".join(map(str, row)) for row in cells)])) == []


def canonical(name, seed):
    world = generate_hard_world(name, seed).world
    roles = resolve_roles(world.spec, list(world.rows.columns))
    renamed = {c.source: c.column for c in roles.controls} | {"sales": roles.kpi_name}
    return world.rows.rename(columns=renamed), roles


@pytest.mark.parametrize("name", ["base", "delayed", "long carryover", "bursts", "many"])
def test_ordinary_worlds_are_passed(name):
    for seed in range(9700, 9703):
        assert judge_timing(*canonical(name, seed)) == []


def test_money_that_follows_sales_is_told():
    late = measure_lateness(*canonical("reverse", 9700))
    assert max(found.gain for found in late.values()) > MIN_GAIN
