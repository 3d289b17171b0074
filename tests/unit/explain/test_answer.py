"""The rows and sentences of an answer, from forged returns."""

import pytest
from support.worlds import FILE

from schemas.documents.changes import Comparison, CounterfactualFit, Factor, FitReturns, TriedFit
from schemas.documents.effects import MeasuredReturns, ReturnsOfFit, RoiMetrics
from schemas.refs import SnapshotRef
from schemas.spec.run_spec import Grain, RunSpec
from tasks.explain.answer import build_explanation, publish_means

NEW, RESTATED, NOISE = Factor.NEW_PERIODS, Factor.RESTATED, Factor.NOISE


def returns(roas, *, share=0.1, r_hat=1.0, mcse=0.01):
    row = {
        "roas_mean": roas, "roas_mcse": None if roas is None else mcse, "roas_r_hat": r_hat,
        "share_mean": share, "share_mcse": mcse / 10, "share_r_hat": r_hat,
    }  # fmt: skip
    return {"tv": MeasuredReturns.model_validate(row)}


def explain(fits, changed, *, noise_at=(), planned=(), tried=()):
    snapshot = SnapshotRef(
        dataset_id="acme", snapshot_id="s", wide=FILE, column_info=FILE, grain=Grain.WEEK,
        as_of="2024-01-01",
    )  # fmt: skip
    comparison = Comparison(
        run_a="a", run_b="b", dataset_id="acme", key="k", changed=changed, facts={}, notes=[],
        before=FILE, after=FILE, expected_seconds=1.0,
        noise_at=None if noise_at is None else list(noise_at),
        fits=[
            CounterfactualFit(
                name=name, says="as then", spec=RunSpec(dataset_id="acme"), snapshot=snapshot
            )
            for name in planned
        ],
    )  # fmt: skip
    return build_explanation(comparison, list(tried), fits)


def made(name):
    return TriedFit(name=name, seconds=2.0, returns=FitReturns(file=FILE, seconds=2.0))


def test_one_line_says_from_what_to_what_and_why():
    fits = {"before": returns(1.5), "after": returns(2.0), "noise": returns(1.52)}
    reported = explain(fits, [NEW], planned=[NOISE], tried=[made(NOISE)])
    row = reported.channels[0]
    assert row.sentence == (
        "tv: ROAS 1.500 to 2.000 (+0.500). Mainly new periods: sampling noise +0.010; "
        "new periods +0.490."
    )
    assert (row.main_cause, reported.is_complete, reported.notes) == (NEW, True, [])
    assert row.parts[RESTATED].value == row.parts[Factor.SPEC_OR_CODE].value == 0
    assert row.total_of_parts() == pytest.approx(row.change)


def test_a_move_within_two_standard_errors_is_no_more_than_noise():
    fits = {"before": returns(1.5), "after": returns(1.515), "noise": returns(1.5)}
    row = explain(fits, [NEW]).channels[0]
    assert row.main_cause == NOISE
    assert "No more than sampling noise" in row.sentence
    fits["restated"] = returns(1.9)
    row = explain(fits | {"after": returns(1.91)}, [RESTATED, NEW]).channels[0]
    assert "Mainly restated history" in row.sentence
    assert "new periods +0.010 (not more than sampling noise)" in row.sentence


def test_the_same_fit_again_is_unchanged():
    row = explain({"before": returns(1.5), "after": returns(1.5)}, [], noise_at=None).channels[0]
    assert row.sentence == "tv: ROAS 1.500, unchanged."


def test_without_a_return_the_share_of_the_kpi_is_explained():
    fits = {"before": returns(1.5, share=0.1), "after": returns(None, share=0.15)}
    row = explain(fits, [NEW], noise_at=None).channels[0]
    assert (row.quantity, row.before, row.after) == ("share", 0.1, 0.15)
    assert "+5.00 points" in row.sentence


def test_a_fit_that_was_not_begun_or_broke_is_reported_and_nothing_is_guessed():
    fits = {"before": returns(1.5), "after": returns(2.0)}
    broke = TriedFit(name=RESTATED, seconds=3.0, error="SamplingError: it broke")
    reported = explain(fits, [RESTATED, NEW], planned=[RESTATED, NOISE], tried=[broke])
    row = reported.channels[0]
    assert row.parts.keys() == {Factor.SPEC_OR_CODE}, "restated and new cannot be told apart"
    assert row.unsplit.value == pytest.approx(0.5)
    assert "restated history and new periods +0.500, which could not be told apart" in row.sentence
    assert not reported.is_complete
    assert "it broke" in reported.notes[0]
    assert "no time was left" in reported.notes[1]
    assert [fit.seconds for fit in reported.fits] == [3.0, None]


def test_a_auxiliary_fit_that_sampled_badly_is_reported():
    fits = {"before": returns(1.5), "after": returns(2.0), "noise": returns(1.5, r_hat=1.2)}
    reported = explain(fits, [NEW], planned=[NOISE], tried=[made(NOISE)])
    assert "R-hat 1.200" in reported.notes[0]


def test_repetitions_on_record_stand_in_for_a_fit():
    known = MeasuredReturns(roas_mean=1.4, roas_mcse=0.01)
    on_record = {f"on record {i}": {"tv": known} for i in (1, 2)}
    fits = {"before": returns(1.7), "after": returns(2.0), **on_record}
    row = explain(fits, [NEW]).channels[0]
    assert row.parts[NOISE].value == pytest.approx(-0.2)
    fits["after"] = returns(None)
    row = explain(fits, [NEW]).channels[0]
    assert NOISE not in row.parts, "they say nothing of the share"


def test_channels_of_one_run_alone_are_named():
    fits = {
        "before": {**returns(1.5), "radio": MeasuredReturns()},
        "after": {**returns(2.0), "tiktok": MeasuredReturns()},
    }
    reported = explain(fits, [NEW], noise_at=None)
    assert [row.channel for row in reported.channels] == ["tv"]
    assert any("tiktok" in note for note in reported.notes)
    assert any("radio" in note for note in reported.notes)


def test_what_a_run_has_published_counts_whatever_evaluates_its_draws_now():
    measured = ReturnsOfFit(returns(1.5))
    found = publish_means(measured, RoiMetrics.model_validate({"tv": {"roas_mean": 1.6}}))
    assert found["tv"].accuracy("roas") == (1.6, 0.01)
    without = RoiMetrics.model_validate({"tv": {"roas_mean": None}})
    assert publish_means(ReturnsOfFit(returns(None)), without)["tv"].roas_mean is None


def test_the_range_over_orders_is_reported_where_it_matters():
    fits = {
        "before": returns(1.0), "after": returns(4.0), "spec_or_code": returns(2.0),
        "restated": returns(1.2),
    }  # fmt: skip
    spec = Factor.SPEC_OR_CODE
    reported = explain(fits, [spec, RESTATED], noise_at=None)
    row = reported.channels[0]
    assert row.total_of_parts() == pytest.approx(row.change)
    assert (row.parts[spec].order_low, row.parts[spec].order_high) == (1.0, pytest.approx(2.8))
    assert "the changed spec or code +1.900 (+1.000 to +2.800 by order)" in row.sentence
    assert reported.n_orders == 2
    assert "averages over all 2 orders" in reported.notes[0]
    fits["restated"] = returns(3.0)
    row = explain(fits, [spec, RESTATED], noise_at=None).channels[0]
    assert "by order" not in row.sentence, "every order says the same"


def test_an_order_that_could_not_be_fitted_is_named():
    fits = {"before": returns(1.0), "after": returns(4.0), "spec_or_code": returns(2.0)}
    reported = explain(fits, [Factor.SPEC_OR_CODE, RESTATED], noise_at=None)
    assert "1 of the 2 orders" in reported.notes[0]
    assert "no fit with restated history alone" in reported.notes[0]


def test_sentence_and_numbers_agree():
    """What the sentence says are the published numbers, rounded as the table rounds them."""
    fits = {"before": returns(1.23456), "after": returns(2.34567), "noise": returns(1.3)}
    row = explain(fits, [NEW]).channels[0]
    for value in (row.before, row.after):
        assert f"{value:.3f}" in row.sentence
    for value in (row.change, row.parts[NOISE].value, row.parts[NEW].value):
        assert f"{value:+.3f}" in row.sentence
