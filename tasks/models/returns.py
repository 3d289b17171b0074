"""Returns of channels: share of the KPI, ROAS, marginal ROAS and cost per unit.

The one place that says what they are, for prior and posterior, published and auxiliary fits alike:

    share         = contribution / KPI                            over the fitted periods
    roas          = contribution * value of a KPI unit / spend    money per money
    mroas         = value of what the next percent of spend brings / that percent
    cost per unit = spend / contribution                          money per KPI unit
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, MARGINAL_STEP, ComponentKind
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window, sized_kpi
from tasks.models.contract import FittedModel
from tasks.models.quantities import quantiles

Array = NDArray[np.float64]

QUANTITIES = ("roas", "share")


class ChannelTotals(NamedTuple):
    """One channel over the fitted periods."""

    contribution: Array
    """Draws, ``(sample, entity)``, KPI units; negative for a competitor."""
    value: Array
    """The same times ``unit_value`` of each period: money, where a KPI unit has a value in it."""
    spend: Array
    """Money, ``(entity,)``; NaN without a spend column."""

    @property
    def total_spend(self) -> float | None:
        """Money of all entities; None without a spend column."""
        return None if np.isnan(self.spend).all() else float(np.nansum(self.spend))

    def share(self, kpi: float) -> Array:
        """Contribution over the KPI of all entities, ``(sample,)``."""
        return np.asarray(self.contribution.sum(axis=1) / kpi)

    def roas(self, *, in_money: bool) -> Array | None:
        """Money per money, ``(sample,)``; None without spend or without a value in money."""
        spend = self.total_spend
        return np.asarray(self.value.sum(axis=1) / spend) if spend and in_money else None

    def roas_by_entity(self, *, in_money: bool) -> Array:
        """Money per money, ``(sample, entity)``; NaN without spend or a value in money."""
        has_roas = in_money & (np.nan_to_num(self.spend) > 0)
        return np.asarray(self.value / np.where(has_roas, self.spend, np.nan))


def total_channel(part: Array, window: xr.Dataset, channel: str) -> ChannelTotals:
    """Sum a channel's contribution and spend over the fitted periods.

    Parameters
    ----------
    part
        Draws of its contribution, ``(sample, entity, fitted date)``, KPI units.
    window
        Fitted periods of the panel.
    channel
        Its name.
    """
    unit = window["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    total = part.sum(axis=2)
    spend = window["spend"].sel({CHANNEL_DIM: channel}).sum(DATE_DIM, min_count=1)
    return ChannelTotals(
        contribution=total,
        value=total if (unit == 1).all() else np.einsum("set,et->se", part, unit),
        spend=np.asarray(spend.to_numpy(), dtype=float),
    )


def value_of_units(unit_value: Array, metadata: FeatureMetadata) -> Array:
    """Return what a KPI unit counts: money, or 1 where it has no value in money.

    Parameters
    ----------
    unit_value
        Value of a KPI unit, ``(entity, date)``.
    metadata
        Features of the fit.

    Returns
    -------
    Array
        ``(entity, date)``: currency per KPI unit, or ones.
    """
    return unit_value if metadata.in_money else np.ones_like(unit_value)


def raise_input(panel: xr.Dataset, channel: str) -> xr.Dataset:
    """Raise a channel's input by ``MARGINAL_STEP`` everywhere: input and spend scale together.

    Parameters
    ----------
    panel
        With ``media (entity, channel, date)``.
    channel
        Its name.

    Returns
    -------
    xr.Dataset
        The panel, its ``media`` changed alone.
    """
    factors = np.where(panel[CHANNEL_DIM].to_numpy() == channel, 1.0 + MARGINAL_STEP, 1.0)
    return panel.assign(media=panel["media"] * xr.DataArray(factors, dims=CHANNEL_DIM))


def marginal_roas(gain: Array, window: xr.Dataset, spend: float) -> float:
    """Return what the next percent of spend brings, money per money.

    Parameters
    ----------
    gain
        KPI that ``raise_input`` adds, ``(entity, fitted date)``.
    window
        Fitted periods of the panel.
    spend
        Money spent in them.
    """
    unit = window["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    return float((gain * unit).sum()) / (MARGINAL_STEP * spend)


def cost_per_unit(
    spend: float | None, contribution: Mapping[str, float]
) -> dict[str, float | None]:
    """Spend over the mean and the interval ends of a contribution; null where that is not positive.

    Parameters
    ----------
    spend
        Money, or None.
    contribution
        ``contribution_{mean,low,high}``, KPI units.
    """
    ends = {"mean": "contribution_mean", "low": "contribution_high", "high": "contribution_low"}
    return {
        f"cost_per_unit_{end}": spend / contribution[source]
        if spend and contribution[source] > 0
        else None
        for end, source in ends.items()
    }


def channel_quantiles(
    channels: Mapping[str, ChannelTotals], window: xr.Dataset, metadata: FeatureMetadata
) -> dict[str, dict[str, float | None]]:
    """Return ``share_*`` and ``roas_*`` of every channel, as ``quantiles`` names them.

    Parameters
    ----------
    channels
        By name.
    window
        Fitted periods of the panel.
    metadata
        Whether a KPI unit has a value in money.
    """
    kpi = float(sized_kpi(window).sum())
    return {
        name: {
            **quantiles(totals.share(kpi), "share"),
            **quantiles(totals.roas(in_money=metadata.in_money), "roas"),
        }
        for name, totals in channels.items()
    }


class Evaluated(NamedTuple):
    """A model on the panel of its fit."""

    channels: dict[str, ChannelTotals]
    expected: Array
    """Expected KPI, ``(sample, entity, date)``, over the whole panel."""


def evaluate(model: FittedModel, panel: xr.Dataset) -> Evaluated:
    """Evaluate every component of a model on a panel with its carryover window.

    Parameters
    ----------
    model
        Posterior or prior draws.
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    """
    window, fitted = estimation_window(panel), panel[IS_ESTIMATION].to_numpy()
    channels = {}
    expected = np.zeros(())
    for component in model.components:
        everywhere = model.contribution(component, panel)
        expected = expected + everywhere
        if component.kind is ComponentKind.CHANNEL:
            part = everywhere[:, :, fitted]
            channels[component.name] = total_channel(part, window, component.name)
    return Evaluated(channels, expected)


def measure_returns(
    model: FittedModel, panel: xr.Dataset, metadata: FeatureMetadata
) -> dict[str, dict[str, float | None]]:
    """Summarize ROAS and share of the KPI over the fitted window, and how sure the draws are.

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
    kpi = float(sized_kpi(estimation_window(panel)).sum())
    n_chains = model.draws.sizes["chain"]
    return {
        name: {
            **_summary(totals.roas(in_money=metadata.in_money), "roas", n_chains),
            **_summary(totals.share(kpi), "share", n_chains),
        }
        for name, totals in evaluate(model, panel).channels.items()
    }


def _summary(
    values: NDArray[np.float64] | None, name: str, n_chains: int
) -> dict[str, float | None]:
    import arviz as az

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
