"""Priors of kind ``mmm`` on what a business knows, turned into the graph's coordinates.

A channel's prior is log-normal on its contribution share of the KPI in the fitted window. A ROAS
prior is the same thing moved by ``log(spend / KPI value)``. Where the spec is silent, the channels
together are given ``model.media_share`` of the KPI (median), split evenly: not by spend, because
that would say before seeing any data that every channel has the same ROAS.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.base import stated
from schemas.errors import SpecError
from schemas.names import DATE_DIM, ENTITY_DIM
from schemas.spec.channels import PriorQuantity
from tasks.mathematics.panel import estimation_window
from tasks.models.contract import ModelInputs

RETENTION_PRIOR = (1.0, 3.0)
"""Beta: most weekly carryover is short (mean 0.25), as in pymc-marketing's default."""
THETA_SIGMA = 1.0
WEIBULL_PRIOR = (2.0, 1.0)
SLOPE_PRIOR = (np.log(1.2), 0.35)
"""Log-normal: between concave (0.6) and clearly S-shaped (2.4)."""
HALF_SATURATION_PRIOR = (np.log(0.6), 0.7)
"""Log-normal on the input over its maximum: within, or not far beyond, what was observed."""
LOGISTIC_PRIOR = (np.log(3.0), 0.7)
ROOT_PRIOR = (3.0, 3.0)
"""Beta on the exponent of root saturation: around a square root."""
ENTITY_SPREAD_PRIOR = (np.log(0.3), 0.5)
"""Log-normal: entities differ by about 35 % in a channel's share. It avoids zero, where a
hierarchy turns into a funnel that few entities cannot open."""
LINEAR_SIGMA = 1.0
"""In standard deviations of the KPI per standard deviation of the term."""
LINEAR_SPREAD_PRIOR = (np.log(0.15), 0.5)
"""Log-normal, in units of ``LINEAR_SIGMA``: as sure of it as of the spread of shares."""
SIGNED_MEDIAN = 0.2
"""Size of a coefficient whose sign is stated, in the units of ``LINEAR_SIGMA``."""
SIGNED_SPREAD = 1.0
CURVE_PRIOR = (np.log(0.15), 0.5)
"""Log-normal standard deviation of the logarithm of the media curve: about 15 % up and down."""
TAIL_PRIOR = (2.0, 0.1)
"""Gamma(shape, rate) on the degrees of freedom of Student t noise (Juarez & Steel 2010)."""


@dataclass(frozen=True)
class SharePriors:
    """Mean and spread of ``log(share)`` per channel, each of shape ``(channel,)``.

    Where ``by_share`` is False they are those of the logarithm of the plain coefficient.
    """

    log_median: NDArray[np.float64]
    spread: NDArray[np.float64]
    by_share: NDArray[np.bool_]


def share_priors(panel: xr.Dataset, inputs: ModelInputs) -> SharePriors:
    """Turn the spec's channel priors into log-normal priors on contribution share.

    Raises
    ------
    SpecError
        If a ROAS prior stands on a channel that spent nothing in the fitted window.
    """
    window = estimation_window(panel)
    kpi_value = float((window["kpi"] * window["unit_value"]).sum())
    spend = window["spend"].sum((ENTITY_DIM, DATE_DIM)).to_numpy()
    settings = inputs.metadata.channels
    default = stated(inputs.metadata.media_share, "media_share") / max(len(settings), 1)
    spread_default = stated(inputs.metadata.share_spread, "share_spread")
    medians, spreads, by_share = [], [], []
    for channel, money in zip(settings, spend, strict=True):
        prior = channel.prior
        by_share.append(prior is None or prior.quantity != "coefficient")
        if prior is None:
            medians.append(default)
            spreads.append(spread_default)
            continue
        if prior.quantity is PriorQuantity.ROAS and not money > 0:
            raise SpecError(
                f"channel {channel.name!r} has a ROAS prior but spent nothing in the fitted "
                "window; state its prior as a share."
            )
        scale = money / kpi_value if prior.quantity is PriorQuantity.ROAS else 1.0
        medians.append(abs(prior.median) * scale)
        spreads.append(prior.spread)
    return SharePriors(np.log(np.array(medians)), np.array(spreads), np.array(by_share))


def stated_shares(panel: xr.Dataset, inputs: ModelInputs) -> dict[str, float]:
    """Median share of the KPI that the spec states for channels, by share or by ROAS.

    A competitor takes away: its share is no part of the KPI, and it is left out.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    inputs
        Feature metadata with the channels' priors.

    Returns
    -------
    dict
        Share by channel; those without a stated prior, or with one on a coefficient, are absent.
    """
    window = estimation_window(panel)
    kpi_value = float((window["kpi"] * window["unit_value"]).sum())
    spend = window["spend"].sum((ENTITY_DIM, DATE_DIM)).to_numpy()
    shares = {}
    for channel, money in zip(inputs.metadata.channels, spend, strict=True):
        prior = channel.prior
        if prior is None or prior.median < 0 or prior.quantity is PriorQuantity.COEFFICIENT:
            continue
        scale = money / kpi_value if prior.quantity is PriorQuantity.ROAS else 1.0
        shares[channel.name] = float(prior.median * scale)
    return shares
