"""Scales that give parameters their meaning: inputs and the KPI by a power of two.

A scale is computed once, from the panel of the fit, saved in ``feature_scaler.json`` and used as it
is ever after, so prediction on new rows never moves the meaning of a parameter. Rounding a maximum
up to a power of two keeps the meaning from one refit to the next too: a record week moves nothing
until it passes the next power. Division by a power of two is exact.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, CONTROL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mmm.carryover import recursive_adstock
from tasks.mmm.panel import estimation_window


def compute_scales(panel: xr.Dataset) -> xr.Dataset:
    """Compute every scale of a panel.

    Returns
    -------
    xr.Dataset
        ``media_scale (entity, channel)``: the smallest power of two that no period's input
        exceeds, and ``kpi_scale (entity)`` for the size of the KPI in fitted periods, 1 where
        everything is zero; ``media_peak (entity, channel)``: the largest input over its scale, in
        (0.5, 1], 1 where everything is zero; ``control_mean``, ``control_std (control)`` and
        ``trend_mean``, ``trend_std``: over the fitted periods, 1 for a constant.
    """
    window = estimation_window(panel)
    index = np.flatnonzero(panel["is_estimation"].values).astype(float)
    controls = window["controls"]
    media_max = panel["media"].max(dim=DATE_DIM)
    media_scale = _power_of_two(media_max)
    return xr.Dataset(
        {
            "media_scale": media_scale,
            "media_peak": _or_one(media_max / media_scale),
            "kpi_scale": _power_of_two(abs(window["kpi"]).max(dim=DATE_DIM)),
            "control_mean": controls.mean((ENTITY_DIM, DATE_DIM)),
            "control_std": _or_one(controls.std((ENTITY_DIM, DATE_DIM))),
            "trend_mean": float(index.mean()),
            "trend_std": float(index.std()) or 1.0,
        }
    )


def _or_one(scale: xr.DataArray) -> xr.DataArray:
    return xr.where(scale > 0, scale, 1.0)


def _power_of_two(maximum: xr.DataArray) -> xr.DataArray:
    """Smallest power of two that is not below ``maximum``; 1 where that is not positive."""
    values = maximum.to_numpy()
    mantissa, exponent = np.frexp(np.where(values > 0, values, 1.0))
    return maximum.copy(data=np.ldexp(1.0, np.where(mantissa == 0.5, exponent - 1, exponent)))


def carry_controls(panel: xr.Dataset, controls: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """Return the panel with the stated carryover of each control applied.

    Parameters
    ----------
    panel
        Its ``controls`` in their own units.
    controls
        ``decay`` and ``max_lag`` of each, in the order of the panel.
    """
    if not any(control["decay"] for control in controls):
        return panel
    values = panel["controls"].transpose(ENTITY_DIM, CONTROL_DIM, DATE_DIM)
    carried = values.to_numpy().copy()
    for index, control in enumerate(controls):
        if control["decay"]:
            carried[:, index] = recursive_adstock(
                carried[:, index], decay=control["decay"], max_lag=control["max_lag"]
            )
    return panel.assign(controls=values.copy(data=carried))


def scales_to_json(scales: xr.Dataset) -> dict[str, Any]:
    """Return scales as plain lists for ``feature_scaler.json``."""
    document = scales.to_dict()
    return {
        "coords": {k: v["data"] for k, v in document["coords"].items()},
        "scales": {
            k: {"dims": list(v["dims"]), "data": v["data"]}
            for k, v in document["data_vars"].items()
        },
    }


def scales_from_json(document: Mapping[str, Any]) -> xr.Dataset:
    """Rebuild what ``scales_to_json`` wrote, bit for bit."""
    return xr.Dataset(
        {k: (v["dims"], np.asarray(v["data"], dtype=float)) for k, v in document["scales"].items()},
        coords=dict(document["coords"]),
    )


def scale_media(panel: xr.Dataset, scales: xr.Dataset) -> NDArray[np.float64]:
    """Media divided by its scale, shape ``(entity, channel, date)``, no unit."""
    scaled = panel["media"] / scales["media_scale"]
    return scaled.transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy()


def scale_controls(panel: xr.Dataset, scales: xr.Dataset) -> NDArray[np.float64]:
    """Controls as z-scores, shape ``(entity, control, date)``."""
    scaled = (panel["controls"] - scales["control_mean"]) / scales["control_std"]
    return scaled.transpose(ENTITY_DIM, CONTROL_DIM, DATE_DIM).to_numpy()


def unscale_controls(scaled: NDArray[np.float64], scales: xr.Dataset) -> NDArray[np.float64]:
    """Turn z-scores of shape ``(entity, control, date)`` back into the controls' own units."""
    mean = scales["control_mean"].to_numpy()[:, None]
    return scaled * scales["control_std"].to_numpy()[:, None] + mean
