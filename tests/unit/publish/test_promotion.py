"""The promotion table, whole."""

import pytest

from schemas.outcomes import Verdict
from tasks.publish.promotion import Alias, decide


@pytest.mark.parametrize("has_champion", [True, False])
@pytest.mark.parametrize(
    ("verdict", "promote_on_review", "register", "alias"),
    [
        (Verdict.PASS, False, True, Alias.CHAMPION),
        (Verdict.PASS, True, True, Alias.CHAMPION),
        (Verdict.REVIEW, False, True, Alias.CHALLENGER),
        (Verdict.REVIEW, True, True, Alias.CHAMPION),
        (Verdict.FAIL, False, False, None),
        (Verdict.FAIL, True, False, None),
        (Verdict.NOT_EVALUATED, False, False, None),
        (Verdict.NOT_EVALUATED, True, False, None),
    ],
)
def test_the_verdict_and_the_spec_alone_decide(
    verdict, promote_on_review, register, alias, has_champion
):
    got = decide(verdict, promote_on_review=promote_on_review, has_champion=has_champion)
    assert (got.register, got.alias) == (register, alias)
    assert verdict in got.reason


def test_a_rejected_fit_says_that_the_champion_stays():
    got = decide(Verdict.FAIL, promote_on_review=True, has_champion=True)
    assert "champion is unchanged" in got.reason
