"""Numbers reported in another way than they came about: by month, not yet whole, added up.

Belongs here: pure rules over the columns of a panel, before any sampling. Does not: how money is
booked (``booked``), what numbers can be (``plausible``), units that change (``units``).
"""

import numpy as np
import pandas as pd

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
MIN_RISING = 0.25
"""Share of periods in which a running total has to rise: a fee that is raised at times is none."""
RESET = 0.5
"""Of the value before: a running total that begins anew falls below it."""


def judge_reporting(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Judge how the numbers of a panel were reported.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles
        What the numbers are.
    """
    return [
        *_judge_months(rows, roles),
        *_judge_last_period(rows, roles),
        *_judge_running_totals(rows, roles),
    ]


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
                "Nothing to do where these are the months in which they ran; if they were billed "
                "later, give them in those in which they ran, or what ran in each week.",
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


def _judge_running_totals(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review columns that never fall, but where they begin anew: totals so far, not of a period."""
    entities = [one for _, one in rows.groupby(ENTITY_COLUMN, sort=True)]
    return [
        panel_finding(
            "running_total",
            Verdict.REVIEW,
            f"column {source!r} never falls from one period to the next, but where it begins anew, "
            "as a total to date (of the year, since the start) or a stock does. A model takes each "
            "number for what happened in its period.",
            "Give what each period added: the difference from the period before.",
            column=source,
        )
        for column, source in {roles.kpi_name: roles.kpi, **roles.media_sources()}.items()
        if all(is_running_total(one.set_index(PERIOD_COLUMN)[column]) for one in entities)
    ]


def is_running_total(values: pd.Series) -> bool:
    """Say whether values add up: none is below the one before, unless all begins anew.

    Sums of a year begin anew once a year, whenever it begins; others with a month or a quarter.

    Parameters
    ----------
    values
        Of one entity, by period start.
    """
    values = values.dropna()
    if len(values) < MIN_HISTORY or (values < 0).any():
        return False
    given, starts = values.to_numpy(float), pd.DatetimeIndex(values.index)
    change = np.diff(given)
    falls = change < 0
    is_yearly = falls.sum() <= starts.year.nunique()
    begins_anew = is_yearly and bool((given[1:] < RESET * given[:-1])[falls].all())
    unit = "M" if starts.to_period("M").nunique() < len(starts) else "Q"
    bounds = np.diff(starts.to_period(unit).astype("int64")) != 0
    return (begins_anew or bool(bounds[falls].all())) and bool((change > 0).mean() >= MIN_RISING)
