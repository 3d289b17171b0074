"""Who was champion before, by hand-written histories."""

from datetime import UTC, datetime

import pytest

from schemas.documents.promotions import MadeBy, Promotion, PromotionAction, list_predecessors

P, R, K = PromotionAction.PROMOTE, PromotionAction.ROLLBACK, PromotionAction.KEEP


def history(*moves):
    return [
        Promotion(
            dataset_id="demo",
            decided_at=datetime(2024, 1, 1, tzinfo=UTC),
            version=version,
            run_id="r",
            from_version=before,
            action=action,
            reason="",
            made_by=MadeBy.REFIT,
        )
        for action, version, before in moves
    ]


@pytest.mark.parametrize(
    ("moves", "current", "previous"),
    [
        ([], 1, None),
        ([(P, 1, None)], 1, None),
        ([(P, 1, None), (P, 2, 1)], 2, 1),
        ([(P, 1, None), (P, 2, 1), (K, 2, 2)], 2, 1),
        ([(P, 1, None), (P, 2, 1), (P, 3, 2), (R, 2, 3)], 2, 1),
        ([(P, 1, None), (P, 2, 1), (R, 1, 2)], 1, None),
        ([(P, 1, None), (P, 2, 1), (R, 1, 2), (P, 3, 1)], 3, 1),
        # The history begins later than the registry: an older home.
        ([(P, 8, 7)], 8, 7),
        # Back to a version that was never champion, a challenger.
        ([(P, 1, None), (P, 3, 1), (R, 2, 3)], 2, 3),
        # Somebody moved the alias in MLflow.
        ([(P, 1, None), (P, 2, 1)], 5, 2),
        ([(K, None, None)], 1, None),
    ],
)
def test_the_champion_before(moves, current, previous):
    line = list_predecessors(history(*moves), current)
    assert (line[-1] if line else None) == previous


def test_those_before_are_in_the_order_of_rollbacks():
    moves = [(P, 1, None), (P, 2, 1), (P, 3, 2), (R, 1, 3), (P, 4, 1), (P, 5, 4)]
    assert list_predecessors(history(*moves), 5) == [1, 4]
