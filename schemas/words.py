"""How numbers and texts are written for people, on the terminal and in MLflow's notes alike."""

from collections.abc import Sequence
from datetime import date

from schemas.outcomes import Verdict

VERDICT_TITLE = {
    Verdict.PASS: "Accepted",
    Verdict.REVIEW: "Look before you act",
    Verdict.FAIL: "Rejected",
    Verdict.NOT_EVALUATED: "Not judged",
}
"""A verdict as a headline."""
TONE = {
    Verdict.PASS: "good",
    Verdict.REVIEW: "care",
    Verdict.FAIL: "bad",
    Verdict.NOT_EVALUATED: "care",
}
"""Colour of a verdict: good, care or bad."""
SYMBOLS = {
    "PASS": "✓", "REVIEW": "!", "FAIL": "✕", "NOT_EVALUATED": "?",
    "INCREASE": "▲", "REDUCE": "▼", "HOLD": "■",
}  # fmt: skip
"""A verdict or an action is never said by its colour alone."""


def format_number(value: float | None) -> str:
    """Write a number with three or four significant digits; a dash where there is none."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"


def format_share(value: float | None) -> str:
    """Write a share as a percentage."""
    if value is None:
        return "–"
    percent = round(100 * value, 1) + 0.0  # no minus before a zero
    return (
        f"{percent:.0f}\N{NO-BREAK SPACE}%"
        if abs(percent) >= 99.5
        else f"{percent:.1f}\N{NO-BREAK SPACE}%"
    )


def format_probability(value: float) -> str:
    """Write a probability that was counted over draws: none of them makes it certain."""
    if value > 0.99:
        return "more than 99 %"
    return "less than 1 %" if value < 0.01 else f"{value:.0%}".replace("%", " %")


def format_change(new: float, old: float) -> str | None:
    """Write a change against ``old`` as a signed percentage; None where ``old`` is not positive."""
    return f"{100 * (new / old - 1):+.1f}\N{NO-BREAK SPACE}%" if old > 0 else None


def format_ratio(value: float | None) -> str:
    """Write a return or a cost per unit: two decimals, three digits where it is small."""
    if value is None or abs(value) >= 1000:
        return format_number(value)
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def format_day(day: date) -> str:
    """Write a day as it is read aloud: 9 November 2026."""
    return f"{day.day} {day:%B %Y}"


def format_interval(low: float | None, high: float | None) -> str:
    """Write the ends of an interval of returns."""
    if low is None or high is None:
        return "–"
    # Beside a large end a tiny one needs no digits: 0.04 to 8.13, not 0.0411 to 8.13.
    tiny = 0.1 if abs(high) >= 1 else 0.01
    if abs(low) < tiny and 0.1 <= abs(high) < 1000:
        return f"{round(low, 2) + 0.0:.2f} to {high:.2f}"
    return f"{format_ratio(low)} to {format_ratio(high)}"


def format_champion(name: str, last_period: object | None, age_days: int | None) -> str:
    """Write which version is champion, and how old what it knows is."""
    reported = [name]
    if last_period is not None:
        reported.append(f"fitted on data to {last_period}")
    if age_days is not None:
        weeks = age_days // 7
        n, unit = (weeks, "week") if weeks else (age_days, "day")
        reported.append(f"{n} {unit}{'' if n == 1 else 's'} old")
    return ", ".join(reported)


def format_compact(value: float | None) -> str:
    """Write a number short enough for a headline: 7.99 M, 64.3 k."""
    if value is None:
        return "–"
    for limit, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        size = value / limit
        if abs(size) >= 0.9995:
            shown = f"{size:#.3g}".rstrip(".") if abs(size) < 999.5 else f"{size:,.0f}"
            return f"{shown}\N{NO-BREAK SPACE}{unit}"
    return format_number(round(value, 2))


def describe_review(run_id: str, verdict: str, reasons: Sequence[str]) -> list[str]:
    """Say for good what stood against a run when it planned; empty where nothing did.

    Parameters
    ----------
    run_id, verdict
        The run that plans, and its verdict.
    reasons
        Its reasons, as ``diagnostics.json`` lists them.
    """
    if verdict != Verdict.REVIEW or not reasons:
        return []
    return [f"Run {run_id} ended in REVIEW: {'; '.join(r.rstrip('.') for r in reasons)}."]


def describe_against(verdict: str, reasons: Sequence[str]) -> str:
    """Say what stands against acting on a run under REVIEW; nothing where nothing does.

    Parameters
    ----------
    verdict
        Verdict of the run that advises.
    reasons
        Its reasons, as ``diagnostics.json`` lists them.
    """
    if verdict != Verdict.REVIEW or not reasons:
        return ""
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"Against it stands a REVIEW that nobody has accepted yet: {reasons[0]}{more}"


def format_bytes(count: int) -> str:
    """Write a size in powers of a thousand, as disks are sold: 4.9 MB."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.0f} {units[0]}" if size >= 99.5 or units[0] == "B" else f"{size:.3g} {units[0]}"


def escape_markdown(text: str) -> str:
    """Make text show as itself in markdown."""
    shown = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    for mark in "|`*_[]":
        shown = shown.replace(mark, f"\\{mark}")
    return shown
