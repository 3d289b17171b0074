"""A fit against the truth: effective samples, agreement of chains, recovery, coverage."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, SAMPLE_DIM
from tasks.mathematics.draws import convergence, hdi, stack_samples

COVERAGE_PROB = 0.90


class Sampling(NamedTuple):
    """Draws and the seconds that they took: ``build``, ``compile``, ``sample``."""

    tree: xr.DataTree
    seconds: dict[str, float]


@dataclass(frozen=True)
class Fit:
    """What is scored of a fit, whatever made it."""

    parameters: xr.Dataset
    """Free parameters (or what stands for them one to one), dims ``(chain, draw, ...)``."""
    totals: xr.DataArray
    """Contribution summed over weeks, ``(chain, draw, entity, channel)``, in KPI units."""
    weekly: xr.DataArray
    """Posterior mean contribution, ``(entity, channel, date)``."""
    n_divergences: int


class Coverage(NamedTuple):
    """How many intervals hold the truth."""

    n_inside: int
    n_cells: int

    @property
    def share(self) -> float:
        """Share of intervals that hold the truth."""
        return self.n_inside / self.n_cells if self.n_cells else float("nan")

    def __str__(self) -> str:
        return f"{self.n_inside}/{self.n_cells}"


def score_fit(fit: Fit, truth: xr.DataArray) -> dict[str, Any]:
    """Every figure of a fit that does not depend on time.

    Parameters
    ----------
    fit
        Draws and contributions.
    truth
        True contribution, ``(entity, channel, date)``.
    """
    ess, r_hat = worst_convergence(fit)
    cells = cover_totals(fit.totals, truth)
    channels = cover_totals(fit.totals.sum(ENTITY_DIM), truth.sum(ENTITY_DIM))
    errors = scaled_errors(fit.weekly, truth)
    return {
        "ess_bulk_min": ess,
        "r_hat_max": r_hat,
        "n_divergences": fit.n_divergences,
        "srmse": float(errors.mean()),
        "srmse_median": float(np.median(errors)),
        "srmse_by_cell": errors.tolist(),
        "coverage": cells.share,
        "n_inside": cells.n_inside,
        "n_cells": cells.n_cells,
        "n_channels_inside": channels.n_inside,
        "n_channels": channels.n_cells,
    }


def worst_convergence(fit: Fit) -> tuple[float, float]:
    """Smallest bulk ESS and largest R-hat over parameters and channel totals that vary.

    A cell that is the same in every draw belongs to a channel that is switched off in an entity: it
    is no parameter. Whatever else has no ESS makes the answer NaN.
    """
    ess, r_hat = [], []
    # Not one Dataset: the two may label a channel differently, and xarray would align that to NaN.
    for draws in (fit.parameters, fit.totals.to_dataset(name="channel_total")):
        measured = convergence(draws)
        for name, values in draws.data_vars.items():
            varies = (values.max(("chain", "draw")) != values.min(("chain", "draw"))).to_numpy()
            ess.append(np.atleast_1d(measured["ess_bulk"][name].to_numpy()[varies]))
            r_hat.append(np.atleast_1d(measured["r_hat"][name].to_numpy()[varies]))
    return float(np.concatenate(ess).min()), float(np.concatenate(r_hat).max())


def scaled_errors(weekly: xr.DataArray, truth: xr.DataArray) -> NDArray[np.float64]:
    """RMSE / |mean true contribution| of every entity × channel that has any, ``(cell,)``.

    Their mean is the published score; channels that contribute next to nothing dominate it.
    """
    aligned = weekly.transpose(*truth.dims).to_numpy()
    rmse = np.sqrt(((aligned - truth.to_numpy()) ** 2).mean(axis=-1))
    mean = np.abs(truth.mean(DATE_DIM).to_numpy())
    return np.asarray(rmse[mean > 0] / mean[mean > 0])


def cover_totals(totals: xr.DataArray, truth: xr.DataArray) -> Coverage:
    """Count the 90 % highest-density intervals of totals that hold the true total."""
    known = truth.sum(DATE_DIM)
    samples = stack_samples(totals.to_dataset(name="total"))["total"]
    values = samples.transpose(SAMPLE_DIM, *known.dims).to_numpy()
    low, high = hdi(values, prob=COVERAGE_PROB)
    present = known.to_numpy() != 0
    inside = (low <= known.to_numpy()) & (known.to_numpy() <= high) & present
    return Coverage(int(inside.sum()), int(present.sum()))


def label_totals(values: Any, truth: xr.DataArray) -> xr.DataArray:
    """Name the axes of totals of shape ``(chain, draw, entity, channel)``."""
    coords = {ENTITY_DIM: truth[ENTITY_DIM].values, CHANNEL_DIM: truth[CHANNEL_DIM].values}
    return xr.DataArray(values, dims=("chain", "draw", ENTITY_DIM, CHANNEL_DIM), coords=coords)
