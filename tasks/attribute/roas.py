"""ROAS, marginal ROAS and cost per unit of each channel over the estimation window."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mmm.draws import summarize
from tasks.models.contract import FittedModel

MARGINAL_STEP = 0.01
"""mROAS is what the next percent of a channel's spend brings, spread as it was spent."""


def measure_roas(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    metadata: Mapping[str, Any],
    prior_driven: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return ``roi_metrics.json``.

    Parameters
    ----------
    model, panel, window
        The fitted model, its panel with carryover window, and the fitted periods ``(date,)``.
    metadata
        Feature metadata: KPI kind, whether a KPI unit has a value in money, channels.
    prior_driven
        Channels that the data did not decide.

    Returns
    -------
    dict
        Per channel ``spend`` (money), ``contribution_{mean,low,high}`` (KPI units),
        ``roas_{mean,low,high}`` and ``mroas_mean`` (money per money; for a count KPI only where a
        unit has a value), ``cost_per_unit_{mean,low,high}`` (money per KPI unit, count KPI only:
        spend over the contribution's mean and interval ends) and ``prior_driven``. Null where there
        is no spend.
    """
    value = panel["unit_value"].to_numpy()[:, window]
    in_money = metadata["kpi_kind"] == "revenue" or metadata["has_unit_value"]
    result = {}
    for channel in metadata["channels"]:
        name = channel["name"]
        draws = model.contribution(_component(model, name), panel)[:, :, window]
        spend = _spend(panel, name, window)
        row: dict[str, Any] = {
            "spend": spend,
            **summarize(draws.sum(axis=(1, 2)), "contribution"),
            "roas_mean": None,
            "roas_low": None,
            "roas_high": None,
            "mroas_mean": None,
            "prior_driven": name in prior_driven,
        }
        if spend and in_money:
            row |= summarize((draws * value).sum(axis=(1, 2)) / spend, "roas")
            gain = _gain(model, panel, window, name, draws)
            row["mroas_mean"] = float((gain * value).sum()) / (MARGINAL_STEP * spend)
        if metadata["kpi_kind"] == "count":
            row |= _cost_per_unit(spend, row)
        result[name] = row
    return result


def _component(model: FittedModel, name: str) -> Any:
    return next(c for c in model.components if c.name == name and c.kind == "channel")


def _spend(panel: xr.Dataset, channel: str, window: NDArray[np.bool_]) -> float | None:
    """Money spent on the channel in the window; None without a spend column."""
    spend = panel["spend"].sel({CHANNEL_DIM: channel}).transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    spend = spend[:, window]
    return None if np.isnan(spend).all() else float(np.nansum(spend))


def _gain(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    channel: str,
    contribution: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Mean KPI that ``MARGINAL_STEP`` more of a channel brings, ``(entity, fitted date)``."""
    raised = _raise(panel, channel)
    if model.additive:
        more = model.contribution(_component(model, channel), raised)[:, :, window]
        return (more - contribution).mean(axis=0)
    gain = model.expected(raised) - model.expected(panel)
    return gain[:, :, window].mean(axis=0)


def _raise(panel: xr.Dataset, channel: str) -> xr.Dataset:
    """Raise a channel's input by ``MARGINAL_STEP`` everywhere: input and spend scale together."""
    factors = np.where(panel[CHANNEL_DIM].to_numpy() == channel, 1.0 + MARGINAL_STEP, 1.0)
    return panel.assign(media=panel["media"] * xr.DataArray(factors, dims=CHANNEL_DIM))


def _cost_per_unit(spend: float | None, row: Mapping[str, Any]) -> dict[str, float | None]:
    ends = {"mean": "contribution_mean", "low": "contribution_high", "high": "contribution_low"}
    return {
        f"cost_per_unit_{end}": spend / row[source] if spend and row[source] > 0 else None
        for end, source in ends.items()
    }
