"""Desks for plans by hand, opened once and kept: for a process that answers while one drags."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from schemas.answers.plans import PlanDesk, PlanEvaluation
from schemas.refs import PlanSource
from schemas.spec.optimizer import Utility
from schemas.spec.plan_request import PlanRequest, SpendRow
from tasks.optimize.task_evaluate import open_fits
from tasks.store.home import current_home

if TYPE_CHECKING:
    from tasks.optimize.desk import Desk

MOST_DESKS = 3
"""Opened models that are kept; each holds its draws."""


class DeskRoom:
    """The desks of one process."""

    def __init__(self) -> None:
        self._desks: OrderedDict[str, Desk] = OrderedDict()

    def has(self, key: str) -> bool:
        """Say whether a desk is open."""
        return key in self._desks

    @property
    def keys(self) -> list[str]:
        """Desks that are open, the one that was used last at the end."""
        return list(self._desks)

    def open(self, key: str, sources: list[PlanSource], request: PlanRequest) -> PlanDesk:
        """Open a model and keep it under a key.

        Raises
        ------
        SpecError
            If it has no channel with spend.
        """
        from tasks.optimize.desk import open_desk

        settings = request.settings or sources[0].spec.optimizer
        fits = open_fits(current_home(), sources, request, settings)
        self._desks[key] = open_desk(fits, request, settings)
        while len(self._desks) > MOST_DESKS:
            self._desks.popitem(last=False)
        return self._desks[key].facts

    def facts(self, key: str) -> PlanDesk:
        """Return what is known of an open desk before anybody has moved money."""
        self._desks.move_to_end(key)
        return self._desks[key].facts

    def judge(
        self, key: str, rows: list[SpendRow], utility: Utility, risk_level: float
    ) -> PlanEvaluation:
        """Return what a plan by hand brings, by an open desk.

        Raises
        ------
        SpecError
            If a channel is unknown, or named twice.
        """
        from tasks.optimize.desk import judge_by_hand

        return judge_by_hand(self._desks[key], rows, utility, risk_level)
