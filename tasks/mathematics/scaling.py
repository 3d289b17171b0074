"""Scales that give parameters their meaning: the largest input and KPI, rounded up.

A scale is computed once, from the panel of the fit, saved in ``feature_scaler.json`` and used as it
is ever after, so prediction on new rows never moves the meaning of a parameter. Rounding a maximum
up to two digits keeps the meaning from one refit to the next too: a record week by a few percent
moves nothing. More headroom would not do: a half-saturation is one for all entities, relative to
the scale of each, so scales have to stay in proportion to what each entity spends.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureScaler, Scale
from schemas.names import CHANNEL_DIM, CONTROL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.baseline import ControlSpec
from tasks.mathematics.carryover import recursive_adstock
from tasks.mathematics.panel import estimation_window, observed_values

CONTROL_REFERENCE = "control_reference"
"""Value at which a control contributes nothing; absent in runs of earlier versions: the mean."""


def compute_scales(panel: xr.Dataset) -> xr.Dataset:
    """Compute every scale of a panel.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it, every period of it.

    Returns
    -------
    xr.Dataset
        ``media_scale (entity, channel)``: the largest input of any period, ``kpi_scale (entity)``:
        the largest size of the KPI in fitted periods, both rounded up to two digits, 1 where
        everything is zero; ``control_mean``, ``control_std (control)`` and
        ``trend_mean``, ``trend_std``: over the fitted periods of open entities, 1 for a constant.
    """
    window = estimation_window(panel)
    index = np.flatnonzero(panel["is_estimation"].values).astype(float)
    # Where an entity was not open, controls are filled from its nearest row: no data of their own.
    controls = observed_values(window, "controls")
    return xr.Dataset(
        {
            "media_scale": _round_up(panel["media"].max(dim=DATE_DIM)),
            "kpi_scale": _round_up(abs(window["kpi"]).max(dim=DATE_DIM)),
            "control_mean": controls.mean((ENTITY_DIM, DATE_DIM)),
            "control_std": _or_one(controls.std((ENTITY_DIM, DATE_DIM))),
            "trend_mean": float(index.mean()),
            "trend_std": float(index.std()) or 1.0,
        }
    )


def _or_one(scale: xr.DataArray) -> xr.DataArray:
    return xr.where(scale > 0, scale, 1.0)


def _round_up(maximum: xr.DataArray) -> xr.DataArray:
    """Smallest number with two digits not below ``maximum``; 1 where that is not positive."""
    values = maximum.to_numpy()
    safe = np.where(values > 0, values, 1.0)
    step = 10.0 ** (np.floor(np.log10(safe)) - 1)
    # A maximum that has two digits stays as it is, whatever its division leaves in the last bit.
    digits = np.ceil(np.round(safe / step, 9))
    return maximum.copy(data=np.where(values > 0, digits * step, 1.0))


def carry_controls(panel: xr.Dataset, controls: Sequence[ControlSpec]) -> xr.Dataset:
    """Return the panel with the stated carryover of each control applied.

    Parameters
    ----------
    panel
        Its ``controls`` in their own units.
    controls
        ``decay`` and ``max_lag`` of each, in the order of the panel.

    Returns
    -------
    xr.Dataset
        The panel, ``controls (entity, control, date)`` still in their own units.
    """
    if not any(control.decay for control in controls):
        return panel
    values = panel["controls"].transpose(ENTITY_DIM, CONTROL_DIM, DATE_DIM)
    carried = values.to_numpy().copy()
    for index, control in enumerate(controls):
        if control.decay:
            carried[:, index] = recursive_adstock(
                carried[:, index], decay=control.decay, max_lag=control.max_lag
            )
    return panel.assign(controls=values.copy(data=carried))


def scales_to_json(scales: xr.Dataset) -> FeatureScaler:
    """Return scales as the document ``feature_scaler.json``.

    Parameters
    ----------
    scales
        What a kind scales its inputs by, any variables over named dimensions with coordinates.
    """
    document = scales.to_dict()
    return FeatureScaler(
        coords={k: v["data"] for k, v in document["coords"].items()},
        scales={
            k: Scale(dims=list(v["dims"]), data=v["data"]) for k, v in document["data_vars"].items()
        },
    )


def scales_from_json(document: FeatureScaler) -> xr.Dataset:
    """Rebuild what ``scales_to_json`` wrote, bit for bit.

    Returns
    -------
    xr.Dataset
        The same variables, dimensions and coordinates, as 64-bit floats.
    """
    return xr.Dataset(
        {k: (v.dims, np.asarray(v.data, dtype=float)) for k, v in document.scales.items()},
        coords=dict(document.coords),
    )


def scale_media(panel: xr.Dataset, scales: xr.Dataset) -> NDArray[np.float64]:
    """Media divided by its scale, shape ``(entity, channel, date)``, no unit.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it.
    scales
        From ``compute_scales`` of the fit's panel.
    """
    cube = (ENTITY_DIM, CHANNEL_DIM, DATE_DIM)
    if not _share_labels(panel, scales, cube[:2]):
        return (panel["media"] / scales["media_scale"]).transpose(*cube).to_numpy()
    media = panel.variables["media"].transpose(*cube).to_numpy()
    return np.asarray(media / _per_period(scales, "media_scale", cube[:2]))


def scale_controls(panel: xr.Dataset, scales: xr.Dataset) -> NDArray[np.float64]:
    """Controls as z-scores, shape ``(entity, control, date)``.

    Parameters
    ----------
    panel
        As ``build_panel`` arranges it.
    scales
        From ``compute_scales`` of the fit's panel.
    """
    cube = (ENTITY_DIM, CONTROL_DIM, DATE_DIM)
    if not _share_labels(panel, scales, cube[:2]):
        scaled = (panel["controls"] - scales["control_mean"]) / scales["control_std"]
        return scaled.transpose(*cube).to_numpy()
    controls = panel.variables["controls"].transpose(*cube).to_numpy()
    mean, std = (_per_period(scales, f"control_{name}", cube[:2]) for name in ("mean", "std"))
    return np.asarray((controls - mean) / std)


def scale_of_entities(scales: xr.Dataset, name: str, panel: xr.Dataset) -> xr.DataArray:
    """Return one scale at the entities of a panel, in their order.

    Parameters
    ----------
    scales
        From ``compute_scales`` of the fit's panel.
    name
        A scale with an entity axis.
    panel
        As ``build_panel`` arranges it, of some of the entities or all.

    Returns
    -------
    xr.DataArray
        Axes and unit of the scale, entities as in the panel.

    Raises
    ------
    KeyError
        If the fit had no such entity.
    """
    if _share_labels(panel, scales, (ENTITY_DIM,)):
        return scales[name]
    return scales[name].sel({ENTITY_DIM: panel[ENTITY_DIM].values})


def _share_labels(panel: xr.Dataset, scales: xr.Dataset, dims: Sequence[str]) -> bool:
    """Say whether both have the same labels in the same order, so that xarray need not align them.

    That takes many times longer than the division, which a refit makes hundreds of times.
    """
    pairs = [(panel.variables.get(dim), scales.variables.get(dim)) for dim in dims]
    return all(
        ours is not None and theirs is not None and np.array_equal(ours.values, theirs.values)
        for ours, theirs in pairs
    )


def _per_period(scales: xr.Dataset, name: str, dims: Sequence[str]) -> NDArray[np.float64]:
    return np.asarray(scales.variables[name].set_dims(dims).to_numpy()[..., None])
