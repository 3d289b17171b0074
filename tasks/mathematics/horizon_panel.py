"""The panel beyond its last period: what is assumed where nothing has been observed.

Media and spend repeat the most recent periods, controls repeat the same time of last year, the
value of a KPI unit stays. Trend, season and events are no assumption of this module: a model
computes them from the dates.
"""

from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, CONTROL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import PERIODS_PER_YEAR, next_start
from tasks.mathematics.panel import IS_ESTIMATION, IS_OBSERVED


def extend_panel(panel: xr.Dataset, grain: Grain, n_periods: int, *, like_last: int) -> xr.Dataset:
    """Continue a panel into the future.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel`` has it.
    grain
        Length of a period.
    n_periods
        Number of periods to add.
    like_last
        Media and spend repeat this many last periods, in their order, over and over.

    Returns
    -------
    xr.Dataset
        The panel with ``n_periods`` more dates: ``media`` and ``spend`` as above, ``controls`` of
        the same period a year before (of the last period where history is shorter than a year),
        ``unit_value`` of the last period, ``kpi`` NaN, ``is_estimation`` false, ``is_observed`` as
        in the last period: what has closed stays closed.
    """
    n_known = panel.sizes[DATE_DIM]
    recent = _repeat_recent(n_known, n_periods, like_last)
    seasonal = _repeat_year(n_known, n_periods, PERIODS_PER_YEAR[grain])
    last = np.full(n_periods, n_known - 1)
    sources = {"media": recent, "spend": recent, "controls": seasonal, "unit_value": last}
    future = xr.Dataset(
        {
            name: panel[name].isel({DATE_DIM: index}).drop_vars(DATE_DIM)
            for name, index in sources.items()
        },
        coords={c: panel[c] for c in (ENTITY_DIM, CHANNEL_DIM, CONTROL_DIM)},
    )
    future["kpi"] = xr.full_like(future["unit_value"], np.nan)
    future[IS_ESTIMATION] = (DATE_DIM, np.zeros(n_periods, bool))
    if IS_OBSERVED in panel:
        future[IS_OBSERVED] = panel[IS_OBSERVED].isel({DATE_DIM: last}).drop_vars(DATE_DIM)
    future[DATE_DIM] = future_starts(panel, grain, n_periods)
    return xr.concat([panel, future], dim=DATE_DIM).transpose(..., DATE_DIM)


def future_starts(panel: xr.Dataset, grain: Grain, n_periods: int) -> pd.DatetimeIndex:
    """Return the starts of the periods that follow a panel."""
    start: date = pd.Timestamp(panel[DATE_DIM].values[-1]).date()
    starts = []
    for _ in range(n_periods):
        start = next_start(start, grain)
        starts.append(np.datetime64(start))
    return pd.DatetimeIndex(np.array(starts, panel[DATE_DIM].dtype), name=DATE_DIM)


def _repeat_recent(n_known: int, n_periods: int, like_last: int) -> NDArray[np.intp]:
    length = min(like_last, n_known)
    return n_known - length + np.arange(n_periods) % length


def _repeat_year(n_known: int, n_periods: int, year: int) -> NDArray[np.intp]:
    if n_known < year:
        return np.full(n_periods, n_known - 1)
    return n_known - year + np.arange(n_periods) % year
