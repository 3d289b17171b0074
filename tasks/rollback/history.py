"""Who was champion before: read from the decisions, no I/O."""

from collections.abc import Sequence

from schemas.promotions import Promotion, PromotionAction


def find_previous(history: Sequence[Promotion], current: int) -> int | None:
    """Return the version that was champion before ``current``, or None.

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
    if current in line:
        del line[line.index(current) :]
    return line[-1] if line else None


def _enter(line: list[int], version: int) -> None:
    """Put a version at the end of the line, once."""
    if version in line:
        line.remove(version)
    line.append(version)
