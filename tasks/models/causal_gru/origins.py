"""Rolling origins: what is fitted, what says when to stop, and what is forecast; and its rivals.

The rivals are the KPI of a year before, and kind ``ridge`` with its defaults. Both see every period
before an origin; a member of the ensemble leaves the last of them to say when to stop.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.spec.ridge import RidgeSpec
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.models.causal_gru.scores import Scores
from tasks.models.contract import ModelInputs
from tasks.models.ridge.bootstrap import regress
from tasks.models.ridge.candidates import make_columns
from tasks.models.ridge.design import build_design
from tasks.models.ridge.search import search_widely

Array = NDArray[np.float64]

_HELD_OUT = 0.12
"""Share of the periods before an origin that say when to stop."""
_LEAST_PERIODS, _MOST_SCORED = 4, 13
_RIDGE_FOLDS = 3


class Origin(NamedTuple):
    """Positions among the fitted periods."""

    fitted: int
    """Members are fitted to those before it,"""
    cut: int
    """and stopped by those from there to before it;"""
    end: int
    """forecasts are scored from there to before it."""


def plan_origins(n_periods: int, n_origins: int) -> list[Origin]:
    """Return origins over the last fitted periods, each after the one before.

    Parameters
    ----------
    n_periods
        Fitted periods.
    n_origins
        How many; together they score at most a third of the periods.
    """
    size = n_periods // (3 * n_origins)
    size = min(max(size, _LEAST_PERIODS), _MOST_SCORED)
    cuts = [n_periods - (n_origins - k) * size for k in range(n_origins)]
    return [
        Origin(cut - max(_LEAST_PERIODS, round(_HELD_OUT * cut)), cut, cut + size) for cut in cuts
    ]


def forecast_naively(kpi: Array, origin: Origin, periods_per_year: int) -> Array:
    """Return the KPI of as many years before as lead behind the origin.

    Parameters
    ----------
    kpi
        ``(entity, fitted period)``.
    origin
        Nothing from its ``cut`` on is looked at.
    periods_per_year
        Length of a season.

    Returns
    -------
    NDArray
        ``(entity, period)``; the last KPI before the origin where history is shorter.
    """
    ahead = np.arange(origin.end - origin.cut) + 1
    before = origin.cut + ahead - 1 - periods_per_year * -(-ahead // periods_per_year)
    return np.where(before >= 0, kpi[:, np.maximum(before, 0)], kpi[:, [origin.cut - 1]])


def forecast_by_ridge(panel: xr.Dataset, inputs: ModelInputs, origin: Origin) -> Array:
    """Return what kind ``ridge`` says of the scored periods, ``(entity, period)``, scaled KPI.

    Fitted to every period before the origin; media and controls of the scored ones are known.
    """
    settings = RidgeSpec(folds=_RIDGE_FOLDS)
    stated = {"kind_settings": settings.model_dump(mode="json")}
    design = build_design(
        panel, ModelInputs(inputs.metadata.model_copy(update=stated), inputs.scales)
    )
    fitted = np.flatnonzero(design.window)
    window = np.zeros_like(design.window)
    window[fitted[: origin.cut]] = True
    before = replace(
        design,
        kpi=np.ascontiguousarray(design.kpi[:, : origin.cut]),
        linear=np.ascontiguousarray(design.linear[..., : origin.cut]),
        window=window,
    )
    chosen = search_widely(before, settings, make_columns(before, settings.folds))
    draw, _ = regress(before, settings, chosen).fit(before.kpi)
    columns = design.columns(chosen.media)[..., origin.cut : origin.end]
    return np.asarray(np.einsum("ec,cet->et", draw.coefficients, columns) + draw.level[:, None])


def score_forecasts(
    panel: xr.Dataset, inputs: ModelInputs, origins: Sequence[Origin], own: Sequence[Array]
) -> Scores:
    """Score forecasts beside those of the rivals.

    Parameters
    ----------
    panel, inputs
        As every kind gets them.
    origins
        From ``plan_origins``.
    own
        Mean forecast of the members at each, ``(entity, period)``, scaled KPI.
    """
    metadata: FeatureMetadata = inputs.metadata
    scale = inputs.scales["kpi_scale"].to_numpy()[:, None]
    window = panel["is_estimation"].to_numpy()
    kpi = (panel["kpi"].transpose("entity", "date").to_numpy() / scale)[:, window]
    year = PERIODS_PER_YEAR[metadata.grain]
    squares: dict[str, list[Array]] = {"own": [], "naive": [], "ridge": []}
    for origin, forecast in zip(origins, own, strict=True):
        actual = kpi[:, origin.cut : origin.end]
        rivals = {
            "own": forecast,
            "naive": forecast_naively(kpi, origin, year),
            "ridge": forecast_by_ridge(panel, inputs, origin),
        }
        for name, values in rivals.items():
            squares[name].append((scale * (actual - values)) ** 2)
    error = {n: float(np.sqrt(np.concatenate(s, axis=1).mean())) for n, s in squares.items()}
    n_scored = sum(origin.end - origin.cut for origin in origins)
    return Scores(error["own"], error["naive"], error["ridge"], n_scored)
