"""The algebra of verdicts: unknown is not a pass, and nothing hides a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.outcomes import Finding, GateOutcome, GateReport, Layer, Verdict, worst

VERDICTS = st.lists(st.sampled_from(Verdict), max_size=6)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.PASS),
        ([Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.REVIEW], Verdict.REVIEW),
        ([Verdict.NOT_EVALUATED], Verdict.REVIEW),
        ([Verdict.NOT_EVALUATED, Verdict.FAIL], Verdict.FAIL),
        ([Verdict.REVIEW, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
    ],
)
def test_the_worst_verdict_decides(verdicts, expected):
    assert worst(verdicts) is expected


@given(VERDICTS, VERDICTS)
def test_more_evidence_never_improves_a_verdict(some, more):
    order = [Verdict.PASS, Verdict.REVIEW, Verdict.FAIL]
    assert order.index(worst(some + more)) >= order.index(worst(some))


@given(VERDICTS, VERDICTS)
def test_the_worst_of_parts_is_the_worst_of_all(some, more):
    assert worst([worst(some), worst(more)]) is worst(some + more)


@given(VERDICTS.flatmap(lambda v: st.tuples(st.just(v), st.permutations(v))))
def test_the_order_of_checks_does_not_matter(pair):
    assert worst(pair[0]) is worst(pair[1])


@given(VERDICTS)
def test_only_passes_pass(verdicts):
    assert (worst(verdicts) is Verdict.PASS) == all(v is Verdict.PASS for v in verdicts)


def outcome(verdict: Verdict, reason: str = "") -> GateOutcome:
    return GateOutcome(
        gate="r_hat_max", verdict=verdict, observed=None, pass_limit=1.01, reason=reason
    )


def test_a_report_gives_the_worst_verdict_and_the_reasons_of_what_did_not_pass():
    report = GateReport(
        outcomes=[outcome(Verdict.PASS), outcome(Verdict.NOT_EVALUATED, "R-hat is undefined.")]
    )
    assert report.verdict is Verdict.REVIEW
    assert report.reasons == ["R-hat is undefined."]


def test_a_finding_reads_as_one_line():
    finding = Finding(
        layer=Layer.RAW,
        rule="duplicate_key",
        verdict=Verdict.FAIL,
        message="panel.csv, rows 3 and 4: acme, 2026-11-09 is there twice.",
        remedy="Keep one.",
    )
    assert finding.line() == (
        "[FAIL] duplicate_key: panel.csv, rows 3 and 4: acme, 2026-11-09 is there twice. Keep one."
    )
