"""Who is champion, since when, and how that came about."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class PromotionAction(StrEnum):
    """What a decision did to the champion alias."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    KEEP = "keep"


class MadeBy(StrEnum):
    """Who decided."""

    REFIT = "refit"
    PERSON = "person"


class Promotion(BaseModel):
    """One row of ``ops.promotions``."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    decided_at: datetime
    version: int | None
    """Champion after the decision; None where there is none."""
    run_id: str
    """Run that was promoted, went back to, or was not promoted."""
    from_version: int | None
    """Champion before the decision."""
    action: PromotionAction
    reason: str
    made_by: MadeBy


class Champion(BaseModel):
    """The version that holds the champion alias, and what its run knew."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    version: int
    run_id: str
    as_of: date | None = None
    """Knowledge date of its run."""
    last_period: date | None = None
    """Newest period it was fitted on."""

    @property
    def name(self) -> str:
        """Name as in ``demo@3``."""
        return f"{self.dataset_id}@{self.version}"

    def age_days(self, as_of: date) -> int | None:
        """Days between what it knows and ``as_of``, 0 where that is earlier.

        What it knows ends with the newest period it was fitted on; its knowledge date stands in
        where that is not on record.
        """
        known = self.last_period or self.as_of
        return None if known is None else max((as_of - known).days, 0)


def list_predecessors(history: Sequence[Promotion], current: int) -> list[int]:
    """Return the versions that were champion before ``current``, the one just before it last.

    A rollback leaves the versions that it went back over: a second one goes further back, not
    forth again.

    Parameters
    ----------
    history
        Decisions on one dataset, oldest first.
    current
        Version that holds the alias now.
    """
    line: list[int] = []
    for row in history:
        if row.action is PromotionAction.KEEP or row.version is None:
            continue
        if row.from_version is not None:
            _enter(line, row.from_version)
        if row.action is PromotionAction.ROLLBACK and row.version in line:
            del line[line.index(row.version) + 1 :]
        else:
            _enter(line, row.version)
    return line[: line.index(current)] if current in line else line


def _enter(line: list[int], version: int) -> None:
    """Put a version at the end of the line, once."""
    if version in line:
        line.remove(version)
    line.append(version)
