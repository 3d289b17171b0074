"""Feature rules: what the estimation window must let the model tell apart.

Belongs here: correlation, variance inflation, rows per parameter, as plain columns.
Does not: expectations (``schemas/suites/features.json``), building features.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from schemas.documents.features import FeatureMetadata
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Layer, Verdict
from schemas.words import format_share
from tasks.mathematics.collinearity import variance_inflation, within_markets
from tasks.mathematics.panel import IS_ESTIMATION

MAX_DEPENDENCE = 1000.0
"""Variance inflation above which a channel is determined by others: R² 0.999."""
SMALL_PART = 0.02
"""Standard deviations of a channel by which another moves it, below which it is no part of it."""


def feature_frame(
    features: pd.DataFrame, metadata: FeatureMetadata
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the columns that the features suite judges, and each channel's closest partner."""
    channels, controls = list(metadata.channel_columns), list(metadata.control_columns)
    numbers = [metadata.kpi_column, *channels, *controls]
    window = features[IS_ESTIMATION].to_numpy(dtype=bool)
    frame = features[[ENTITY_COLUMN, *numbers]].reset_index(drop=True)
    frame.insert(1, PERIOD_COLUMN, features[PERIOD_COLUMN].dt.strftime("%Y-%m-%d").to_numpy())
    fitted = frame.loc[window, channels].replace([np.inf, -np.inf], np.nan)
    within = _moves(frame.loc[window], [*channels, *controls])
    correlation, partners = closest_partners(within[channels])
    inflation = variance_inflation(within)
    computed: dict[str, Any] = {
        "rows per parameter": float(window.sum() / max(int(metadata.n_parameters), 1))
    }
    by_entity = fitted.groupby(frame.loc[window, ENTITY_COLUMN])
    for channel in channels:
        # Markets may differ in level: what a model needs is a market in which the channel moves.
        moves = fitted[channel] - by_entity[channel].transform("first")
        computed[f"fitted {channel}"] = moves.reindex(frame.index)
        computed[f"correlation of {channel}"] = correlation[channel]
        computed[f"vif of {channel}"] = inflation[channel]
    return pd.concat([frame, pd.DataFrame(computed, index=frame.index)], axis=1), partners


def _moves(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    numbers = frame[list(columns)].replace([np.inf, -np.inf], np.nan)
    return within_markets(numbers, frame[ENTITY_COLUMN])


def closest_partners(values: pd.DataFrame) -> tuple[dict[str, float], dict[str, str]]:
    """Return each column's largest absolute correlation with a later column, and that column.

    A pair is reported once, on its first column. Constant columns correlate with nothing.
    """
    matrix = np.triu(values.corr().abs().fillna(0.0).to_numpy(), k=1)
    if not matrix.size:
        return {}, {}
    largest = matrix.max(axis=1)
    partner = matrix.argmax(axis=1)
    columns = list(values.columns)
    return (
        dict(zip(columns, map(float, largest), strict=True)),
        {c: repr(columns[int(p)]) for c, p in zip(columns, partner, strict=True)},
    )


def suite_columns(metadata: FeatureMetadata) -> dict[str, Sequence[str]]:
    """Return the columns of each role of the features suite."""
    channels = list(metadata.channel_columns)
    return {
        "number": [metadata.kpi_column, *channels, *metadata.control_columns],
        "channel": channels,
    }


def judge_dependence(frame: pd.DataFrame, metadata: FeatureMetadata) -> list[Finding]:
    """Fail channels that others determine: a pair is seen by its correlation, more are not.

    Parameters
    ----------
    frame
        From ``feature_frame``.
    metadata
        Which of its columns are channels.
    """
    channels = [c for c in metadata.channel_columns if frame[f"fitted {c}"].notna().any()]
    fitted = frame.loc[frame[[f"fitted {c}" for c in channels]].notna().all(axis=1)]
    within = _moves(fitted, channels)
    # Fewer periods than that and anything is explained by that many columns.
    if len(channels) < 3 or len(within) < 2 * len(channels):
        return []
    factors = variance_inflation(within)
    known = within / within.std().replace(0.0, 1.0)
    name = max(factors, key=lambda column: factors[column])
    if factors[name] < MAX_DEPENDENCE:
        return []
    others = [c for c in channels if c != name]
    weights = np.linalg.lstsq(known[others].to_numpy(), known[name].to_numpy(), rcond=None)[0]
    parts = [c for c, w in zip(others, weights, strict=True) if abs(w) > SMALL_PART]
    if len(parts) < 2:
        return []
    listed = ", ".join(map(repr, parts))
    return [
        Finding(
            layer=Layer.FEATURES,
            rule="dependent_channels",
            verdict=Verdict.FAIL,
            message=f"{name!r} follows from {listed} in every fitted period (R² "
            f"{1 - 1 / factors[name]:.6f}): no data can tell their effects apart.",
            remedy="Drop one of these channels (a total of the others, a second measure of one of "
            "them), or merge some.",
            column=name,
        )
    ]


def judge_terms(metadata: FeatureMetadata) -> list[Finding]:
    """Report controls that are left out because they never change, and priors beyond the KPI."""
    findings = [
        Finding(
            layer=Layer.FEATURES,
            rule="idle_control",
            verdict=Verdict.PASS,
            message=f"control {source!r} never changes within a market in the fitted periods "
            "and is left out: it cannot be told from the baseline.",
            remedy="Nothing to do; its effect is part of the baseline.",
            column=source,
        )
        for source in metadata.idle_controls or []
    ]
    return findings + _judge_priors(metadata)


def _judge_priors(metadata: FeatureMetadata) -> list[Finding]:
    """Review priors of channels that together say more than there is."""
    stated = metadata.stated_shares or {}
    total = sum(stated.values())
    if total <= 1:
        return []
    listed = ", ".join(f"{name} {format_share(share)}" for name, share in stated.items())
    return [
        Finding(
            layer=Layer.FEATURES,
            rule="priors_above_kpi",
            verdict=Verdict.REVIEW,
            message=f"the priors of the channels together say {format_share(total)} of the KPI, "
            f"more than all of it (medians: {listed}).",
            remedy="State smaller medians: media, baseline and season share one KPI. For a ROAS, "
            "check its unit against spend and value per unit.",
        )
    ]
