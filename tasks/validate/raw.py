"""Raw rules that one row cannot report, and the column lists of the raw suite."""

from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.roles import ColumnRoles


def raw_columns(roles: ColumnRoles) -> dict[str, list[str]]:
    """Return the source columns of each role of the raw suite, none twice."""
    spend = [c.spend for c in roles.channels if c.spend]
    activity = [c.activity for c in roles.channels if c.activity]
    controls = [c.source for c in roles.controls]
    unit_value = [roles.unit_value] if roles.unit_value else []
    lists = {
        "number": list(roles.numeric_sources().values()),
        "kpi": [roles.kpi],
        "spend": spend,
        "activity": activity,
        "filled": [c for c in [*activity, *spend, *controls, *unit_value] if c != roles.kpi],
    }
    return {role: list(dict.fromkeys(columns)) for role, columns in lists.items()}


def judge_mixed_dates(file: str, column: str, shapes: list[tuple[str, int, int]]) -> list[Finding]:
    """Fail a column that is written in more than one way, naming where each way first occurs.

    Parameters
    ----------
    file, column
        Where the dates are.
    shapes
        ``(shape, rows, first line)``; empty when the column is written in one way.
    """
    if not shapes:
        return []
    reported = "; ".join(f"{shape} in {n} row(s) from line {line}" for shape, n, line in shapes)
    both = " (day first in some rows, month first in others)" if len(shapes) == 1 else ""
    return [
        Finding(
            layer=Layer.RAW,
            rule="mixed_date_formats",
            verdict=Verdict.FAIL,
            message=f"{file}, column {column!r}: dates are written in several ways: "
            f"{reported}{both}.",
            remedy="Write every date as YYYY-MM-DD.",
            file=file,
            column=column,
            rows=[line for _, _, line in shapes][:10],
            n_affected=sum(n for _, n, _ in shapes[1:]) or shapes[0][1],
        )
    ]


def judge_month_ends(file: str, column: str, are_ends: bool) -> list[Finding]:
    """Report that the dates are ends of months, and how they are read."""
    if not are_ends:
        return []
    return [
        Finding(
            layer=Layer.RAW,
            rule="month_end_dates",
            verdict=Verdict.PASS,
            message=f"{file}, column {column!r}: its dates are ends of months; each is read as the "
            "month that it ends.",
            remedy="Nothing to do; period_start holds the first day of the month.",
            file=file,
            column=column,
        )
    ]
