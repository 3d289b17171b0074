"""A recovery check speaks when a fit is judged: it is cited, and short coverage is a REVIEW."""

from datetime import UTC, date, datetime

import pytest

from schemas.answers.recovery import (
    Answer,
    ChannelRecovery,
    DrawnFrom,
    KindRecovery,
    RecoveryReport,
    WorldKind,
)
from schemas.outcomes import Verdict
from schemas.words import format_share
from tasks.diagnose.known_truth import LEAST_REFITS, judge_recovery, note_recovery


def channel(held, n_like, answer=Answer.YES):
    return ChannelRecovery(
        answer=answer, n_effect=n_like, n_like=n_like, n_silent=0,
        bias=None if held is None else 0.1, coverage=None if held is None else held / n_like,
        coverage_unlike=None, width=0.8, found=1.0, false_effect=None, collinearity=None,
        experiment=None,
    )  # fmt: skip


def kind(which, n, coverage):
    return KindRecovery(
        kind=which, n=n, coverage=coverage, bias=None, confident_wrong=None, n_accepted=n
    )


def report_of(channels, *kinds):
    return RecoveryReport(
        dataset_id="acme", question="0" * 16, created_at=datetime(2026, 1, 2, tzinfo=UTC),
        model_kind="mmm", drawn_from=DrawnFrom.POSTERIOR, run_id="acme-1",
        last_period=date(2025, 12, 29), n_worlds=20, channels=channels, kinds=list(kinds),
        advice=None, experiment=None, seconds=1.0, notes=[], mlflow_run_id=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("held", "verdict"), [(20, Verdict.PASS), (16, Verdict.PASS), (15, Verdict.REVIEW)]
)
def test_intervals_that_miss_more_often_than_chance_are_a_review(held, verdict):
    """Of 20 intervals of 94 %, 15 or fewer hold in 0.56 % of sound specs, 16 or fewer in 2.9 %.

    With 5 % of false alarms for two channels together, each has 2.5 %: 16 is still a pass.
    """
    (outcome,) = judge_recovery(report_of({"tv": channel(held, 20), "search": channel(19, 20)}))
    assert outcome.verdict is verdict
    assert outcome.pass_limit == 16 / 20
    assert outcome.observed == min(held, 19) / 20
    if verdict is Verdict.REVIEW:
        assert outcome.where == "tv"
        assert "lift test" in outcome.reason
        assert "mmm recover" in outcome.reason


def test_the_more_channels_the_rarer_a_call_of_each():
    alone = judge_recovery(report_of({"tv": channel(16, 20)}))[0]
    many = {f"c{k}": channel(20, 20) for k in range(9)}
    among = judge_recovery(report_of({"tv": channel(16, 20), **many}))[0]
    assert among.pass_limit <= alone.pass_limit


def test_few_refits_and_checks_of_earlier_releases_judge_nothing():
    few = {"tv": channel(0, LEAST_REFITS - 1), "search": channel(None, 0)}
    assert judge_recovery(report_of(few)) == []
    (outcome,) = judge_recovery(report_of({**few, "radio": channel(1, LEAST_REFITS)}))
    assert (outcome.verdict, outcome.where) == (Verdict.REVIEW, "radio")


def test_a_note_says_what_is_found_and_how_far_to_trust_it_elsewhere():
    report = report_of(
        {
            "tv": channel(19, 20),
            "search": channel(18, 20, Answer.ROUGHLY),
            "social": channel(18, 20, Answer.NO),
            "radio": channel(None, 0, Answer.NO),
        },
        kind(WorldKind.AS_ASSUMED, 12, 0.95),
        kind(WorldKind.CONFOUNDER, 2, 0.25),
        kind(WorldKind.STEP, 6, 0.75),
    )
    # (2 x 0.25 + 6 x 0.75) / 8 = 62.5 %
    assert note_recovery(report) == (
        "recovery: on KPIs with known truth (20, on these media to 2025-12-29) this spec finds "
        "what is brought by tv; finds roughly what is brought by search; does not find what is "
        "brought by social. Where a KPI was unlike the model, intervals held the truth in "
        f"{format_share(0.625)}."
    )
