"""Draws of one number as quantiles, and which draws are kept of many."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

INTERVALS = (50, 90)
"""Probability of the equal-tailed intervals, in percent."""


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
    n_known = draws.sizes["chain"] * draws.sizes["draw"]
    places = np.linspace(0, n_known - 1, n_draws).round().astype(int)
    if seed is not None:
        places = np.random.default_rng(seed).permutation(places)
    return take_draws(draws, places)


def take_draws(draws: xr.Dataset, places: NDArray[np.intp]) -> xr.Dataset:
    """Keep the draws at some places, chains one after another, as one chain.

    Parameters
    ----------
    draws
        Dims ``(chain, draw, ...)``.
    places
        Which, in the order in which they are kept; one may be there more than once.

    Returns
    -------
    xr.Dataset
        Dims ``(chain, draw, ...)`` with one chain.
    """
    n_each = draws.sizes["draw"]
    chain = xr.DataArray(places // n_each, dims="draw")
    draw = xr.DataArray(places % n_each, dims="draw")
    kept = draws.drop_vars(["chain", "draw"], errors="ignore").isel(chain=chain, draw=draw)
    return kept.expand_dims("chain").transpose("chain", "draw", ...)
