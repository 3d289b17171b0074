"""What a channel is worth: quantiles of share and ROAS, and its long-run response curve.

A curve is the steady state: the same input in every period, long enough that carryover is full,
split over entities as the mean of the fitted window is.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, ComponentKind
from tasks.mmm.panel import estimation_window
from tasks.models.contract import Component, FittedModel
from tasks.models.quantities import channel_quantiles, measure_quantities, thin_draws

N_DRAWS = 500
N_POINTS = 31
BEYOND = 1.25
"""A curve runs this far past the largest observed input."""
_TAILS = {"median": 0.5, "low_90": 0.05, "high_90": 0.95}


def thin_tree(tree: xr.DataTree) -> xr.DataTree:
    """Keep ``N_DRAWS`` draws of a posterior: plenty for a 90 % band, and a curve needs many."""
    thinned = thin_draws(tree["posterior"].to_dataset(), N_DRAWS)
    return xr.DataTree.from_dict({"posterior": thinned})


def measure_channels(
    model: FittedModel, panel: xr.Dataset, metadata: Mapping[str, Any]
) -> dict[str, dict[str, float | None]]:
    """Return ``channel_quantiles.json``: share and ROAS of every channel over the fitted window."""
    return channel_quantiles(measure_quantities(model, panel, metadata))


def measure_curves(
    model: FittedModel, panel: xr.Dataset, metadata: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return ``response_curves.json``.

    Parameters
    ----------
    model
        Posterior draws; a model that is not additive has no curve of one channel alone, and gives
        an empty result.
    panel
        Panel with its carryover window; what is not media stays as in its last periods.
    metadata
        Feature metadata: the carryover of every channel.

    Returns
    -------
    dict
        By channel with any input: ``unit`` (``spend`` or ``input``), ``x`` (per period, all
        entities together), ``median``, ``low_90``, ``high_90`` (KPI units per period at each x),
        and ``current`` (mean), ``observed_low`` and ``observed_high`` of x over fitted periods.
    """
    if not model.additive:
        return {}
    n_lags = max(int(channel["adstock"]["l_max"]) for channel in metadata["channels"])
    window = estimation_window(panel)
    recent = panel.isel({DATE_DIM: slice(-n_lags, None)})
    curves = {}
    for index, name in enumerate(str(c) for c in panel[CHANNEL_DIM].values):
        media, spend = (
            window[v].isel({CHANNEL_DIM: index}).transpose(ENTITY_DIM, DATE_DIM).to_numpy()
            for v in ("media", "spend")
        )
        if not media.sum() > 0:
            continue
        in_money = np.nansum(spend) > 0
        observed = np.nansum(spend if in_money else media, axis=0)
        current = float(observed.mean())
        x = np.linspace(0.0, BEYOND * observed.max(), N_POINTS)
        draws = _steady_state(model, recent, name, media.mean(axis=1), x / current)
        curves[name] = {
            "unit": "spend" if in_money else "input",
            "x": x.tolist(),
            **{end: np.quantile(draws, tail, axis=0).tolist() for end, tail in _TAILS.items()},
            "current": current,
            "observed_low": float(observed.min()),
            "observed_high": float(observed.max()),
        }
    return curves


def _steady_state(
    model: FittedModel,
    recent: xr.Dataset,
    channel: str,
    mean_input: NDArray[np.float64],
    factors: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Contribution of the last period at multiples of the mean input, ``(sample, factor)``."""
    component = Component(channel, ComponentKind.CHANNEL)
    index = [str(name) for name in recent[CHANNEL_DIM].values].index(channel)
    media = recent["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).copy()
    totals = []
    for factor in factors:
        media.to_numpy()[:, index] = factor * mean_input[:, None]
        part = model.contribution(component, recent.assign(media=media))
        totals.append(part[:, :, -1].sum(axis=1))
    return np.stack(totals, axis=1)
