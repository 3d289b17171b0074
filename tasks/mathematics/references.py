"""From where controls count: the value at which each of them contributes nothing."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CONTROL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.baseline import ControlReference, ControlSpec
from tasks.mathematics.panel import estimation_window, observed_values
from tasks.mathematics.scaling import carry_controls


def choose_reference(values: NDArray[np.float64]) -> ControlReference:
    """Choose where a control counts from that the spec says nothing of.

    Parameters
    ----------
    values
        The control in its own unit over the fitted window, any shape; NaN is left out.

    Returns
    -------
    ControlReference
        ``zero`` for what is absent most of the time, or is 0 or one other value: a promotion, a
        closed week, a switch. Else ``mean``: a price or a temperature is never absent.
    """
    seen = values[np.isfinite(values)]
    is_switch = len(np.unique(seen)) <= 2 and bool((seen == 0).any())
    is_rare = seen.size > 0 and float((seen == 0).mean()) > 0.5
    return ControlReference.ZERO if is_switch or is_rare else ControlReference.MEAN


def choose_references(
    panel: xr.Dataset, controls: Sequence[ControlSpec]
) -> list[ControlReference | float]:
    """Choose the reference of each control: as stated, else by what the fitted window shows.

    Parameters
    ----------
    panel
        Every period of the fit, controls in their own units.
    controls
        In the order of the panel.

    Returns
    -------
    list
        One of ``ControlReference``, or a number in the unit of the control.
    """
    window = observed_values(estimation_window(panel), "controls")
    return [
        choose_reference(window.isel({CONTROL_DIM: index}).to_numpy())
        if control.reference is None
        else control.reference
        for index, control in enumerate(controls)
    ]


def measure_references(panel: xr.Dataset, controls: Sequence[ControlSpec]) -> xr.DataArray:
    """Value of each control at which it contributes nothing, its stated carryover included.

    Parameters
    ----------
    panel
        Every period of the fit, controls in their own units.
    controls
        In the order of the panel, with the reference of each (``choose_references``).

    Returns
    -------
    xr.DataArray
        ``(entity, control)``, units of the control. ``mean``, ``min`` and ``max`` are of each
        entity, so that a control that never changes within a market contributes nothing there.
    """
    carried = observed_values(estimation_window(carry_controls(panel, controls)), "controls")
    columns = [
        _one(carried.isel({CONTROL_DIM: index}, drop=True), control)
        for index, control in enumerate(controls)
    ]
    values = np.stack(columns, axis=1) if columns else np.empty((panel.sizes[ENTITY_DIM], 0))
    coords = {dim: panel[dim].values for dim in (ENTITY_DIM, CONTROL_DIM)}
    return xr.DataArray(values, dims=(ENTITY_DIM, CONTROL_DIM), coords=coords)


def _one(carried: xr.DataArray, control: ControlSpec) -> NDArray[np.float64]:
    """Reference of one control in every entity, ``(entity,)``."""
    match control.reference:
        case ControlReference.MEAN | None:
            return carried.mean(DATE_DIM).to_numpy()
        case ControlReference.MIN:
            return carried.min(DATE_DIM).to_numpy()
        case ControlReference.MAX:
            return carried.max(DATE_DIM).to_numpy()
        case ControlReference.ZERO:
            stated = 0.0
        case _:
            stated = control.reference
    lasting = float((control.decay ** np.arange(control.max_lag + 1)).sum())
    return np.full(carried.sizes[ENTITY_DIM], stated * lasting)
