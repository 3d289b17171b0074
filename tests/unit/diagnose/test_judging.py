"""Verdicts at, just over and without a number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.outcomes import Verdict
from tasks.mathematics.judging import judge_at_least, judge_at_most

SEVERITY = [Verdict.PASS, Verdict.REVIEW, Verdict.FAIL]


def at_most(observed, review_limit=1.05, where="beta"):
    limits = (1.01, review_limit)
    return judge_at_most("r_hat_max", observed, limits, "Sample longer.", where=where)


def at_least(observed, review_limit=200):
    return judge_at_least("ess", observed, (400, review_limit), "Sample longer.")


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        (1.0, Verdict.PASS),
        (1.01, Verdict.PASS),
        (math.nextafter(1.01, 2), Verdict.REVIEW),
        (1.05, Verdict.REVIEW),
        (math.nextafter(1.05, 2), Verdict.FAIL),
        (math.nan, Verdict.NOT_EVALUATED),
        (math.inf, Verdict.NOT_EVALUATED),
    ],
)
def test_at_most(observed, verdict):
    assert at_most(observed).verdict is verdict


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [
        (400, Verdict.PASS),
        (399.999, Verdict.REVIEW),
        (200, Verdict.REVIEW),
        (199.999, Verdict.FAIL),
        (math.nan, Verdict.NOT_EVALUATED),
    ],
)
def test_at_least(observed, verdict):
    assert at_least(observed).verdict is verdict


def test_without_a_review_limit_the_worst_is_a_review():
    assert at_most(99.0, review_limit=math.inf).verdict is Verdict.REVIEW
    assert at_least(0.0, review_limit=-math.inf).verdict is Verdict.REVIEW
    assert at_most(99.0, review_limit=math.inf).review_limit is None


def test_a_reason_names_number_place_limit_and_remedy():
    assert at_most(1.2).reason == "r_hat_max is 1.2 (beta), needs at most 1.01. Sample longer."
    assert at_least(10).reason == "ess is 10, needs at least 400. Sample longer."
    assert at_most(1.0).reason == ""


def test_what_could_not_be_computed_says_so():
    outcome = at_most(math.nan)
    assert outcome.observed is None
    assert outcome.reason == "r_hat_max could not be computed (beta). Sample longer."


@given(st.floats(0, 10), st.floats(0, 10))
def test_more_is_never_judged_better_where_less_is_wanted(a, b):
    low, high = sorted((a, b))
    assert SEVERITY.index(at_most(low).verdict) <= SEVERITY.index(at_most(high).verdict)
    assert SEVERITY.index(at_least(high).verdict) <= SEVERITY.index(at_least(low).verdict)
