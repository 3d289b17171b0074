"""The published recovery sets: four businesses whose generator reports every contribution.

They come from the public generator of the PyMC-Marketing and Meridian comparison
(https://github.com/pymc-labs/mmm-param-recovery, Apache 2.0), seed 20250715, and are no part of
this project. ``<name>_business.csv`` holds ``date, geo, y``, spend and activity of a channel at
once in ``x<k>_<name>``, controls in ``c<k>``; ``c<k>_effect`` is part of the answer and never an
input. ``<name>_business_truth.csv`` holds ``date, geo, contribution_x<k>_<name>``.
"""

import re
from pathlib import Path

import pandas as pd
import xarray as xr

from benchmarks.recovery.worlds import (
    CONTROL_PREFIX,
    KPI_COLUMN,
    SPEND_PREFIX,
    World,
    make_world,
)
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_COLUMN, ENTITY_DIM, PERIOD_COLUMN

_KEYS = {"geo": ENTITY_COLUMN, "date": PERIOD_COLUMN, "y": KPI_COLUMN}
_CONTRIBUTION = "contribution_"
NOTHING_BEFORE = {"media_before": False}
"""The generator carries over from the first row on: nothing was spent before it.

Its truth shows it: every series that carries over, and begins with a period without spend,
contributes exactly nothing there (2, 8, 45 and 1,175 series of the four sets).
"""


def load_set(name: str, folder: Path) -> World:
    """Read one set with its truth.

    Parameters
    ----------
    name
        ``small``, ``growing``, ``medium`` or ``large``.
    folder
        Where ``<name>_business.csv`` and ``<name>_business_truth.csv`` are.
    """
    rows = pd.read_csv(folder / f"{name}_business.csv", parse_dates=["date"])
    spends = {c: SPEND_PREFIX + c for c in rows if re.match(r"x\d+_", c)}
    controls = {c: CONTROL_PREFIX + c for c in rows if re.fullmatch(r"c\d+", c)}
    rows = rows.rename(columns=_KEYS | spends | controls)
    kept = rows[[*_KEYS.values(), *spends.values(), *controls.values()]]
    truth = _read_truth(folder / f"{name}_business_truth.csv")
    return make_world(name, kept, truth, model=NOTHING_BEFORE)


def _read_truth(path: Path) -> xr.DataArray:
    known = pd.read_csv(path, parse_dates=["date"])
    known = known.rename(columns={"geo": ENTITY_DIM, "date": DATE_DIM})
    known = known.set_index([ENTITY_DIM, DATE_DIM])
    known.columns = known.columns.str.removeprefix(_CONTRIBUTION)
    return known.to_xarray().to_dataarray(CHANNEL_DIM)
