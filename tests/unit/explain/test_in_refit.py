"""The explanation inside a refit: an extra, which never costs the week."""

import pytest

from flows import auxiliary_fits
from schemas.errors import IncomparableRunsError
from schemas.outcomes import Verdict
from schemas.spec.run_spec import RunSpec

SPEC = RunSpec(dataset_id="acme")


@pytest.fixture
def reported(monkeypatch):
    """Reasons that are reported instead of an explanation."""
    reasons = []
    monkeypatch.setattr(
        auxiliary_fits, "report_no_explanation", lambda _spec, _run, reason: reasons.append(reason)
    )
    return reasons


def compare_by(monkeypatch, outcome):
    asked = []

    def compare(*arguments):
        asked.append(arguments)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(auxiliary_fits, "compare_with_champion", compare)
    return asked


@pytest.mark.parametrize(
    "error",
    [IncomparableRunsError("posterior.nc is missing"), ZeroDivisionError("oops")],
    ids=["files of the champion are gone", "a fault of ours"],
)
def test_what_goes_wrong_is_reported_and_the_refit_goes_on(monkeypatch, reported, error):
    compare_by(monkeypatch, error)
    auxiliary_fits.explain_refit(Verdict.PASS, None, SPEC, "run-2")
    assert reported == [f"{type(error).__name__}: {error}"]


def test_the_first_refit_has_nothing_to_explain(monkeypatch, reported):
    compare_by(monkeypatch, None)
    assert auxiliary_fits.explain_refit(Verdict.REVIEW, None, SPEC, "run-1") is None
    assert reported == []


@pytest.mark.parametrize(
    ("verdict", "in_refit"), [(Verdict.FAIL, True), (Verdict.PASS, False)], ids=["FAIL", "off"]
)
def test_a_rejected_fit_is_not_explained_nor_where_the_spec_says_so(
    monkeypatch, reported, verdict, in_refit
):
    asked = compare_by(monkeypatch, None)
    spec = RunSpec.model_validate({"dataset_id": "acme", "explain": {"in_refit": in_refit}})
    assert auxiliary_fits.explain_refit(verdict, None, spec, "run-2") is None
    assert asked == reported == []
