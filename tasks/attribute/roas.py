"""ROAS, marginal ROAS and cost per unit of each channel over the estimation window."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import (
    CHANNEL_DIM,
    DATE_DIM,
    ENTITY_COLUMN,
    ENTITY_DIM,
    MARGINAL_STEP,
    ROAS_BY_ENTITY_COLUMNS,
    ComponentKind,
)
from schemas.spec.run_spec import KpiKind
from tasks.attribute.contribution import Attribution
from tasks.mathematics.draws import hdi, summarize
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window
from tasks.models.contract import Component, FittedModel
from tasks.models.quantities import quantiles

_ENDS = ("mean", "low", "high")


def measure_roas(
    model: FittedModel,
    panel: xr.Dataset,
    split: Attribution,
    metadata: FeatureMetadata,
    prior_driven: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return ``roi_metrics.json``.

    Parameters
    ----------
    model, panel
        The fitted model and its panel with carryover window.
    split
        What the channels contributed, from ``contribution.attribute_kpi`` of the same model.
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
    value = estimation_window(panel)["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    result = {}
    for name, totals in split.channels.items():
        spend = _total(_spend(panel, name))
        row: dict[str, Any] = {
            "spend": spend,
            **summarize(totals.contribution.sum(axis=1), "contribution"),
            **dict.fromkeys([f"roas_{end}" for end in _ENDS]),
            "mroas_mean": None,
            "prior_driven": name in prior_driven,
        }
        if spend and metadata.in_money:
            row |= summarize(totals.worth.sum(axis=1) / spend, "roas")
            gain = _gain(model, panel, name, split)
            row["mroas_mean"] = float((gain * value).sum()) / (MARGINAL_STEP * spend)
        if metadata.kpi_kind == KpiKind.COUNT:
            row |= _cost_per_unit(spend, row)
        result[name] = row
    return result


def tabulate_roas(panel: xr.Dataset, split: Attribution, metadata: FeatureMetadata) -> pd.DataFrame:
    """Return ``roas_by_entity.parquet``.

    Returns
    -------
    pd.DataFrame
        ``ROAS_BY_ENTITY_COLUMNS``, one row per entity and channel, over the fitted periods:
        ``spend`` (money; null without a spend column), contribution (KPI units) and ROAS (money
        per money; null without spend or without a value in money) with their 94 % HDI.
    """
    entities = [str(entity) for entity in panel[ENTITY_DIM].values]
    tables = []
    for name, totals in split.channels.items():
        spend = _spend(panel, name)
        has_roas = metadata.in_money & (np.nan_to_num(spend) > 0)
        roas = totals.worth / np.where(has_roas, spend, np.nan)
        columns = {"spend": spend, **_ends(totals.contribution, "contribution")}
        columns |= _ends(roas, "roas")
        tables.append(pd.DataFrame({ENTITY_COLUMN: entities, CHANNEL_DIM: name, **columns}))
    table = pd.concat(tables).sort_values(ENTITY_COLUMN, kind="stable", ignore_index=True)
    return table[list(ROAS_BY_ENTITY_COLUMNS)]


def measure_quantiles(
    panel: xr.Dataset, split: Attribution, metadata: FeatureMetadata
) -> dict[str, dict[str, float | None]]:
    """Return ``channel_quantiles.json``: share and ROAS of every channel over the fitted window."""
    kpi = float(estimation_window(panel)["kpi"].sum())
    result = {}
    for name, totals in split.channels.items():
        spend = _total(_spend(panel, name))
        has_roas = spend and metadata.in_money
        result[name] = {
            **quantiles(totals.contribution.sum(axis=1) / kpi, "share"),
            **quantiles(totals.worth.sum(axis=1) / spend if has_roas else None, "roas"),
        }
    return result


def _spend(panel: xr.Dataset, channel: str) -> NDArray[np.float64]:
    """Money spent in the fitted window, ``(entity,)``; NaN without a spend column."""
    spend = estimation_window(panel)["spend"].sel({CHANNEL_DIM: channel})
    return np.asarray(spend.sum(DATE_DIM, min_count=1).to_numpy(), dtype=float)


def _total(spend: NDArray[np.float64]) -> float | None:
    return None if np.isnan(spend).all() else float(np.nansum(spend))


def _ends(draws: NDArray[np.float64], name: str) -> dict[str, NDArray[np.float64]]:
    """Mean and interval of draws ``(sample, entity)``, by column."""
    return {
        f"{name}_{end}": part
        for end, part in zip(_ENDS, (draws.mean(axis=0), *hdi(draws)), strict=True)
    }


def _gain(
    model: FittedModel, panel: xr.Dataset, channel: str, split: Attribution
) -> NDArray[np.float64]:
    """Mean KPI that ``MARGINAL_STEP`` more of a channel brings, ``(entity, fitted date)``."""
    raised, before = _raise(panel, channel), split.channels[channel].mean
    if model.additive:
        more = model.contribution(Component(channel, ComponentKind.CHANNEL), raised)
    else:
        more = model.expected(raised)
        before = split.fitted["fitted_mean"].to_numpy().reshape(before.shape)
    return more.mean(axis=0)[:, panel[IS_ESTIMATION].values] - before


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
