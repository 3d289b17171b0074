"""Media that stand in later periods than those in which they worked.

Belongs here: whether the KPI moves before money does, before any sampling. Does not: how money is
booked (``booked``), what the residuals of a fit still know (``tasks.diagnose.residual_structure``).

The KPI of an entity is regressed on its channels, trend, season and controls, with noise that
lasts: once as media stand in the file, and once with one channel, or all of them, some periods
earlier or later. All have as many parameters, so their log likelihoods are compared as they are.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.channels import ChannelKind
from schemas.spec.roles import ColumnRoles
from tasks.mathematics.carryover import recursive_adstock
from tasks.mathematics.seasonality import fourier_terms
from tasks.validate.findings import panel_finding
from tasks.validate.plausible import TYPICAL_RETENTION

Array = NDArray[np.float64]
MOST_LATE = 6
"""Periods by which media are looked for too late: a month and a half."""
MIN_GAIN = 10.0
"""Gain in log likelihood above which media stand too late. In ten worlds each of
``benchmarks/worlds.py`` (seeds from 2100 on, on which it was chosen) one channel gained 6.7 at most
and all of them 8.5, but for the worlds in which money follows demand or sales."""
MIN_TIMED = 52
MOST_ENTITIES = 6
"""The largest ones speak for all: dates are the same everywhere."""
TYPICAL_LAGS = 8
MOST_LASTING = 0.9
_HARMONICS = 2


class Late(NamedTuple):
    """How much likelier media are that stood some periods earlier."""

    gain: float
    periods: int


class _Design(NamedTuple):
    """One entity: KPI ``(period,)``, what is beside media, media ``(period, channel)``."""

    kpi: Array
    known: Array
    media: Array

    def log_likelihood(self, earlier: Sequence[int], lasting: float | None) -> tuple[float, float]:
        """Log likelihood of media moved earlier by these periods, and what lasts of the noise."""
        fitted = slice(MOST_LATE, len(self.kpi) - MOST_LATE)
        moved = [
            self.media[fitted.start + by : fitted.stop + by, place]
            for place, by in enumerate(earlier)
        ]
        columns = np.column_stack([self.known[fitted], *moved, self.kpi[fitted]])
        if lasting is None:
            left = _left(columns)
            lasting = float(np.clip(left[1:] @ left[:-1] / (left @ left), 0, MOST_LASTING))
        left = _left(columns[1:] - lasting * columns[:-1])
        return -0.5 * len(left) * float(np.log(left @ left)), lasting


def judge_timing(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review media in front of which the KPI moves.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles
        Its channels and controls.
    """
    late = measure_lateness(rows, roles)
    if not late:
        return []
    name = max(late, key=lambda name: late[name].gain)
    gain, periods = late[name]
    if not gain > MIN_GAIN:
        return []
    source = next((c.activity or c.spend for c in roles.channels if c.name == name), None)
    what = f"channel {name!r}" if name else "all media"
    return [
        panel_finding(
            "media_after_kpi",
            Verdict.REVIEW,
            f"{what}: the KPI moves {periods} period(s) before them; moved earlier by that, they "
            f"explain it better by {gain:.3g} in log likelihood. Are these the dates of bills, of "
            "bookings or of the end of a week?",
            "Give media in the periods in which they ran, and all columns with the same day of a "
            "week. If the dates are right, money follows sales: give what drives both as a "
            "control, or run a lift test.",
            column=source,
        )
    ]


def measure_lateness(rows: pd.DataFrame, roles: ColumnRoles) -> Mapping[str, Late]:
    """Measure how much better each channel, and all of them (``""``), explain the KPI earlier.

    Parameters
    ----------
    rows, roles
        As ``judge_timing`` takes them.

    Returns
    -------
    Mapping
        By channel; empty where there are too few periods to say.
    """
    rivals = ChannelKind.COMPETITOR
    channels = {
        c.name: str(c.activity_column or c.spend_column)
        for c in roles.channels
        if c.kind is not rivals
    }
    designs = _designs(rows, roles, list(channels.values()))
    if not channels or not designs:
        return {}
    as_it_is = [design.log_likelihood([0] * len(channels), None) for design in designs]

    def gain(earlier: Sequence[int]) -> float:
        return sum(
            design.log_likelihood(earlier, lasting)[0] - before
            for design, (before, lasting) in zip(designs, as_it_is, strict=True)
        )

    moves = {name: [int(other == name) for other in channels] for name in channels}
    if len(channels) > 1:
        moves[""] = [1] * len(channels)
    late = {}
    for name, move in moves.items():
        best, periods = max((gain([by * k for k in move]), by) for by in range(1, MOST_LATE + 1))
        if best > MIN_GAIN:
            # Effects that come later look early, too, where media come and go in a rhythm.
            best -= max(0.0, *(gain([-by * k for k in move]) for by in range(1, MOST_LATE + 1)))
        late[name] = Late(best, periods)
    return late


def _designs(rows: pd.DataFrame, roles: ColumnRoles, columns: Sequence[str]) -> list[_Design]:
    sizes = rows[roles.kpi_name].abs().groupby(rows[ENTITY_COLUMN]).sum()
    designs = []
    for entity in sizes.nlargest(MOST_ENTITIES).index:
        one = rows[(rows[ENTITY_COLUMN] == entity) & rows[roles.kpi_name].notna()]
        n_terms = 2 * _HARMONICS + 2 + len(columns) + len(roles.controls)
        if len(one) - 2 * MOST_LATE < max(MIN_TIMED, 2 * n_terms):
            continue
        media = one[list(columns)].fillna(0.0).clip(lower=0).to_numpy(float)
        level = media.mean(axis=0)
        logs = np.log1p(media / np.where(level > 0, level, 1.0))
        carried = recursive_adstock(logs.T, decay=TYPICAL_RETENTION, max_lag=TYPICAL_LAGS).T
        controls = one[[c.column for c in roles.controls]].ffill().fillna(0.0).to_numpy(float)
        known = np.column_stack(
            [
                np.ones(len(one)),
                np.linspace(-1, 1, len(one)),
                fourier_terms(pd.DatetimeIndex(one[PERIOD_COLUMN]), _HARMONICS),
                controls / np.maximum(np.abs(controls).max(axis=0, initial=0.0), 1e-12),
            ]
        )
        kpi = one[roles.kpi_name].to_numpy(float)
        if kpi.std() > 0:
            designs.append(_Design(kpi / kpi.std(), known, carried))
    return designs


def _left(columns: Array) -> Array:
    """What the other columns leave of the last one."""
    others, kpi = columns[:, :-1], columns[:, -1]
    squares = others.T @ others
    squares[np.diag_indices_from(squares)] += 1e-9 * max(float(np.trace(squares)), 1e-9)
    return np.asarray(kpi - others @ np.linalg.solve(squares, others.T @ kpi))
