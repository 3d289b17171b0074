"""What a file says differently from what was known: restated values, and values it no longer has.

Belongs here: the facts. Does not: measuring (``tasks.store``), judging (``tasks.validate``).
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from schemas.documents.base import Count, Part, Share
from schemas.outcomes import Finding, Verdict

RESTATED_RULE = "restated_history"
"""Rule of the findings that report a restatement."""


class RestatementDecision(StrEnum):
    """What became of a batch that restates history."""

    ACCEPTED = "accepted"
    HELD = "held"


class Restatement(Part):
    """What a batch changes of one column's history.

    ``share`` is the sum of the absolute changes over the sum of the absolute values known before,
    of all entities and periods that had begun. A missing value counts as 0 in both: a value that
    becomes missing, or the reverse, changes by its whole size. 1 where all was 0 before and is not
    now. Numbers that differ by no more than their formatting are the same.
    """

    role: str
    """kpi, unit_value, activity, spend or control."""
    name: str
    """Name in ``canonical``: KPI, channel or control."""
    n_values: Count
    """Values that change."""
    n_known: Count
    """Values known before, missing ones included."""
    n_entities: Count
    """Entities with a value that changes."""
    first_period: date
    """First period with one."""
    last_period: date
    """Last period with one."""
    share: Share
    """Size of the change; see above."""


class Vanished(Part):
    """Rows that were known, lie within the file's own dates, and are not in the file.

    They stay as they are known. An entity that is not in the file at all is told apart: each market
    may send a file of its own.
    """

    n_rows: Count
    """Entities and periods that are gone, of entities that the file has."""
    places: list[str]
    """The newest ten of them, as ``entity, period``."""
    absent_entities: list[str]
    """At most ten of them."""
    n_absent_entities: Count
    """Entities that are not in the file at all."""


class HistoryChange(Part):
    """What the newest batch of a panel says differently from what was known before it."""

    restated: list[Restatement] = []
    """Columns whose history changes."""
    vanished: Vanished | None = None
    """Rows that are gone; null: none."""
    accepted_from: date | None = None
    """Day from which an earlier run knows these changes; None where they are being decided on."""


def is_quarantined(findings: Iterable[Finding]) -> bool:
    """Say whether a batch is refused for what it would restate."""
    return any(f.rule == RESTATED_RULE and f.verdict is Verdict.FAIL for f in findings)
