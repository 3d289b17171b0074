"""What arrived, on its way through ingest and canonicalization: found at once, and named."""

import pytest

from schemas.outcomes import Verdict


def with_last(lines, **fields):
    header = lines[0].split(",")
    last = dict(zip(header, lines[-1].split(","), strict=True)) | fields
    return [*lines[:-1], ",".join(last[name] for name in header)]


def reviews(outcome):
    return {f.rule: f for f in outcome.findings if f.verdict is Verdict.REVIEW}


@pytest.mark.parametrize(
    ("fields", "rule", "column"),
    [
        ({"ctrl_price": "1000"}, "unusual_values", "ctrl_price"),
        ({"spend_tv": "2500"}, "unusual_cost_per_unit", "act_tv"),
        ({"act_tv": "0", "spend_tv": "0"}, "dead_column", "act_tv"),
    ],
)
def test_a_fault_of_the_newest_week_is_a_review_with_its_place(world, lines, fields, rule, column):
    content = lines(80)
    found = reviews(world.canonical(with_last(content, **fields)))
    assert found[rule].column == column
    assert found[rule].places == [f"north, {content[-1].split(',')[1]}"]
    assert repr(column) in found[rule].message
    assert found[rule].remedy


def test_weeks_like_those_before_are_no_finding(world, lines):
    assert not reviews(world.canonical(lines(80)))


def test_all_that_came_is_judged_and_four_periods_at_least(world, lines):
    world.snapshot(lines(60))
    found = reviews(world.canonical([*with_last(lines(61), ctrl_price="1000"), *lines(70)[62:]]))
    assert "unusual_values" in found


def test_a_short_history_is_not_judged(world, lines):
    assert "unusual_values" not in reviews(
        world.canonical(with_last(lines(29), ctrl_price="99999"))
    )
