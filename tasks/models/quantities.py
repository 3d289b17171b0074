"""What value channels have to a business, as draws and quantiles: share of the KPI and ROAS.

Prior and posterior draws go through the same function, so that the two can be laid side by side.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, ComponentKind
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.contract import FittedModel

INTERVALS = (50, 90)
"""Probability of the equal-tailed intervals, in percent."""


class Quantities(NamedTuple):
    """Draws over the fitted window, ``(sample,)`` each, by channel."""

    shares: dict[str, NDArray[np.float64]]
    """Contribution over the KPI; negative for a competitor."""
    roas: dict[str, NDArray[np.float64] | None]
    """Money per money; None where there is no spend, or a KPI unit has no value in money."""
    expected: NDArray[np.float64]
    """Expected KPI, ``(sample, entity, date)``, over the whole panel."""


def measure_quantities(
    model: FittedModel, panel: xr.Dataset, metadata: FeatureMetadata
) -> Quantities:
    """Evaluate the draws of a model on the panel of its fit.

    Parameters
    ----------
    model
        Posterior or prior draws.
    panel
        Panel with its carryover window.
    metadata
        Feature metadata: KPI kind, whether a KPI unit has a value in money.
    """
    window = panel[IS_ESTIMATION].values
    kpi, value = (panel[name].to_numpy()[:, window] for name in ("kpi", "unit_value"))
    in_money = metadata.in_money
    shares: dict[str, NDArray[np.float64]] = {}
    roas: dict[str, NDArray[np.float64] | None] = {}
    expected = np.zeros(())
    for component in model.components:
        everywhere = model.contribution(component, panel)
        expected = expected + everywhere
        if component.kind is ComponentKind.CHANNEL:
            part = everywhere[:, :, window]
            spend = panel["spend"].sel({CHANNEL_DIM: component.name}).to_numpy()[:, window]
            money = float(np.nansum(spend)) if in_money else 0.0
            shares[component.name] = part.sum(axis=(1, 2)) / kpi.sum()
            roas[component.name] = (part * value).sum(axis=(1, 2)) / money if money else None
    return Quantities(shares, roas, expected)


def channel_quantiles(quantities: Quantities) -> dict[str, dict[str, float | None]]:
    """Return ``share_*`` and ``roas_*`` of every channel, as ``quantiles`` names them."""
    return {
        name: {**quantiles(share, "share"), **quantiles(quantities.roas[name], "roas")}
        for name, share in quantities.shares.items()
    }


def quantiles(values: NDArray[np.float64] | None, name: str) -> dict[str, float | None]:
    """Median and equal-tailed intervals: ``{name}_median``, ``_low_50``, ``_high_50``, ``_low_90``.

    All null without draws.

    Parameters
    ----------
    values
        Draws of one number, ``(sample,)``, or None.
    name
        Stem of the keys.
    """
    tails = {f"{name}_median": 0.5}
    for percent in INTERVALS:
        tails[f"{name}_low_{percent}"] = 0.5 - percent / 200
        tails[f"{name}_high_{percent}"] = 0.5 + percent / 200
    return {
        key: None if values is None else float(np.quantile(values, tail))
        for key, tail in tails.items()
    }


def thin_draws(draws: xr.Dataset, n_draws: int) -> xr.Dataset:
    """Keep about ``n_draws`` draws, evenly from every chain; fewer where there are fewer.

    Parameters
    ----------
    draws
        Dims ``(chain, draw, ...)``.
    n_draws
        How many of all chains together.

    Returns
    -------
    xr.Dataset
        The same dims, every k-th draw of each chain.
    """
    step = max(1, draws.sizes["chain"] * draws.sizes["draw"] // n_draws)
    return draws.isel(draw=slice(None, None, step))


def pick_draws(draws: xr.Dataset, n_draws: int, *, seed: int | None = None) -> xr.Dataset:
    """Keep exactly ``n_draws`` draws, evenly from all chains, as one chain.

    Parameters
    ----------
    draws
        Dims ``(chain, draw, ...)``.
    n_draws
        How many, at most as many as there are.
    seed
        Shuffle them, so that draws of two independent fits can be paired.

    Returns
    -------
    xr.Dataset
        Dims ``(chain, draw, ...)`` with one chain of ``n_draws`` draws.
    """
    n_chains, n_each = draws.sizes["chain"], draws.sizes["draw"]
    places = np.linspace(0, n_chains * n_each - 1, n_draws).round().astype(int)
    if seed is not None:
        places = np.random.default_rng(seed).permutation(places)
    chain = xr.DataArray(places // n_each, dims="draw")
    draw = xr.DataArray(places % n_each, dims="draw")
    kept = draws.drop_vars(["chain", "draw"], errors="ignore").isel(chain=chain, draw=draw)
    return kept.expand_dims("chain").transpose("chain", "draw", ...)
