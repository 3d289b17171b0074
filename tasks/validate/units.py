"""Numbers whose meaning changes on a day: a unit, a currency, what is counted.

Belongs here: steps of a panel's columns, before any sampling. Does not: units that never fit
(``plausible``), numbers of months or of a period that is not whole (``reported``).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.roles import ChannelRole, ColumnRoles
from tasks.validate.findings import panel_finding

UNITS = (100.0, 1000.0, 1_000_000.0)
"""Cents, thousands, millions."""
UNIT_TOLERANCE = 0.35
"""How far the ratio of medians may be from a unit, on a log scale."""
MIN_OF_UNIT = 8
"""Values on either side of a change of unit."""
MIN_OF_CONTROL = 4
"""The same of a control: promotions are few."""
KPI_STEP = 5.0
"""Times by which no KPI changes from one week to the next and for good, unless it is another one.

Where media make most of it, it halves or doubles when they stop or start."""
CURRENCY_STEP = 1.5
"""The same where spend changes with it."""
SAME_STEP = 0.5
"""How far the steps of spend and KPI may be apart, on a log scale: spend comes in bursts."""
COST_STEP = 2.5
"""Times by which no price of a contact changes from one week to the next and for good."""
MIN_FOLLOWING = 0.5
"""Share of the spend columns that have to step as the KPI does."""


class Step(NamedTuple):
    """Where a column changes for good, and by how much."""

    at: int
    """First value of the new level."""
    size: float
    """Median after over median before, as a logarithm."""


def judge_units(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review columns whose values are of another unit or currency on one side of a day.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles
        What the numbers are.
    """
    found = _judge_currency(rows, roles)
    if found:
        return found
    findings = _judge_kpi_step(rows, roles)
    told = {finding.column for finding in findings}
    controls = {control.column: control.source for control in roles.controls}
    for column, source in {
        roles.kpi_name: roles.kpi,
        **roles.media_sources(),
        **controls,
    }.items():
        if source not in told:
            least = MIN_OF_CONTROL if column in controls else MIN_OF_UNIT
            findings += _judge_unit(rows, column, source, least)
    told |= {finding.column for finding in findings}
    for channel in roles.channels:
        if channel.spend and channel.activity and not told & {channel.spend, channel.activity}:
            findings += _judge_cost(rows, channel)
    return findings


def _judge_currency(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review a KPI and spend that step together: all money is in another currency."""
    spend = [str(c.spend_column) for c in roles.channels if c.spend_column]
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        step = _kpi_step(one, roles.kpi_name, CURRENCY_STEP)
        if step is None:
            continue
        day, size = step
        after = one[PERIOD_COLUMN] >= day
        sizes = [_size(one.loc[~after, c], one.loc[after, c]) for c in spend]
        follows = [abs(s - size) < SAME_STEP for s in sizes if s is not None]
        if not follows or sum(follows) < max(MIN_FOLLOWING * len(spend), 2):
            continue
        place = f"{entity}, {day:%Y-%m-%d}"
        return [
            panel_finding(
                "change_of_currency",
                Verdict.REVIEW,
                f"column {roles.kpi!r} and spend are about {np.exp(abs(size)):.3g} times as large "
                f"before {day:%Y-%m-%d} as from then on, or the other way round ({entity}). Did "
                "the currency or the unit of money change?",
                "Give all of it in one currency. If it is true (a price, a merger), explain it "
                "with a control, or fit what came after it (windows).",
                column=roles.kpi,
                places=[place],
            )
        ]
    return []


def _judge_kpi_step(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review a KPI that is several times as large on one side of a day."""
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        step = _kpi_step(one, roles.kpi_name, KPI_STEP)
        if step is None:
            continue
        day, size = step
        return [
            panel_finding(
                "change_of_unit",
                Verdict.REVIEW,
                f"column {roles.kpi!r}: before {day:%Y-%m-%d} ({entity}) and from then on its "
                f"values are apart by about {np.exp(abs(size)):,.3g} times, with hardly any "
                "between. Did its unit, its source or what is counted change?",
                "Give all of it in one unit. If it is true, explain it with a control, or fit what "
                "came after it (windows).",
                column=roles.kpi,
                places=[f"{entity}, {day:%Y-%m-%d}"],
            )
        ]
    return []


def _kpi_step(one: pd.DataFrame, kpi: str, least: float) -> tuple[pd.Timestamp, float] | None:
    """Day and size of a step that came at once, of one entity; None where there is none."""
    given = one[one[kpi] > 0]
    step = step_at_once(given[kpi].to_numpy(float), least)
    return None if step is None else (given[PERIOD_COLUMN].iloc[step.at], step.size)


def step_at_once(values: NDArray[np.float64], least: float) -> Step | None:
    """Return a step of positive values that came from one period to the next; None without one.

    Parameters
    ----------
    values
        In the order of time.
    least
        Times by which the two sides are apart at least.
    """
    step = find_step(values)
    if step is None or abs(step.size) < np.log(least):
        return None
    # What grows over years is apart too, and not from one week to the next.
    near = slice(step.at - MIN_OF_UNIT, step.at), slice(step.at, step.at + MIN_OF_UNIT)
    at_once = float(np.median(np.log(values[near[1]])) - np.median(np.log(values[near[0]])))
    is_at_once = abs(at_once - step.size) <= SAME_STEP and at_once * step.size > 0
    return step if is_at_once else None


def _judge_cost(rows: pd.DataFrame, channel: ChannelRole) -> list[Finding]:
    """Review a channel whose contacts cost several times as much on one side of a day."""
    spend, activity = str(channel.spend_column), str(channel.activity_column)
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        given = one[(one[spend] > 0) & (one[activity] > 0)]
        step = step_at_once((given[spend] / given[activity]).to_numpy(float), COST_STEP)
        if step is None:
            continue
        day = f"{given[PERIOD_COLUMN].iloc[step.at]:%Y-%m-%d}"
        return [
            panel_finding(
                "change_of_cost_per_unit",
                Verdict.REVIEW,
                f"channel {channel.name!r}: before {day} ({entity}) and from then on what a unit "
                f"of {channel.activity!r} costs is apart by about {np.exp(abs(step.size)):.3g} "
                "times, with hardly any between. Is something else counted since then (contacts "
                "that were seen, another source)? A model takes it for more or less media.",
                "Give activity as it is counted today in all periods, or leave it out, so that "
                "spend is the channel's input. If the price changed, nothing.",
                column=channel.activity,
                places=[f"{entity}, {day}"],
            )
        ]
    return []


def _size(before: pd.Series, after: pd.Series) -> float | None:
    """Median of what is spent after over before, as a logarithm; None where too little is."""
    sides = [side[side > 0] for side in (before, after)]
    if min(map(len, sides)) < MIN_OF_UNIT:
        return None
    return float(np.log(sides[1].median()) - np.log(sides[0].median()))


def _judge_unit(rows: pd.DataFrame, column: str, source: str, least: int) -> list[Finding]:
    """Review a column whose values are a hundred or thousand times larger on one side of a day."""
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        given = one[one[column] > 0]
        change = change_of_unit(given[column].to_numpy(float), least)
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


def change_of_unit(
    values: NDArray[np.float64], least: int = MIN_OF_UNIT
) -> tuple[int, float] | None:
    """Return where positive values step by a unit, and that unit; None where they do not.

    Parameters
    ----------
    values
        In the order of time.
    least
        Values on either side.
    """
    step = find_step(values, least)
    if step is None:
        return None
    near = [unit for unit in UNITS if abs(abs(step.size) - np.log(unit)) < UNIT_TOLERANCE]
    return (step.at, near[0]) if near else None


def find_step(values: NDArray[np.float64], least: int = MIN_OF_UNIT) -> Step | None:
    """Return the step of positive values with hardly any between its two levels; None without one.

    Parameters
    ----------
    values
        In the order of time.
    least
        Values on either side.
    """
    if len(values) < 2 * least:
        return None
    logs = np.log(values)
    n_before = np.arange(least, len(logs) - least + 1)
    sums = np.cumsum(logs)
    before = sums[n_before - 1] / n_before
    after = (sums[-1] - sums[n_before - 1]) / (len(logs) - n_before)
    # Where a step by a normal error would be likeliest.
    likely = (after - before) ** 2 * n_before * (len(logs) - n_before)
    at = int(n_before[np.argmax(likely)])
    lower, upper = sorted((logs[:at], logs[at:]), key=lambda side: float(np.median(side)))
    if np.quantile(lower, 0.95) >= np.quantile(upper, 0.05):
        return None
    return Step(at, float(np.median(logs[at:]) - np.median(logs[:at])))
