"""Lift tests as people enter them wrongly: each is told before sampling, the right one is not.

The world has two channels; search rests from week 100 to 105, which would have cost 6 x 20,000 and
brought 60,000.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from support.worlds import build_world, make_rows, make_spec

from schemas.outcomes import Verdict
from tasks.validate.experiments import judge_lift_tests
from tasks.validate.features import judge_terms

RIGHT = {
    "channel": "search", "start": date(2023, 12, 4), "end": date(2024, 1, 14),
    "delta_spend": 120_000.0, "delta_kpi": 60_000.0, "standard_error": 9_000.0,
}  # fmt: skip


def world_of(test):
    rows = make_rows(n_periods=130)
    rng = np.random.default_rng(3)
    rows["spend_search"] = 20_000 + 1_000 * rng.normal(size=130)
    rows["sales"] = 400_000 + 8_000 * rng.normal(size=130) + 0.5 * rows["spend_search"]
    rows.loc[100:105, "spend_search"] = 0.0
    return build_world(rows, make_spec(lift_tests=[test]))


def told(**changes):
    test = {k: str(v) if isinstance(v, date) else v for k, v in {**RIGHT, **changes}.items()}
    world = world_of(test)
    findings = judge_lift_tests(world.frame, world.metadata)
    assert all(f.verdict is Verdict.REVIEW and "search" in f.message for f in findings)
    return [f.rule for f in findings]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"delta_kpi": 2.5, "standard_error": 0.4}, ["lift_test_percent"]),
        ({"delta_kpi": 0.025, "standard_error": 0.004}, ["lift_test_percent"]),
        (
            {"delta_spend": 20_000.0, "delta_kpi": 10_000.0, "standard_error": 1_500.0},
            ["lift_test_average"],
        ),
        (
            {"delta_spend": 120_000 / 42, "delta_kpi": 60_000 / 42, "standard_error": 9_000 / 42},
            ["lift_test_average", "lift_test_error"],
        ),
        ({"delta_kpi": 60_000 / 42, "standard_error": 9_000 / 42}, ["lift_test_error"]),
        ({"delta_kpi": -60_000.0}, ["lift_test_sign"]),
        ({"standard_error": 100.0}, ["lift_test_error"]),
        ({"standard_error": 1e9}, []),
        ({"start": date(2023, 6, 5), "end": date(2023, 7, 16)}, []),
    ],
    ids=[
        "right",
        "per cent",
        "share",
        "average",
        "daily",
        "daily kpi",
        "sign",
        "bold",
        "vague",
        "elsewhere",
    ],
)
def test_what_is_told_of_a_lift_test(changes, expected):
    assert told(**changes) == expected


def panel_with_a_test_in_one_market(share):
    """Three markets; search rested in ``south`` alone, which has a share of its money."""
    rng = np.random.default_rng(4)
    parts = []
    for market, size in (("east", (1 - share) / 2), ("north", (1 - share) / 2), ("south", share)):
        rows = make_rows(n_periods=130).assign(entity_id=market)
        rows["spend_search"] = size * (20_000 + 300 * rng.normal(size=130))
        rows["sales"] = size * (400_000 + 8_000 * rng.normal(size=130)) + rows["spend_search"] / 2
        if market == "south":
            rows.loc[100:105, "spend_search"] = 0.0
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("entity", "share", "expected"),
    [(None, 0.2, ["lift_test_entity"]), ("south", 0.2, []), (None, 0.9, [])],
)
def test_a_test_of_one_market_that_names_none_is_told(entity, share, expected):
    money = share * 120_000.0
    test = {**RIGHT, "entity": entity, "start": "2023-12-04", "end": "2024-01-14"}
    test |= {"delta_spend": money, "delta_kpi": money / 2, "standard_error": money / 13}
    world = build_world(panel_with_a_test_in_one_market(share), make_spec(lift_tests=[test]))
    found = judge_lift_tests(world.frame, world.metadata)
    assert [f.rule for f in found] == expected
    assert all("'south'" in f.message and "entity: south" in f.remedy for f in found)


def test_a_raise_that_the_data_contain_is_told():
    rows = make_rows(n_periods=130)
    rows["spend_search"] = 20_000 + 500.0 * (np.arange(130) % 3)
    rows["sales"] = 400_000 + 9_000.0 * (np.arange(130) % 5)
    rows.loc[100:105, "spend_search"] += 20_000
    test = {**RIGHT, "start": "2023-12-04", "end": "2024-01-14"}
    world = build_world(rows, make_spec(lift_tests=[test]))
    (found,) = judge_lift_tests(world.frame, world.metadata)
    assert found.rule == "lift_test_direction"
    back = {**test, "delta_spend": -120_000.0, "delta_kpi": -60_000.0}
    world = build_world(rows, make_spec(lift_tests=[back]))
    assert judge_lift_tests(world.frame, world.metadata) == []


def test_a_control_that_never_changes_is_left_out_and_told():
    rows = make_rows(3)
    rows["ctrl_region"] = rows["entity_id"].map({"market_0": 1.0, "market_1": 2.0, "market_2": 9.0})
    world = build_world(rows, make_spec())
    assert [c.name for c in world.metadata.controls] == ["price"]
    (found,) = judge_terms(world.metadata)
    assert (found.rule, found.verdict) == ("idle_control", Verdict.PASS)


@pytest.mark.parametrize(("medians", "expected"), [((0.3, 0.4), []), ((0.7, 0.6), [True])])
def test_priors_that_say_more_than_the_kpi_are_told(medians, expected):
    channels = [
        {"name": name, "spend": f"spend_{name}", "prior": {"quantity": "share", "median": median}}
        for name, median in zip(("tv", "search"), medians, strict=True)
    ]
    world = build_world(make_rows(), make_spec(channels=channels))
    found = judge_terms(world.metadata)
    assert [f.rule == "priors_above_kpi" for f in found] == expected
