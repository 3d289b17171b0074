"""Returns of every channel with how accurately the draws tell them."""

import arviz as az
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, ComponentKind
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window
from tasks.models.contract import Component, FittedModel
from tasks.models.quantities import quantiles

QUANTITIES = ("roas", "share")


def measure_returns(
    model: FittedModel, panel: xr.Dataset, metadata: FeatureMetadata
) -> dict[str, dict[str, float | None]]:
    """Summarize ROAS and share of the KPI over the fitted window.

    Parameters
    ----------
    model, panel
        A fitted model and the panel of its fit.
    metadata
        Feature metadata: KPI kind, whether a KPI unit has a value in money.

    Returns
    -------
    dict
        Per channel and quantity ``{quantity}_mean``, ``_mcse`` (Monte Carlo standard error of the
        mean), ``_r_hat``, and what ``quantiles`` names; all null where there is no ROAS.
    """
    window = estimation_window(panel)
    kpi, value = window["kpi"].to_numpy(), window["unit_value"].to_numpy()
    in_money = metadata.in_money
    n_chains = model.draws.sizes["chain"]
    returns = {}
    for name in (c.name for c in model.components if c.kind is ComponentKind.CHANNEL):
        draws = model.contribution(Component(name, ComponentKind.CHANNEL), panel)
        part = draws[:, :, panel[IS_ESTIMATION].values]
        spend = float(np.nansum(window["spend"].sel({CHANNEL_DIM: name}).to_numpy()))
        has_roas = in_money and spend > 0
        roas = (part * value).sum(axis=(1, 2)) / spend if has_roas else None
        share = part.sum(axis=(1, 2)) / kpi.sum()
        returns[name] = _summary(roas, "roas", n_chains) | _summary(share, "share", n_chains)
    return returns


def _summary(
    values: NDArray[np.float64] | None, name: str, n_chains: int
) -> dict[str, float | None]:
    if values is None:
        accuracy = dict.fromkeys([f"{name}_mean", f"{name}_mcse", f"{name}_r_hat"])
    else:
        chains = values.reshape(n_chains, -1)
        # Draws that are all equal, of a channel that is off, are exact; R-hat does not know them.
        moves = bool(np.ptp(chains) > 0)
        accuracy = {
            f"{name}_mean": float(values.mean()),
            f"{name}_mcse": float(az.mcse(chains)) if moves else 0.0,
            f"{name}_r_hat": float(az.rhat(chains)) if moves else None,
        }
    return accuracy | quantiles(values, name)
