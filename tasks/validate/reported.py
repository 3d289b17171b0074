"""Numbers reported in another way than they came about: by month, not yet whole, in another unit.

Belongs here: pure rules over the columns of a panel, before any sampling. Does not: how money is
booked (``booked``), what numbers can be (``plausible``).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.roles import ColumnRoles
from schemas.words import format_share
from tasks.validate.findings import panel_finding

MIN_WEEKS_OF_MONTH = 3
MIN_MONTHS = 6
MOST_MONTHS = 0.9
"""Share of months with one value in all their weeks above which the numbers are of months."""
INCOMPLETE = 0.7
"""Of the lowest KPI ever: a last one below it is more likely not whole than bad."""
MIN_HISTORY = 26
UNITS = (100.0, 1000.0, 1_000_000.0)
"""Cents, thousands, millions."""
UNIT_TOLERANCE = 0.35
"""How far the ratio of medians may be from a unit, on a log scale."""
MIN_OF_UNIT = 8
"""Values on either side of a change of unit."""


def judge_reporting(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Judge how the numbers of a panel were reported.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles
        What the numbers are.
    """
    findings = _judge_months(rows, roles) + _judge_last_period(rows, roles)
    for column, source in {roles.kpi_name: roles.kpi, **roles.media_sources()}.items():
        findings += _judge_unit(rows, column, source)
    return findings


def is_by_month(rows: pd.DataFrame, column: str) -> bool:
    """Say whether weeks of a month hold one value, that of the month, nearly always.

    Parameters
    ----------
    rows
        ``entity_id, period_start`` and the column, one row per week; a value that is 0 in all weeks
        of a month says nothing.
    column
        Name of the column.
    """
    month = rows[PERIOD_COLUMN].dt.to_period("M")
    by_month = rows.groupby([ENTITY_COLUMN, month], sort=False)[column].agg(["min", "max", "size"])
    told = by_month[(by_month["size"] >= MIN_WEEKS_OF_MONTH) & (by_month["max"] != 0)]
    differing = told["max"].nunique() > len(told) / 2
    same = (told["min"] == told["max"]).mean()
    return bool(len(told) >= MIN_MONTHS and same >= MOST_MONTHS and differing)


def _judge_months(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review a KPI that is one of months; note media that are."""
    findings = []
    if is_by_month(rows, roles.kpi_name):
        findings.append(
            panel_finding(
                "kpi_by_month",
                Verdict.REVIEW,
                f"column {roles.kpi!r}: the KPI is the same in all weeks of a month, so it is one "
                "of months that was spread; a model takes every week for something seen, and is "
                "too sure.",
                "Give rows of months, with media summed (grain: MONTH), or the KPI of each week.",
                column=roles.kpi,
            )
        )
    spread = [s for column, s in roles.media_sources().items() if is_by_month(rows, column)]
    if spread:
        findings.append(
            panel_finding(
                "media_by_month",
                Verdict.PASS,
                f"media are the same in all weeks of a month in {', '.join(map(repr, spread))}: "
                "months that were spread. Carryover cannot be learned from them, and intervals are "
                "wide for what ran unevenly.",
                "Nothing to do, or give what ran in each week.",
                column=spread[0],
            )
        )
    return findings


def _judge_last_period(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review a last KPI far below all that there ever was: it may not be whole yet."""
    found = []
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        kpi = one[roles.kpi_name].dropna().to_numpy(float)
        if len(kpi) <= MIN_HISTORY or kpi[:-1].min() <= 0:
            continue
        if 0 <= kpi[-1] < INCOMPLETE * kpi[:-1].min():
            found.append((str(entity), f"{one[PERIOD_COLUMN].iloc[-1]:%Y-%m-%d}", kpi))
    if not found:
        return []
    entity, day, kpi = found[0]
    return [
        panel_finding(
            "incomplete_last_period",
            Verdict.REVIEW,
            f"column {roles.kpi!r}: {len(found)} last period(s) have a KPI far below all before: "
            f"{entity}, {day} has {kpi[-1]:,.6g}, {format_share(kpi[-1] / kpi[:-1].min())} of the "
            "lowest until then. Is it whole?",
            "Leave the period out until all of it is booked. If it is true, explain it with a "
            "control.",
            column=roles.kpi,
            places=[f"{name}, {when}" for name, when, _ in found],
        )
    ]


def _judge_unit(rows: pd.DataFrame, column: str, source: str) -> list[Finding]:
    """Review a column whose values are a hundred or thousand times larger on one side of a day."""
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        given = one[one[column] > 0]
        change = _change_of_unit(given[column].to_numpy(float))
        if change is not None:
            at, unit = change
            day = f"{given[PERIOD_COLUMN].iloc[at]:%Y-%m-%d}"
            return [
                panel_finding(
                    "change_of_unit",
                    Verdict.REVIEW,
                    f"column {source!r}: before {day} ({entity}) and from then on its values are "
                    f"apart by about {unit:,.0f} times, with hardly any between. Did its unit "
                    "change (cents, thousands, another source)?",
                    "Give all of it in one unit.",
                    column=source,
                    places=[f"{entity}, {day}"],
                )
            ]
    return []


def _change_of_unit(values: NDArray[np.float64]) -> tuple[int, float] | None:
    """Return where values step by a unit, and that unit; None where they do not."""
    if len(values) < 2 * MIN_OF_UNIT:
        return None
    logs = np.log(values)
    n_before = np.arange(MIN_OF_UNIT, len(logs) - MIN_OF_UNIT + 1)
    sums = np.cumsum(logs)
    before = sums[n_before - 1] / n_before
    after = (sums[-1] - sums[n_before - 1]) / (len(logs) - n_before)
    # Where a step by a normal error would be likeliest.
    likely = (after - before) ** 2 * n_before * (len(logs) - n_before)
    at = int(n_before[np.argmax(likely)])
    lower, upper = sorted((logs[:at], logs[at:]), key=lambda side: float(np.median(side)))
    if np.quantile(lower, 0.95) >= np.quantile(upper, 0.05):
        return None
    step = float(np.median(upper) - np.median(lower))
    near = [unit for unit in UNITS if abs(step - np.log(unit)) < UNIT_TOLERANCE]
    return (at, near[0]) if near else None
