"""Tables of ROAS, marginal ROAS and cost per unit; what these are says ``tasks.models.returns``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.diagnostics import Diagnostics
from schemas.documents.features import FeatureMetadata
from schemas.names import (
    CHANNEL_DIM,
    ENTITY_COLUMN,
    ENTITY_DIM,
    ROAS_BY_ENTITY_COLUMNS,
    ComponentKind,
)
from schemas.spec.kpi import KpiKind
from tasks.attribute.contribution import Attribution
from tasks.mathematics.draws import hdi, summarize
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window
from tasks.models.contract import Component, FittedModel
from tasks.models.returns import cost_per_unit, marginal_roas, raise_input

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
    window = estimation_window(panel)
    result = {}
    for name, totals in split.channels.items():
        spend, roas = totals.total_spend, totals.roas(in_money=metadata.in_money)
        row: dict[str, Any] = {
            "spend": spend,
            **summarize(totals.contribution.sum(axis=1), "contribution"),
            **dict.fromkeys([f"roas_{end}" for end in _ENDS]),
            "mroas_mean": None,
            "prior_driven": name in prior_driven,
        }
        if spend and roas is not None:
            row |= summarize(roas, "roas")
            row["mroas_mean"] = marginal_roas(_gain(model, panel, name, split), window, spend)
        if metadata.kpi_kind is KpiKind.COUNT:
            row |= cost_per_unit(spend, row)
        result[name] = row
    return result


def add_evidence(
    returns: Mapping[str, Mapping[str, Any]], judged: Diagnostics
) -> dict[str, dict[str, Any]]:
    """Return ``roi_metrics.json`` with what ``diagnostics.json`` says of each channel.

    ``evidence`` (``effect`` or ``unclear``), ``evidence_sentence``, ``log10_likelihood_ratio`` and
    ``prior_elasticity``; of a channel with lift tests ``lift_tests``, a sentence for each.
    """
    rows = {name: {**row, **judged.evidence[name].model_dump()} for name, row in returns.items()}
    for test in judged.lift_tests:
        rows[test.channel].setdefault("lift_tests", []).append(test.sentence)
    return rows


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
        columns = {"spend": totals.spend, **_ends(totals.contribution, "contribution")}
        columns |= _ends(totals.roas_by_entity(in_money=metadata.in_money), "roas")
        tables.append(pd.DataFrame({ENTITY_COLUMN: entities, CHANNEL_DIM: name, **columns}))
    table = pd.concat(tables).sort_values(ENTITY_COLUMN, kind="stable", ignore_index=True)
    return table[list(ROAS_BY_ENTITY_COLUMNS)]


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
    raised, before = raise_input(panel, channel), split.means[channel]
    if model.additive:
        more = model.contribution(Component(channel, ComponentKind.CHANNEL), raised)
    else:
        more = model.expected(raised)
        before = split.fitted["fitted_mean"].to_numpy().reshape(before.shape)
    return more.mean(axis=0)[:, panel[IS_ESTIMATION].values] - before
