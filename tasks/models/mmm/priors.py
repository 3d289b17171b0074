"""Priors of kind ``mmm`` on what a business knows, turned into the graph's coordinates.

A prior that is stated is log-normal on the contribution share of the KPI in the fitted window. A
ROAS prior is the same thing moved by ``log(spend / KPI value)``.

Where the spec is silent, the prior of a channel that costs money is on its return:

    return of a channel = common return * relative return
    common return       ~ LogNormal, one for all channels, learned from the data
    relative return     ~ Gamma with mean one

So money is what a channel's share goes with, a channel that the data do not know is taken for an
average one, and a gamma's density does not vanish at zero: "no effect" can be the answer. A channel
without spend gets a share of the KPI in the same way, around ``UNPAID_SHARE`` over the number of
channels. A spec that states ``model.media_share`` has what it always had: that share, split evenly,
log-normal with ``model.share_spread``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.base import stated
from schemas.documents.features import ChannelFeatures, FeatureMetadata
from schemas.errors import SpecError
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from schemas.spec.channels import PriorQuantity
from tasks.mathematics.panel import estimation_window, sized_kpi
from tasks.models.contract import ModelInputs

COMMON_RETURN_PRIOR = (0.0, 1.0)
"""Log-normal: media return about what they cost, within a factor of seven nineteen times out of
twenty. Money per money."""
COMMON_SHARE_PRIOR = (np.log(0.1), 1.5)
"""Log-normal share of the KPI that all paid channels together bring, where KPI units have no value
in money: the common return is then this over their spend."""
RELATIVE_RETURN_SHAPE = 1.5
"""Shape of the gamma; its coefficient of variation is one over the root of it."""
UNPAID_SHARE = 0.3
"""Mean share of the KPI of all channels together, were none of them paid."""
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
MEDIA_TREND_PRIOR = (np.log(0.15), 0.5)
"""Log-normal standard deviation of the logarithm of the media curve: about 15 % up and down."""
AUTOCORRELATION_PRIOR = (1.0, 2.0)
"""Beta: what lasts of a period's noise into the next one; little, unless the data say so."""
TAIL_PRIOR = (2.0, 0.1)
"""Gamma(shape, rate) on the degrees of freedom of Student t noise (Juarez & Steel 2010)."""


@dataclass(frozen=True)
class SharePriors:
    """Prior of ``log(share)`` of every channel, arrays of shape ``(channel,)``.

    Where ``by_share`` is False it is that of the logarithm of the plain coefficient.
    """

    first: NDArray[np.float64]
    """Mean of the logarithm; for a gamma its location, see ``parameters.SizeParameter``."""
    second: NDArray[np.float64]
    """Standard deviation of the logarithm, or shape."""
    is_gamma: NDArray[np.bool_]
    """The spec states no prior."""
    follows: NDArray[np.bool_]
    """The share is in units of the common return."""
    by_share: NDArray[np.bool_]
    common: tuple[float, float]
    """Mean and standard deviation of the logarithm of the common return."""
    pressure: NDArray[np.float64]
    """``(channel, entity)``: logarithm of spend per KPI against the channel's average, where the
    prior is on a return; else zero. What entities spend differs, and shares with it."""

    @property
    def typical(self) -> NDArray[np.float64]:
        """About the median share, ``(channel,)``."""
        center = np.where(self.is_gamma, np.log(self.second), 0.0) + self.first
        return np.exp(center + np.where(self.follows, self.common[0], 0.0))


def share_priors(panel: xr.Dataset, inputs: ModelInputs) -> SharePriors:
    """Turn the spec's channel priors, or its silence, into priors on contribution share.

    Parameters
    ----------
    panel
        ``kpi`` and ``unit_value (entity, date)``, ``spend (entity, channel, date)``.
    inputs
        Metadata whose channels state priors, or nothing.

    Raises
    ------
    SpecError
        If a ROAS prior stands on a channel that spent nothing in the fitted window.
    """
    window = estimation_window(panel)
    value = (sized_kpi(window) * window["unit_value"]).sum(DATE_DIM).to_numpy()
    spend = window["spend"].sum(DATE_DIM).transpose(CHANNEL_DIM, ENTITY_DIM).to_numpy()
    settings = inputs.metadata.channels
    money = spend.sum(axis=1)
    rows = [
        _share_prior(channel, paid / value.sum(), inputs.metadata)
        for channel, paid in zip(settings, money, strict=True)
    ]
    follows = np.array([row.follows for row in rows])
    common = COMMON_RETURN_PRIOR
    if follows.any() and not inputs.metadata.in_money:
        location, spread = COMMON_SHARE_PRIOR
        common = (location - float(np.log(money[follows].sum() / value.sum())), spread)
    return SharePriors(
        first=np.array([row.first for row in rows]),
        second=np.array([row.second for row in rows]),
        is_gamma=np.array([row.is_gamma for row in rows]),
        follows=follows,
        by_share=np.array([row.by_share for row in rows]),
        common=common,
        pressure=np.where(follows[:, None], _pressure(spend, value), 0.0),
    )


class _SharePrior(NamedTuple):
    first: float
    second: float
    is_gamma: bool = False
    follows: bool = False
    by_share: bool = True


def _share_prior(
    channel: ChannelFeatures, spend_share: float, metadata: FeatureMetadata
) -> _SharePrior:
    """Prior of one channel; ``spend_share`` is its spend over the value of the KPI."""
    prior = channel.prior
    if prior is not None:
        if prior.quantity is not PriorQuantity.ROAS:
            by_share = prior.quantity is not PriorQuantity.COEFFICIENT
            return _SharePrior(np.log(abs(prior.median)), prior.spread, by_share=by_share)
        if not spend_share > 0:
            raise SpecError(
                f"channel {channel.name!r} has a ROAS prior but spent nothing in the fitted "
                "window; state its prior as a share."
            )
        return _SharePrior(np.log(abs(prior.median) * spend_share), prior.spread)
    n_channels = len(metadata.channels)
    if metadata.media_share is not None:
        spread = stated(metadata.share_spread, "share_spread")
        return _SharePrior(np.log(metadata.media_share / n_channels), spread)
    shape = RELATIVE_RETURN_SHAPE
    if spend_share > 0:
        return _SharePrior(np.log(spend_share / shape), shape, is_gamma=True, follows=True)
    return _SharePrior(np.log(UNPAID_SHARE / n_channels / shape), shape, is_gamma=True)


def _pressure(spend: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log spend per KPI less its mean over the entities that spend, ``(channel, entity)``."""
    spends = spend > 0
    logs = np.where(spends, np.log(np.where(spends, spend, 1.0) / value), 0.0)
    mean = logs.sum(axis=1) / np.maximum(spends.sum(axis=1), 1)
    return np.where(spends, logs - mean[:, None], 0.0)


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
    kpi_value = float((sized_kpi(window) * window["unit_value"]).sum())
    spend = window["spend"].sum((ENTITY_DIM, DATE_DIM)).to_numpy()
    shares = {}
    for channel, money in zip(inputs.metadata.channels, spend, strict=True):
        prior = channel.prior
        if prior is None or prior.median < 0 or prior.quantity is PriorQuantity.COEFFICIENT:
            continue
        scale = money / kpi_value if prior.quantity is PriorQuantity.ROAS else 1.0
        shares[channel.name] = float(prior.median * scale)
    return shares
