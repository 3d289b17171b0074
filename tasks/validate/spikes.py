"""An input that is unlike all others of its channel: another unit, a month in one week, a slip.

Belongs here: the size of the largest inputs beside the others. Does not: the KPI's outliers
(``tasks.validate.canonical``).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.roles import ColumnRoles
from tasks.validate.findings import panel_finding

SPIKE_LIMIT = 3.3
"""Times the size that one active period in twenty exceeds, above which a note says so.

``benchmarks/input_detectors.py`` says how often that finds weeks that stand there tenfold, and how
often it is false.
"""
LEAST_ACTIVE = 20
"""Active periods from which their largest twentieth means anything."""
_USUAL = 0.95
_NAMED = 3


def measure_spikes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return inputs over the size that one active period in twenty exceeds.

    Parameters
    ----------
    values
        One channel's input in one entity, ``(period,)``.

    Returns
    -------
    NDArray
        ``(period,)``; zeros where too few periods are active to say.
    """
    active = values[values > 0]
    if len(active) < LEAST_ACTIVE:
        return np.zeros(len(values))
    return np.asarray(values / np.quantile(active, _USUAL))


def judge_spikes(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Note inputs of a channel that are unlike all its others.

    Parameters
    ----------
    rows
        Panel sorted by entity and period.
    roles
        Its channels.
    """
    found = []
    for column, source in roles.media_sources().items():
        sizes = pd.concat(
            pd.Series(measure_spikes(one[column].fillna(0.0).to_numpy(float)), one.index)
            for _, one in rows.groupby(ENTITY_COLUMN, sort=True)
        )
        odd = rows.loc[sizes.index[sizes > SPIKE_LIMIT]]
        if len(odd):
            found.append(_finding(source, odd, float(sizes.max())))
    return found


def _finding(column: str, odd: pd.DataFrame, largest: float) -> Finding:
    days = odd[PERIOD_COLUMN].dt.strftime("%Y-%m-%d")
    places = [f"{entity}, {day}" for entity, day in zip(odd[ENTITY_COLUMN], days, strict=True)]
    return panel_finding(
        "input_spike",
        Verdict.PASS,
        f"column {column!r}: up to {largest:.1f} times the size that one of its active "
        f"periods in twenty exceeds ({', '.join(places[:_NAMED])}"
        f"{', …' if len(places) > _NAMED else ''}). Such a period can decide the channel's curve.",
        "Nothing to do if it was bought like that; else mend the figure (another unit, a "
        "month booked in one period).",
        column=column,
        places=places,
    )
