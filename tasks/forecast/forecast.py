"""The KPI of the coming periods if things go on as they are.

What that means: media and spend are blocks of their own past, controls those of a year before,
some periods earlier or later (``tasks.forecast.uncertain``; what is listed as supposed, and what
plans are compared with, is one such path: media repeat their last periods). Stated events and
public holidays fall on their days; where holidays are not known any more, the forecast ends. The
model computes the rest from the dates:

- a straight trend goes on, with the uncertainty of its slope;
- a ``piecewise`` trend goes on along its last piece and bends no more, so that its interval is too
  narrow far ahead;
- a ``gp`` trend goes on as smoothly as it ran, is less and less sure, and has come back to its
  average two length scales after the fitted window (or a quarter of the window's length, where that
  is later), so that it says nothing of growth after that;
- media that vary over time come back to about their average in the same way;
- noise of the last period goes on as far as it lasts (AR(1)), and is independent from entity to
  entity.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import (
    ALL_ENTITIES,
    DATE_DIM,
    ENTITY_COLUMN,
    ENTITY_DIM,
    FORECAST_COLUMNS,
    PERIOD_COLUMN,
    QUANTILES,
    ForecastScope,
)
from schemas.spec.planned import PlannedPeriod
from tasks.forecast.uncertain import draw_changes
from tasks.mathematics.events import period_ends
from tasks.mathematics.horizon_panel import extend_panel
from tasks.mathematics.panel import observed_of
from tasks.mathematics.planned import place_planned
from tasks.mathematics.seeds import derive_seed
from tasks.models.contract import FittedModel

TRIMMED_SHARE = 0.05
"""Share of draws at either end that ``kpi_mean`` leaves out."""


def forecast_kpi(
    model: FittedModel,
    panel: xr.Dataset,
    metadata: FeatureMetadata,
    *,
    horizon: int,
    seed: int,
    paths: int = 0,
    planned: Sequence[PlannedPeriod] = (),
) -> pd.DataFrame:
    """Forecast the KPI of every entity, and of all together, from the draws of one fit.

    Parameters
    ----------
    model
        From ``tasks.models.opening.open_fitted``; a thousand draws are plenty.
    panel
        Panel of the fit with its whole history: carryover of its last periods is in the forecast.
    metadata
        ``feature_metadata.json``.
    horizon
        Number of coming periods, fewer where holidays are not known as far; media repeat as many.
    seed
        Seed of the observation noise.
    paths
        Paths of coming media and controls (``tasks.forecast.uncertain``) that draws are spread
        over; 0 supposes that they repeat.
    planned
        What is planned of them: it is the same on all paths.

    Returns
    -------
    pd.DataFrame
        ``schemas.names.FORECAST_COLUMNS``, in KPI units, one row per open entity and period, then
        one per coming period of scope ``all``: there draws are summed over entities before
        anything is taken of them. ``expected_mean`` is the mean of the expected KPI (for kind
        ``log_student_t`` of its median, as everywhere). The quantiles are of draws with observation
        noise, and ``kpi_mean`` is the mean of these draws between ``kpi_p05`` and ``kpi_p95``: a
        heavy-tailed noise, or its exponential, has no mean, and one draw of a thousand would decide
        it. Where noise is symmetric the two means agree up to the draws.
    """
    n_past = panel.sizes[DATE_DIM]
    continued = continue_panel(panel, metadata, horizon, planned)
    expected, kpi = sample_coming(model, continued, n_past, seed=seed)
    if paths and expected.shape[-1]:
        changes = draw_changes(
            model, continued, n_past, metadata.grain, paths=paths, seed=derive_seed(seed, 2)
        )
        expected, kpi = _spread(model, expected, kpi, changes)
    starts = pd.DatetimeIndex(continued[DATE_DIM].values[n_past:])
    entities = [str(entity) for entity in panel[ENTITY_DIM].values]
    together = (draws.sum(axis=1, keepdims=True) for draws in (expected, kpi))
    is_open = observed_of(continued)[:, -1]
    names = [entity for entity, stays in zip(entities, is_open, strict=True) if stays]
    return pd.concat(
        [
            _summarize(ForecastScope.ENTITY, names, starts, expected[:, is_open], kpi[:, is_open]),
            _summarize(ForecastScope.ALL, [ALL_ENTITIES], starts, *together),
        ],
        ignore_index=True,
    )


def _spread(
    model: FittedModel,
    expected: NDArray[np.float64],
    kpi: NDArray[np.float64],
    changes: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give every draw the change of one path ``(path, entity, date)``, its noise kept."""
    own = changes[np.arange(len(expected)) % len(changes)]
    return (expected + own, kpi + own) if model.additive else (expected * own, kpi * own)


def continue_panel(
    panel: xr.Dataset,
    metadata: FeatureMetadata,
    horizon: int,
    planned: Sequence[PlannedPeriod] = (),
) -> xr.Dataset:
    """Return the panel with its coming periods as a forecast supposes them, or as planned.

    Parameters as in ``forecast_kpi``. It ends earlier where holidays are not known as far.
    """
    continued = extend_panel(panel, metadata.grain, horizon, like_last=horizon)
    starts = pd.DatetimeIndex(continued[DATE_DIM].values)
    continued = continued.isel({DATE_DIM: slice(_count_known(starts, metadata))})
    n_past = panel.sizes[DATE_DIM]
    stated = planned or metadata.planned
    return place_planned(continued, n_past, metadata, planned) if stated else continued


def sample_coming(
    model: FittedModel, continued: xr.Dataset, n_past: int, *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return draws of the KPI after the first ``n_past`` periods, without and with noise.

    Both have shape ``(sample, entity, date)``. The noise of a period depends on the seed and on
    the number of coming periods, and not on what is supposed of them.
    """
    coming = continued.isel({DATE_DIM: slice(n_past, None)})
    everywhere = model.expected(continued)
    last = continued["kpi"].to_numpy()[:, n_past - 1] - everywhere[..., n_past - 1]
    # What has closed has no last noise, and none to come.
    before = np.nan_to_num(last) if np.isfinite(last).any() else None
    expected = everywhere[..., n_past:]
    return expected, model.sample_kpi(coming, expected, seed=seed, before=before)


def _count_known(starts: pd.DatetimeIndex, metadata: FeatureMetadata) -> int:
    """Number of periods, the first ones, whose days all events speak about."""
    ends = period_ends(starts.to_numpy().astype("datetime64[D]"), metadata.grain)
    limits = [event.known_until for event in metadata.events if event.known_until]
    return int((ends <= np.datetime64(min(limits), "D") + 1).sum()) if limits else len(starts)


def _trimmed_mean(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis without the largest and the smallest draws."""
    cut = int(TRIMMED_SHARE * len(draws))
    return np.sort(draws, axis=0)[cut : len(draws) - cut].mean(axis=0)


def _summarize(
    scope: ForecastScope,
    names: Sequence[str],
    starts: pd.DatetimeIndex,
    expected: NDArray[np.float64],
    kpi: NDArray[np.float64],
) -> pd.DataFrame:
    """Rows of one scope from draws of shape ``(sample, name, date)``."""
    table = pd.DataFrame(
        {
            "scope": scope.value,
            ENTITY_COLUMN: np.repeat(names, len(starts)),
            PERIOD_COLUMN: np.tile(starts, len(names)),
            "periods_ahead": np.tile(np.arange(1, len(starts) + 1), len(names)),
            "expected_mean": expected.mean(axis=0).ravel(),
            "kpi_mean": _trimmed_mean(kpi).ravel(),
        }
    )
    for column, share in QUANTILES.items():
        table[column] = np.quantile(kpi, share, axis=0).ravel()
    return table[list(FORECAST_COLUMNS)]
