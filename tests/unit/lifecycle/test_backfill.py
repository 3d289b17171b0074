"""Days of a replay, and what its answer says of them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli.render.backfills import render_backfill
from schemas.answers.backfill import BackfillReport, BackfillRequest, ReplayedPeriod, ReplayOutcome
from schemas.errors import (
    CorruptArtifactError,
    DataContractError,
    ResourceUnavailableError,
    SamplingError,
)
from schemas.outcomes import Verdict
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import nth_day

MONDAY = date(2026, 11, 2)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 200))
def test_weeks_keep_their_weekday(first, n):
    assert (nth_day(first, n, Grain.WEEK) - first).days == 7 * n


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, date(2027, 1, 31)), (2, date(2027, 2, 28)), (3, date(2027, 3, 31))],
    ids=["over the year's end", "a short month", "and back to the day"],
)
def test_months_keep_their_day_where_they_have_it(n, expected):
    assert nth_day(date(2026, 12, 31), n, Grain.MONTH) == expected


def replayed(*outcomes, **facts):
    return BackfillReport(
        dataset_id="acme",
        periods=[
            ReplayedPeriod(as_of=MONDAY + timedelta(weeks=n), outcome=outcome, **facts)
            for n, outcome in enumerate(outcomes)
        ],
    )


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), 0),
        ((ReplayOutcome.ACCEPTED, ReplayOutcome.DONE, ReplayOutcome.UNCHANGED), 0),
        ((ReplayOutcome.ACCEPTED, ReplayOutcome.REJECTED), 3),
        ((ReplayOutcome.REJECTED, ReplayOutcome.INVALID), 2),
        ((ReplayOutcome.INVALID, ReplayOutcome.UNAVAILABLE), 4),
        ((ReplayOutcome.UNAVAILABLE, ReplayOutcome.FAILED, ReplayOutcome.ACCEPTED), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_week(outcomes, code):
    assert replayed(*outcomes).exit_code == code


@pytest.mark.parametrize(
    "error", [DataContractError, SamplingError, ResourceUnavailableError, CorruptArtifactError]
)
def test_a_week_ends_with_the_exit_code_that_its_refit_had(error):
    from schemas.answers.backfill import outcome_of

    assert replayed(outcome_of(error.exit_code)).exit_code == error.exit_code


def test_the_last_date_may_be_the_first_and_not_before_it():
    assert BackfillRequest(spec_file="a", first_date=MONDAY, last_date=MONDAY)
    with pytest.raises(ValueError, match="is before the first"):
        BackfillRequest(spec_file="a", first_date=MONDAY, last_date=MONDAY - timedelta(days=1))


def test_the_table_has_a_row_per_week_and_a_reason_for_what_is_missing():
    report = BackfillReport(
        dataset_id="acme",
        periods=[
            ReplayedPeriod(
                as_of=MONDAY, outcome=ReplayOutcome.ACCEPTED, run_id="acme-1",
                verdict=Verdict.PASS, became_champion=True, r_hat_max=1.004, seconds=21.3,
                reason="PASS: all gates passed; this version is the champion.",
            ),
            ReplayedPeriod(
                as_of=MONDAY + timedelta(weeks=1), outcome=ReplayOutcome.INVALID,
                reason="No data yet.",
            ),
        ],
        champion="acme@1",
    )  # fmt: skip
    lines = render_backfill(report).splitlines()
    assert lines[0] == "acme  1 accepted, 1 bad data"
    assert " ".join(lines[-4].split()) == "2026-11-02 accepted PASS yes 1.004 21.3 acme-1"
    assert " ".join(lines[-3].split()) == "2026-11-09 bad data – no – – –"
    assert lines[-2:] == ["champion   acme@1", "- 2026-11-09: No data yet."]
