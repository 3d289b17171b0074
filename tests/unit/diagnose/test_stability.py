"""Stability against the champion, by hand-computed cases."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents.effects import Quantiles
from schemas.outcomes import Verdict
from schemas.spec.gates import StabilityGates
from tasks.diagnose import stability
from tasks.mathematics import stability as moves

GATES = StabilityGates()
ENDS = ("median", "low_50", "high_50", "low_90", "high_90")


def row(quantity="roas", median=2.0, half=0.5, wide=1.645):
    values = (median, median - half, median + half, median - wide, median + wide)
    return Quantiles(
        **{f"{quantity}_{end}": value for end, value in zip(ENDS, values, strict=True)}
    )


@pytest.mark.parametrize(
    ("now", "then", "overlap"),
    [
        ((1.0, 2.0), (1.0, 2.0), 1.0),
        ((1.0, 2.0), (1.5, 2.5), 0.5),
        ((1.0, 2.0), (2.0, 3.0), 0.0),
        ((1.0, 2.0), (5.0, 9.0), 0.0),
        ((1.0, 4.0), (2.0, 3.0), 0.5),
        ((2.0, 2.0), (2.0, 2.0), 1.0),
        ((2.0, 2.0), (3.0, 3.0), 0.0),
        ((2.0, 2.0), (1.0, 3.0), 0.0),
    ],
)
def test_overlap_is_twice_the_shared_length_over_the_sum_of_widths(now, then, overlap):
    assert moves.compute_overlap(now, then) == overlap
    assert moves.compute_overlap(then, now) == overlap


@given(*(st.floats(-1e3, 1e3) for _ in range(4)))
def test_overlap_is_a_share(a, b, c, d):
    assert 0 <= moves.compute_overlap(tuple(sorted((a, b))), tuple(sorted((c, d)))) <= 1


def test_the_default_limit_is_a_move_by_1_08_standard_deviations():
    """The quartiles of a normal distribution lie 0.6745 standard deviations from its mean."""
    move = (1 - GATES.min_overlap_review) * 2 * 0.6745
    assert move == pytest.approx(1.08, abs=0.005)
    shifted = (move - 0.6745, move + 0.6745)
    assert moves.compute_overlap(shifted, (-0.6745, 0.6745)) == pytest.approx(0.2)


def test_a_change_is_in_standard_deviations_of_the_champions_posterior():
    """A 90 % interval of width 3.29 is one standard deviation wide."""
    now, then = row(median=3.5), row(median=2.0)
    assert moves.compute_change(now.ends("roas"), then.ends("roas")) == pytest.approx(1.5)
    point = row(median=2.0, wide=0.0)
    assert moves.compute_change(now.ends("roas"), point.ends("roas")) is None
    assert moves.compute_change(point.ends("roas"), point.ends("roas")) == 0.0


def test_churn_is_the_share_of_money_that_moves():
    then = stability.compute_planned_shares({"tv": 60.0, "radio": 40.0})
    now = stability.compute_planned_shares({"tv": 25.0, "search": 75.0})
    assert stability.compute_churn(now, then) == pytest.approx(0.75)
    assert stability.compute_churn(then, then) == 0
    assert stability.compute_churn(now, None) is None
    assert stability.compute_planned_shares({"tv": 0.0}) is None
    assert stability.compute_planned_shares({}) is None


def test_channels_compare_by_roas_else_by_share_and_only_where_both_fits_have_them():
    two = Quantiles(**row().model_dump() | row("share").model_dump(exclude_none=True))
    now = {"tv": row(), "email": row("share"), "new": row(), "odd": row("share")}
    then = {"tv": row(median=2.5), "email": two, "old": row(), "odd": row()}
    shifts = moves.compare_channels(now, then, {"tv": 0.7}, {"tv": 0.4, "old": 0.6})
    assert [(s.channel, s.quantity, s.overlap) for s in shifts] == [
        ("tv", "roas", 0.5),
        ("email", "share", 1.0),
    ]
    assert shifts[0].planned_share_change == pytest.approx(0.3)
    assert moves.compare_channels(now, then, None, {"tv": 1.0})[0].planned_share_change is None


def test_channels_that_moved_are_named_and_reviewed_never_failed():
    then = {name: row() for name in ("tv", "radio", "search")}
    now = {"tv": row(), "radio": row(median=9.0), "search": row(median=2.85)}
    (outcome,) = stability.judge_stability(moves.compare_channels(now, then, None, None), GATES)
    assert (outcome.verdict, outcome.observed) == (Verdict.REVIEW, 0.0)
    assert outcome.where == "radio, search"
    assert "mmm rollback" in outcome.reason
    (same,) = stability.judge_stability(moves.compare_channels(then, then, None, None), GATES)
    assert (same.verdict, same.observed) == (Verdict.PASS, 1.0)


def test_nothing_to_compare_is_no_outcome_and_a_lost_champion_is_no_pass():
    assert stability.judge_stability([], GATES) == []
    assert stability.judge(math.nan, GATES, where="demo@1").verdict is Verdict.NOT_EVALUATED
