"""Contributions per component, entity and period, with 94 % intervals, and their totals."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import (
    CONTRIBUTION_COLUMNS,
    DATE_DIM,
    ENTITY_COLUMN,
    ENTITY_DIM,
    FITTED_COLUMNS,
    PERIOD_COLUMN,
    ComponentKind,
)
from tasks.mathematics.draws import hdi, summarize
from tasks.mathematics.panel import (
    estimation_window,
    has_negative_kpi,
    observed_of,
    sized_kpi,
)
from tasks.models.contract import Component, FittedModel
from tasks.models.returns import ChannelTotals, total_channel


class Attribution(NamedTuple):
    """Published tables of one fit, and the channels' totals that returns are made of."""

    contributions: pd.DataFrame
    summary: dict[str, dict[str, Any]]
    fitted: pd.DataFrame
    channels: dict[str, ChannelTotals]
    means: dict[str, NDArray[np.float64]]
    """Mean contribution of each channel, ``(entity, fitted date)``, KPI units."""
    windows: dict[str, list[ChannelTotals]]
    """The channels' totals in each of the windows that were asked for."""


def attribute_kpi(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    *,
    seed: int,
    windows: Sequence[slice] = (),
) -> Attribution:
    """Split the expected KPI of the estimation window into components.

    Parameters
    ----------
    model
        The fitted model.
    panel
        Panel with its carryover window.
    window
        Fitted periods, ``(date,)``.
    seed
        Seed of the observation noise in the fitted interval.
    windows
        Places among the fitted periods that channels are totalled over, too.

    Returns
    -------
    Attribution
        ``contributions`` has ``schemas.names.CONTRIBUTION_COLUMNS``; ``summary`` per component the
        total with its interval, its share of the expected KPI (of the sum of
        sizes where the KPI takes both signs) and, for a channel, the plain
        counterfactual (``incremental``); both tables have the rows in which an entity was open;
        ``fitted`` has ``FITTED_COLUMNS``, its interval with
        observation noise; ``channels`` holds what the evaluation of a channel is needed for later.
    """
    keys = _keys(panel, window)
    fitted_panel = panel.isel({DATE_DIM: window})
    tables, totals, channels, means = [], {}, {}, {}
    by_window: dict[str, list[ChannelTotals]] = {}
    expected = np.zeros((1, 1, 1))
    for component in model.components:
        everywhere = model.contribution(component, panel)
        expected = _add(expected, everywhere)
        draws = everywhere[:, :, window]
        table = _summarize_cells(draws, keys, component)
        tables.append(table)
        if component.kind is ComponentKind.CHANNEL:
            channels[component.name] = total_channel(draws, fitted_panel, component.name)
            by_window[component.name] = [
                total_channel(draws[:, :, w], fitted_panel.isel({DATE_DIM: w}), component.name)
                for w in windows
            ]
            mean = table["contribution_mean"].to_numpy()
            means[component.name] = mean.reshape(draws.shape[1:])
            totals[component.name] = channels[component.name].contribution.sum(axis=1)
        else:
            totals[component.name] = draws.sum(axis=2).sum(axis=1)
    summary = _summarize_totals(model, panel, window, totals, expected)
    open_rows = observed_of(panel)[:, window].ravel()
    tables = [table[open_rows] for table in tables]
    contributions = pd.concat(tables, ignore_index=True)[list(CONTRIBUTION_COLUMNS)]
    fitted = _fitted(model, panel, window, expected, seed)
    fitted = fitted[open_rows].reset_index(drop=True)
    return Attribution(contributions, summary, fitted, channels, means, by_window)


def _add(total: NDArray[np.float64], part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add in place once the shapes agree: these arrays are the largest of a refit."""
    if total.shape != part.shape:
        return total + part
    total += part
    return total


def _summarize_totals(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    totals: dict[str, NDArray[np.float64]],
    expected: NDArray[np.float64],
) -> dict[str, dict[str, Any]]:
    """Return ``contribution_summary.json`` from totals over all entities, ``(sample,)`` each."""
    everything = expected[:, :, window].sum(axis=(1, 2))
    if has_negative_kpi(panel):
        everything = np.full_like(everything, float(sized_kpi(estimation_window(panel)).sum()))
    summary = {}
    for name, kind in model.components:
        total = totals[name]
        summary[name] = {
            "kind": kind.value,
            **summarize(total, "contribution"),
            **summarize(total / everything, "share"),
        }
        if kind is ComponentKind.CHANNEL:
            plain = total
            if not model.additive:
                plain = model.incremental(name, panel)[:, :, window].sum(axis=(1, 2))
            summary[name] |= summarize(plain, "incremental")
    return summary


def _summarize_cells(
    draws: NDArray[np.float64], keys: pd.DataFrame, component: Component
) -> pd.DataFrame:
    low, high = hdi(draws)
    return keys.assign(
        component=component.name,
        kind=component.kind.value,
        contribution_mean=draws.mean(axis=0).ravel(),
        contribution_low=low.ravel(),
        contribution_high=high.ravel(),
    )


def _keys(panel: xr.Dataset, window: NDArray[np.bool_]) -> pd.DataFrame:
    entities = panel[ENTITY_DIM].to_numpy()
    dates = pd.DatetimeIndex(panel[DATE_DIM].values[window])
    return pd.DataFrame(
        {
            ENTITY_COLUMN: np.repeat(entities, len(dates)),
            PERIOD_COLUMN: np.tile(dates.to_numpy(), len(entities)),
        }
    )


def _fitted(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    expected: NDArray[np.float64],
    seed: int,
) -> pd.DataFrame:
    low, high = hdi(model.sample_kpi(panel, expected, seed=seed)[:, :, window])
    fitted = _keys(panel, window).assign(
        actual=panel["kpi"].to_numpy()[:, window].ravel(),
        fitted_mean=expected[:, :, window].mean(axis=0).ravel(),
        fitted_low=low.ravel(),
        fitted_high=high.ravel(),
    )
    return fitted[list(FITTED_COLUMNS)]


def measure_fit(fitted: pd.DataFrame) -> dict[str, float | None]:
    """MAPE (share), RMSE (KPI units) and R2 of the fitted values; in-sample, never a gate.

    MAPE is over periods whose KPI is not zero, and null if there are none; R2 is null for a
    constant KPI.
    """
    actual, mean = fitted["actual"].to_numpy(), fitted["fitted_mean"].to_numpy()
    error = actual - mean
    nonzero = actual != 0
    variation = float(((actual - actual.mean()) ** 2).sum())
    return {
        "mape": float(np.abs(error[nonzero] / actual[nonzero]).mean()) if nonzero.any() else None,
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1 - float((error**2).sum()) / variation if variation > 0 else None,
        "n_observations": float(len(fitted)),
    }
