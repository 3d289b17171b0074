"""Stability against the champion, by hand-computed cases."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.documents import make_metadata

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
    assert stability.judge(math.nan, 0.2, where="demo@1").verdict is Verdict.NOT_EVALUATED


MANY = 1e9
"""Draws whose noise does not count."""


def limit_at(share, ess=MANY, stated=GATES.min_overlap_review):
    return moves.scale_overlap(stated, moves.NewData(share, ess, ess))


@pytest.mark.parametrize(
    ("share", "limit"),
    [(0.25, 0.2), (0.16, 0.36), (1 / 105, 0.629), (0.0, 0.629), (0.36, 0.05), (1.0, 0.05)],
    ids=["as-stated", "less", "a-week", "nothing", "more", "all"],
)
def test_the_limit_goes_with_the_root_of_what_is_new(share, limit):
    # Four tenths of the root of a quarter instead of half of it: a move by 0.8 of that at 0.2, so
    # 1 - 0.8 * 0.8 = 0.36. A move by half a standard deviation is 1 - 0.5 / 1.349 = 0.629.
    assert limit_at(share) == pytest.approx(limit, abs=5e-4)


def test_draws_that_are_few_explain_a_move_of_their_own():
    # pi / 2 * (1 / 50 + 1 / 50) = 0.0628 beside a share of 0.1872 is a quarter.
    assert limit_at(0.25 - math.pi / 50, ess=50) == pytest.approx(GATES.min_overlap_review)
    assert limit_at(0.1, ess=50) < limit_at(0.1)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_limit_is_a_share_and_never_rises_with_what_is_new(one, other, stated):
    few, many = sorted((one, other))
    assert 0 <= limit_at(many, stated=stated) <= limit_at(few, stated=stated) <= 1


def test_means_of_nested_data_move_by_the_root_of_the_new_share():
    """Independent route: the mean of normal data with known noise, 104 weeks and 26 more."""
    data = np.random.default_rng(4).normal(size=(20_000, 130))
    moved = (data.mean(axis=1) - data[:, :104].mean(axis=1)) * np.sqrt(104)
    explained = moves.compute_explained(moves.NewData(26 / 130, MANY, MANY))
    assert moved.std() == pytest.approx(explained, rel=0.02)


def test_what_a_quarter_of_new_data_may_move_one_week_may_not():
    then, now = {"tv": row()}, {"tv": row(median=2.6)}
    shifts = moves.compare_channels(now, then)
    verdicts = [
        stability.judge_stability(shifts, GATES, moves.NewData(share, 2000, 2000))[0].verdict
        for share in (0.25, 1 / 105)
    ]
    assert verdicts == [Verdict.PASS, Verdict.REVIEW]


def fitted(first, n, entities=("all",)):
    start = date(2024, 1, 1) + timedelta(days=7 * first)
    return make_metadata(
        entities=list(entities),
        estimation_start=start,
        estimation_end=start + timedelta(days=7 * (n - 1)),
        n_estimation_periods=n,
    )


@pytest.mark.parametrize(
    ("now", "then", "share"),
    [
        (fitted(0, 104), fitted(0, 104), 0.0),
        (fitted(0, 105), fitted(0, 104), 1 / 105),
        (fitted(1, 104), fitted(0, 104), 2 / 105),
        (fitted(0, 104, ("a", "b")), fitted(0, 104, ("a",)), 0.5),
        (fitted(200, 50), fitted(0, 50), 1.0),
    ],
    ids=["same", "a-week", "a-rolling-window", "a-market", "another-time"],
)
def test_what_is_new_is_counted_in_cells(now, then, share):
    assert stability.measure_new_share(now, then) == pytest.approx(share)
