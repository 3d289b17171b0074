"""The promotion table, whole."""

from datetime import UTC, date, datetime

import pytest

from schemas.documents.promotions import Champion, MadeBy, Promotion, PromotionAction
from schemas.outcomes import Verdict
from tasks.publish.promotion import Alias, Candidate, decide, explain_backdated, report_withdrawn

CHAMPION = Champion(
    dataset_id="demo",
    version=3,
    run_id="run-3",
    as_of=date(2024, 2, 8),
    last_period=date(2024, 1, 29),
)


@pytest.mark.parametrize("has_champion", [True, False])
@pytest.mark.parametrize(
    ("verdict", "promote_on_review", "backdated", "register", "alias"),
    [
        (Verdict.PASS, False, False, True, Alias.CHAMPION),
        (Verdict.PASS, True, False, True, Alias.CHAMPION),
        (Verdict.PASS, False, True, True, Alias.CHALLENGER),
        (Verdict.PASS, True, True, True, Alias.CHALLENGER),
        (Verdict.REVIEW, False, False, True, Alias.CHALLENGER),
        (Verdict.REVIEW, True, False, True, Alias.CHAMPION),
        (Verdict.REVIEW, True, True, True, Alias.CHALLENGER),
        (Verdict.FAIL, False, False, False, None),
        (Verdict.FAIL, True, True, False, None),
        (Verdict.NOT_EVALUATED, False, False, False, None),
        (Verdict.NOT_EVALUATED, True, False, False, None),
    ],
)
def test_the_verdict_the_spec_and_the_date_alone_decide(
    verdict, promote_on_review, backdated, register, alias, has_champion
):
    got = decide(
        verdict,
        promote_on_review=promote_on_review,
        has_champion=has_champion,
        backdated="it is old" if backdated else None,
    )
    assert (got.register, got.alias) == (register, alias)
    assert verdict in got.reason
    assert ("it is old" in got.reason) == (backdated and alias is Alias.CHALLENGER), (
        "the date is the reason only where it decided"
    )


@pytest.mark.parametrize(
    ("verdict", "has_champion", "sampled_well", "alias"),
    [
        (Verdict.REVIEW, False, True, Alias.CHAMPION),
        (Verdict.REVIEW, True, True, Alias.CHALLENGER),
        (Verdict.REVIEW, False, False, Alias.CHALLENGER),
        (Verdict.FAIL, False, True, None),
    ],
)
def test_the_first_run_that_was_sampled_well_becomes_champion_under_review(
    verdict, has_champion, sampled_well, alias
):
    got = decide(
        verdict, promote_on_review=False, has_champion=has_champion, sampled_well=sampled_well
    )
    assert got.alias is alias
    assert ("mmm accept" in got.reason) == (verdict is Verdict.REVIEW)


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.REVIEW])
@pytest.mark.parametrize("has_champion", [True, False])
def test_a_kind_that_makes_no_champion_by_itself_makes_a_challenger(verdict, has_champion):
    got = decide(
        verdict, promote_on_review=True, has_champion=has_champion, sampled_well=True,
        never_by_itself="the spec does not ask for it",
    )  # fmt: skip
    assert (got.register, got.alias) == (True, Alias.CHALLENGER)
    assert "the spec does not ask for it" in got.reason
    assert "mmm accept" in got.reason


def test_a_rejected_fit_says_that_the_champion_stays():
    got = decide(Verdict.FAIL, promote_on_review=True, has_champion=True)
    assert "champion is unchanged" in got.reason


@pytest.mark.parametrize(
    ("as_of", "last_period", "reported"),
    [
        (date(2024, 2, 8), date(2024, 1, 29), None),
        (date(2024, 2, 15), date(2024, 2, 5), None),
        (date(2024, 2, 15), date(2024, 1, 29), None),
        (date(2024, 2, 15), date(2024, 1, 22), "data to 2024-01-22"),
        (date(2024, 2, 7), date(2024, 1, 29), "as of 2024-02-07"),
        (date(2024, 2, 7), date(2024, 2, 5), "as of 2024-02-07"),
    ],
)
def test_a_run_is_backdated_where_it_knew_less_than_the_champion(as_of, last_period, reported):
    got = explain_backdated(Candidate("run-4", as_of, last_period), CHAMPION)
    assert got is None if reported is None else reported in got


def test_a_first_run_and_the_champion_itself_are_never_backdated():
    old = Candidate("run-3", date(2020, 1, 1), date(2020, 1, 1))
    assert explain_backdated(old, CHAMPION) is None
    assert explain_backdated(old, None) is None


def decision(action, version, from_version):
    return Promotion(
        dataset_id="demo",
        decided_at=datetime(2024, 2, version, tzinfo=UTC),
        version=version,
        run_id="r",
        from_version=from_version,
        action=action,
        reason="search looked wrong",
        made_by=MadeBy.PERSON,
    )


def test_a_withdrawn_version_is_reported_until_a_refit_is_promoted():
    first = decision(PromotionAction.PROMOTE, 1, None)
    second = decision(PromotionAction.PROMOTE, 2, 1)
    back = decision(PromotionAction.ROLLBACK, 1, 2)
    kept = decision(PromotionAction.KEEP, 1, 1)
    assert report_withdrawn([first, second]) is None
    reported = report_withdrawn([first, second, back, kept])
    assert reported == "Version 2 was rolled back to 1 on 2024-02-01: search looked wrong"
    assert report_withdrawn([first, second, back, decision(PromotionAction.PROMOTE, 3, 1)]) is None
