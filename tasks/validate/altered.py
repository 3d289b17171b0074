"""Numbers that were worked over before they were handed in: averaged, cut off, with a hole.

Belongs here: traces that this leaves in the columns of a panel, before any sampling. Does not:
numbers of months or of a period that is not whole (``reported``), units (``units``).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.roles import ColumnRoles
from tasks.mathematics.seasonality import fourier_terms
from tasks.validate.findings import panel_finding

Array = NDArray[np.float64]
SPANS = range(4, 9)
"""Periods that a moving average goes over; fewer leave too little to see without false alarms."""
MAX_NULL_POWER = 0.03
"""Power where an average over so many periods leaves none, over that between. Of 1,096 columns of
``benchmarks/worlds.py`` (seeds from 2100 on) none but one had less than 0.05, and that 0.04."""
NULL_WIDTH = 0.012
"""Half the width of a band without power, cycles per period: about one period in a file's."""
MIN_AVERAGED = 60
MOST_REPEATS = 0.1
"""Share of values like the one before, or of zeros, above which a column is a staircase or comes in
bursts, and is no average."""
_HARMONICS = 2
MIN_AT_CEILING = 5
MIN_CEILING_SHARE = 0.04
MIN_DISTINCT = 0.5
"""Share of distinct values below which values come often anyway: counts, rounded, a cycle."""
MIN_HOLE, MOST_HOLE = 2, 26
MIN_BESIDE_HOLE = 8
"""Active periods on either side of a hole."""
N_NEAR_HOLE, LEAST_NEAR_HOLE = 4, 0.5
"""Periods next to a hole, and what they have to reach of the median: a season fades out."""


def judge_alterations(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Judge whether columns hold what happened in each period, or what was made of it.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles
        What the numbers are.
    """
    entities = {str(name): one for name, one in rows.groupby(ENTITY_COLUMN, sort=True)}
    return [
        *_judge_averages(entities, roles),
        *_judge_ceiling(entities, roles),
        *_note_holes(entities, roles),
    ]


def _judge_averages(entities: dict[str, pd.DataFrame], roles: ColumnRoles) -> list[Finding]:
    """Review columns that are averages or sums over the last few periods."""
    findings = []
    for column, source in {roles.kpi_name: roles.kpi, **roles.media_sources()}.items():
        series = [one.set_index(PERIOD_COLUMN)[column] for one in entities.values()]
        spans = [span for values in series if (span := averaged_over(values.dropna()))]
        if not spans or len(spans) < len(series) / 2:
            continue
        span = max(spans, key=spans.count)
        findings.append(
            panel_finding(
                "moving_average",
                Verdict.REVIEW,
                f"column {source!r} looks like an average or a sum over the last {span} periods: "
                f"nothing in it repeats every {span} periods. A model takes it for what happened "
                "in each one, finds effects in the wrong periods, and is too sure.",
                "Give what happened in each period.",
                column=source,
            )
        )
    return findings


def averaged_over(values: pd.Series) -> int | None:
    """Return how many periods a column is a moving average of; None where it is none.

    Such an average has no power at the frequencies ``j / span``, whatever it is made of.

    Parameters
    ----------
    values
        Of one entity, by period start.
    """
    given = values.to_numpy(float)
    repeats, zeros = (np.diff(given) == 0).mean(), (given == 0).mean()
    is_varied = len(np.unique(given)) >= MIN_DISTINCT * len(given)
    if len(given) < MIN_AVERAGED or max(repeats, zeros) > MOST_REPEATS or not is_varied:
        return None
    days = pd.DatetimeIndex(values.index)
    known = np.column_stack(
        [np.ones(len(given)), np.arange(len(given)), fourier_terms(days, _HARMONICS)]
    )
    left = given - known @ np.linalg.lstsq(known, given, rcond=None)[0]
    change = np.diff(left) * np.hanning(len(left) - 1)
    power = np.asarray(np.abs(np.fft.rfft(change)) ** 2, float)
    frequency = np.asarray(np.fft.rfftfreq(len(change)), float)
    shares = {span: _null_share(power, frequency, span) for span in SPANS}
    found = [span for span, share in shares.items() if share < MAX_NULL_POWER]
    return max(found, default=None)


def _null_share(power: Array, frequency: Array, span: int) -> float:
    """Mean power in the bands that an average over ``span`` periods empties, over that between."""
    nulls = np.arange(1, span // 2 + 1) / span
    is_null = (np.abs(frequency[:, None] - nulls) < NULL_WIDTH).any(axis=1)
    between = (frequency > 1 / (2 * span)) & ~(
        np.abs(frequency[:, None] - nulls) < 2 * NULL_WIDTH
    ).any(axis=1)
    beside = float(np.mean(power[between]))
    return float(np.mean(power[is_null])) / beside if beside > 0 else 1.0


def _judge_ceiling(entities: dict[str, pd.DataFrame], roles: ColumnRoles) -> list[Finding]:
    """Review a KPI whose largest value comes often: sold out, cut off at a capacity."""
    for entity, one in entities.items():
        kpi = one[roles.kpi_name].dropna().to_numpy(float)
        if not len(kpi) or kpi.max() <= 0 or len(np.unique(kpi)) < MIN_DISTINCT * len(kpi):
            continue
        n_largest = int((kpi == kpi.max()).sum())
        if n_largest < max(MIN_AT_CEILING, MIN_CEILING_SHARE * len(kpi)):
            continue
        days = one.loc[one[roles.kpi_name] == kpi.max(), PERIOD_COLUMN].dt.strftime("%Y-%m-%d")
        return [
            panel_finding(
                "kpi_ceiling",
                Verdict.REVIEW,
                f"column {roles.kpi!r}: {n_largest} periods have one and the same largest value "
                f"({entity}, {kpi.max():,.6g}). Was it sold out, or cut off? A model takes them "
                "for periods in which media brought less.",
                "Give what was asked for, as orders or reservations are, instead of what could "
                "be delivered; or leave the entity out.",
                column=roles.kpi,
                places=[f"{entity}, {day}" for day in days],
            )
        ]
    return []


def _note_holes(entities: dict[str, pd.DataFrame], roles: ColumnRoles) -> list[Finding]:
    """Note a channel that is on in every period but some in a row."""
    found = []
    for column, source in roles.media_sources().items():
        for entity, one in entities.items():
            hole = find_hole(one[column].fillna(0.0).to_numpy(float))
            if hole is not None:
                days = one[PERIOD_COLUMN].iloc[list(hole)].dt.strftime("%Y-%m-%d")
                found.append((source, f"{entity}, {days.iloc[0]} to {days.iloc[1]}"))
    if not found:
        return []
    named = "; ".join(f"{source!r}: {where}" for source, where in found[:3])
    return [
        panel_finding(
            "hole_in_media",
            Verdict.PASS,
            f"media are there in every period but some in a row ({named}). If an export lacks "
            "them, the model learns that the channel does next to nothing.",
            "Nothing to do if it was paused; else fill in what ran.",
            column=found[0][0],
            places=[where for _, where in found],
        )
    ]


def find_hole(values: Array) -> tuple[int, int] | None:
    """Return the first and the last period of the one pause of a channel; None without one.

    Parameters
    ----------
    values
        Input of a channel in one entity, ``(period,)``.
    """
    on = np.flatnonzero(values > 0)
    gaps = np.diff(on)
    if (gaps > 1).sum() != 1:
        return None
    at = int(np.argmax(gaps))
    is_inside = min(at + 1, len(on) - at - 1) >= MIN_BESIDE_HOLE
    if not is_inside or not MIN_HOLE <= gaps[at] - 1 <= MOST_HOLE:
        return None
    sides = on[at + 1 - N_NEAR_HOLE : at + 1], on[at + 1 : at + 1 + N_NEAR_HOLE]
    if min(values[side].min() for side in sides) < LEAST_NEAR_HOLE * np.median(values[on]):
        return None
    return int(on[at]) + 1, int(on[at + 1]) - 1
