"""The escalation's decisions as a table, and its two bounds."""

import itertools

import pytest
from support.attempts import FAILURES, attempt

from schemas.documents.retries import RetryKind, SamplingGate
from schemas.outcomes import Verdict
from schemas.spec.gates import SamplingGates
from schemas.spec.sampler import EscalationSpec, SamplerBackend, SamplerSpec
from tasks.diagnose.convergence import Evidence, judge_convergence, observed_at
from tasks.fit.escalation import (
    best_attempt,
    describe_retries,
    expected_seconds,
    first_try,
    next_retry,
    report_failure,
    why_stopped,
)

BASE = SamplerSpec(escalation=EscalationSpec(max_retries=6))


def climb(failures, settings=BASE, *, seconds=1.0, sampler="kernel"):
    """Retries that are tried where every fit fails alike."""
    tried = [attempt(failures, settings=settings, seconds=seconds, sampler=sampler)]
    while (retry := next_retry(settings, tried)) is not None:
        backend = retry.settings.backend
        used = sampler if backend is settings.backend else str(backend)
        tried.append(attempt(failures, seconds=seconds, sampler=used).model_copy(
            update={"retry": retry}))  # fmt: skip
        assert len(tried) < 20, "the escalation has no end"
    return tried[1:]


@pytest.mark.parametrize(
    ("failures", "kinds"),
    [
        ("far", ["restart", "careful", "patient", "other_sampler"]),
        ("r_hat", ["careful", "patient", "other_sampler"]),
        ("divergences", ["careful", "patient", "other_sampler"]),
        ("ebfmi", ["careful", "patient", "other_sampler"]),
        ("depth", ["tune", "longer", "other_sampler"]),
        ("ess", ["longer", "patient", "other_sampler"]),
        ("r_hat_review", ["longer", "patient"]),
        ("ess_review", ["longer", "patient"]),
        ("divergences_review", ["careful", "patient"]),
        ("depth_review", ["tune", "longer"]),
        ("none", []),
    ],
)
def test_what_failed_decides_what_is_tried(failures, kinds):
    assert [str(a.retry.kind) for a in climb(failures)] == kinds


def test_the_settings_of_each_retry():
    retries = [a.retry.settings for a in climb("divergences")]
    reported = [(s.tune, s.draws, s.target_accept, s.backend) for s in retries]
    assert reported == [
        (2000, 1000, 0.975, SamplerBackend.AUTO),
        (4000, 2000, 0.99, SamplerBackend.AUTO),
        (4000, 2000, 0.99, SamplerBackend.NUTPIE),
    ]


def test_few_effective_draws_alone_do_not_raise_target_accept():
    retry = climb("ess")[0].retry
    assert (retry.settings.draws, retry.settings.tune) == (2000, 1000)
    assert retry.settings.target_accept == BASE.target_accept
    assert retry.reason == "ess_bulk_min 90 failed: draws 1000 to 2000"


def test_chains_in_different_modes_get_another_start_once():
    assert [a.retry.settings.random_seed for a in climb("far")] == [43, 43, 43, 43]


def test_more_tuning_for_deep_trees_leaves_the_step_length():
    assert {a.retry.settings.target_accept for a in climb("depth")} == {BASE.target_accept}


@pytest.mark.parametrize(
    ("sampler", "backends"), [("kernel", ["nutpie"]), ("nutpie", ["pymc"]), ("pymc", [])]
)
def test_the_other_sampler_is_the_next_backend_until_there_is_none(sampler, backends):
    tried = [a.retry.settings.backend for a in climb("divergences", sampler=sampler)]
    assert [str(b) for b in tried if b is not BASE.backend] == backends


def test_what_fails_next_changes_the_way_but_nothing_raised_is_lowered():
    first = attempt("ess", settings=BASE)
    retry = next_retry(BASE, [first])
    then = attempt("divergences").model_copy(update={"retry": retry})
    after = next_retry(BASE, [first, then])
    assert after.kind is RetryKind.CAREFUL
    assert (after.settings.draws, after.settings.tune) == (2000, 2000)


@pytest.mark.parametrize("max_retries", [0, 1, 2, 3])
def test_the_number_of_retries_is_bounded(max_retries):
    settings = SamplerSpec(escalation=EscalationSpec(max_retries=max_retries))
    tried = [attempt("far"), *climb("far", settings)]
    assert len(tried) == 1 + max_retries
    assert why_stopped(settings, tried) == f"sampler.escalation.max_retries is {max_retries}"


def test_no_retry_begins_that_is_expected_to_take_longer_than_is_left():
    # 10 s for 2000 iterations; careful has 3000 and shorter steps: 10 * 1.5 * 1.5 = 22.5 s.
    first = attempt("divergences", seconds=10.0)
    careful = next_retry(BASE, [first]).settings
    assert expected_seconds(first, careful) == pytest.approx(22.5)
    for minutes, begins in [(32.4 / 60, False), (32.6 / 60, True)]:
        limited = SamplerSpec(escalation=EscalationSpec(max_retries=6, max_minutes=minutes))
        retry = next_retry(limited, [first])
        assert (retry is not None) == begins
        if retry is None:
            assert "max_minutes" in why_stopped(limited, [first])
        else:
            assert retry.limit_seconds == pytest.approx(60 * minutes - 10)


def test_without_a_limit_of_its_own_the_retries_has_the_time_of_one_fit():
    settings = SamplerSpec(timeout_minutes=1)
    assert next_retry(settings, [attempt("divergences", seconds=50.0)]) is None
    assert next_retry(settings, [attempt("divergences", seconds=5.0)]) is not None


def test_a_retry_that_ended_in_an_error_counts_and_the_next_one_goes_by_the_fit_before():
    settings = SamplerSpec(escalation=EscalationSpec(max_retries=2))
    first = attempt("divergences", settings=settings)
    broken = attempt(None).model_copy(update={"retry": next_retry(settings, [first])})
    third = next_retry(settings, [first, broken])
    assert third.kind is RetryKind.PATIENT
    assert next_retry(settings, [first, broken, broken]) is None


def test_settings_stay_within_what_a_spec_may_ask_for():
    high = SamplerSpec(
        draws=20_000, tune=20_000, target_accept=0.9999, escalation=EscalationSpec(max_retries=6)
    )
    for failures in FAILURES:
        for tried in climb(failures, high):
            SamplerSpec.model_validate(tried.retry.settings.model_dump())


def test_retries_that_would_change_nothing_are_left_out():
    high = SamplerSpec(draws=20_000, target_accept=0.9999, tune=20_000)
    assert [str(a.retry.kind) for a in climb("ess", high)] == ["other_sampler"]


def test_every_retries_ends_whatever_fails():
    names = [n for n in FAILURES if n != "none"]
    for order in itertools.product(names, repeat=3):
        tried = [attempt(order[0], settings=BASE)]
        while (retry := next_retry(BASE, tried)) is not None:
            failures = order[min(len(tried), 2)]
            tried.append(attempt(failures).model_copy(update={"retry": retry}))
        assert len(tried) <= 1 + BASE.escalation.max_retries
        kinds = [a.retry.kind for a in tried]
        assert len(kinds) == len(set(kinds))


def test_the_first_fit_that_is_sampled_well_is_taken():
    tried = [attempt("ess"), attempt("none", number=1), attempt("none", number=2)]
    assert best_attempt(tried).retry.number == 1


def test_of_fits_that_all_fail_the_least_bad_is_taken():
    worse = attempt("far", number=0)
    better = attempt("r_hat", number=1, ess_bulk_min=100.0)
    alike = attempt("r_hat", number=2, ess_bulk_min=150.0)
    broken = attempt(None, number=3)
    tried = [worse, better, alike, broken]
    assert best_attempt(tried).retry.number == 2
    sentence = report_failure(BASE, tried, best_attempt(tried))
    assert "No fit of 4" in sentence
    assert "fit 2" in sentence


def test_a_retries_that_ends_well_or_was_never_begun_adds_no_reason():
    good = [attempt("ess"), attempt("none", number=1)]
    assert report_failure(BASE, good, good[1]) == ""
    assert report_failure(BASE, [attempt("ess")], attempt("ess")) == ""


def test_the_story_has_settings_seconds_and_diagnostics_of_every_fit():
    tried = [attempt("ess", settings=BASE), *climb("ess")[:1], attempt(None, number=2)]
    story = describe_retries(BASE, tried, tried[0])
    assert [row["number"] for row in story["rungs"]] == [0, 1, 2]
    assert story["rungs"][1]["settings"]["draws"] == 2000
    assert story["rungs"][0]["metrics"]["ess_bulk_min"] == 90.0
    assert (story["rungs"][2]["verdict"], story["rungs"][2]["error"]) == (
        None,
        "SamplingError: it broke",
    )


def test_retry_zero_is_the_spec():
    retry = first_try(BASE)
    assert (retry.number, retry.settings, retry.limit_seconds) == (0, BASE, 3600)


def test_the_retries_knows_every_sampling_gate_by_its_name():
    bad = Evidence(2.0, "a", 1.0, "a", 1.0, "a", 500, 1000, 0.01, 1.0, {})
    outcomes = judge_convergence(bad, SamplingGates())
    assert set(observed_at(outcomes, Verdict.FAIL)) == {str(gate) for gate in SamplingGate}


def test_a_review_is_tried_again_with_more_draws_and_says_why():
    retry = next_retry(BASE, [attempt("r_hat_review", settings=BASE)])
    assert retry.settings.draws == 2 * BASE.draws
    assert retry.reason == "r_hat_max 1.016 to be reviewed: draws 1000 to 2000"


def test_a_review_is_taken_before_a_failure_and_after_a_pass():
    review, failed, clean = attempt("ess_review"), attempt("r_hat"), attempt("none")
    assert best_attempt([failed, review]) is review
    assert best_attempt([review, failed]) is review
    assert best_attempt([review, clean]) is clean


def test_of_two_reviews_the_better_one_is_taken():
    near, nearer = attempt("r_hat_review"), attempt("r_hat_review", r_hat_max=1.011)
    assert best_attempt([near, nearer]) is nearer
