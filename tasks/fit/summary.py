"""Posterior summary: mean and interval of every parameter; and what was believed before."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from schemas.words import format_number
from tasks.mathematics.draws import hdi, stack_samples

log = logging.getLogger(__name__)


def summarize_posterior(draws: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Mean, standard deviation and 94 % HDI of every scalar parameter.

    Returns
    -------
    dict
        ``{"saturation_beta[total, tv]": {"mean", "sd", "hdi_3%", "hdi_97%"}}``
    """
    summary: dict[str, dict[str, Any]] = {}
    for name, variable in stack_samples(draws).data_vars.items():
        values = variable.to_numpy()
        low, high = hdi(values)
        mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
        labels = [variable[dim].to_numpy() for dim in variable.dims[1:]]
        for position in np.ndindex(*values.shape[1:]):
            where = ", ".join(str(axis[i]) for axis, i in zip(labels, position, strict=True))
            summary[f"{name}[{where}]" if where else str(name)] = {
                "mean": float(mean[position]),
                "sd": float(spread[position]),
                "hdi_3%": float(low[position]),
                "hdi_97%": float(high[position]),
            }
    return summary


def log_prior(document: Mapping[str, Any]) -> None:
    """Log what is believed of each channel before it is fitted."""
    for name, row in document["channels"].items():
        quantity = "roas" if row.get("roas_median") is not None else "share"
        if row.get(f"{quantity}_median") is None:
            continue
        log.info(
            "prior of %s: %s %s, 90 %% interval %s to %s",
            name,
            "ROAS" if quantity == "roas" else "share of the KPI",
            *(format_number(row[f"{quantity}_{end}"]) for end in ("median", "low_90", "high_90")),
        )
