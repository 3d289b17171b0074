"""What the priors say about the business, to be read before any sampling.

Shares and returns are computed as attribution computes them from a posterior, so that the two can
be laid side by side.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import DATE_DIM, ComponentKind
from schemas.run_spec import KpiKind, ModelKind
from schemas.wording import format_number
from tasks.mmm.panel import IS_ESTIMATION
from tasks.mmm.spend import effective_spend
from tasks.models.contract import ModelInputs
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.prior_draws import draw_prior

log = logging.getLogger(__name__)

N_DRAWS = 500
"""Enough for a 90 % interval; evaluating them costs about as much as half a chain."""
INTERVALS = (50, 90)
"""Probability of the equal-tailed intervals, in percent."""


def predict_prior(panel: xr.Dataset, inputs: ModelInputs, *, seed: int) -> dict[str, Any]:
    """Return ``prior_predictive.json``.

    Parameters
    ----------
    panel
        As ``tasks.mmm.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales. Kind ``log_student_t`` states no prior on business quantities:
        it gets the table of effective spend alone.
    seed
        Seed of the draws.

    Returns
    -------
    dict
        ``channels`` by name: effective spend, and ``share_*`` of the KPI and ``roas_*`` (money per
        money, null where there is no spend or no value) with ``median``, ``low_50``, ``high_50``,
        ``low_90`` and ``high_90``. ``media_share``: the same of all channels together, and
        ``prob_above_one``. ``kpi``: per fitted period the KPI, summed over entities, with
        observation noise, as ``median``, ``low_90`` and ``high_90``, beside the ``actual``.
    """
    table = effective_spend(panel)
    if inputs.metadata["model_kind"] != ModelKind.MMM:
        return {"channels": table}
    model = MmmFitted(draw_prior(panel, inputs, N_DRAWS, seed), inputs)
    window = panel[IS_ESTIMATION].values
    kpi = panel["kpi"].to_numpy()[:, window]
    value = panel["unit_value"].to_numpy()[:, window]
    in_money = inputs.metadata["kpi_kind"] == KpiKind.REVENUE or inputs.metadata["has_unit_value"]
    expected, media = np.zeros(()), np.zeros(())
    for component in model.components:
        everywhere = model.contribution(component, panel)
        expected = expected + everywhere
        if component.kind is not ComponentKind.CHANNEL:
            continue
        part = everywhere[:, :, window]
        share = part.sum(axis=(1, 2)) / kpi.sum()
        media = media + share
        row = table[component.name]
        row |= _quantiles(share, "share")
        worth = (part * value).sum(axis=(1, 2)) if row["spend"] and in_money else None
        row |= _quantiles(None if worth is None else worth / row["spend"], "roas")
    outcomes = model.sample_kpi(panel, expected, seed=seed)[:, :, window].sum(axis=1)
    return {
        "n_draws": N_DRAWS,
        "random_seed": seed,
        "channels": table,
        "media_share": {
            **_quantiles(media, "share"),
            "prob_above_one": float((media > 1).mean()),
        },
        "kpi": _kpi_rows(outcomes, kpi.sum(axis=0), panel[DATE_DIM].values[window]),
    }


def _quantiles(values: NDArray[np.float64] | None, name: str) -> dict[str, float | None]:
    """Median and equal-tailed intervals over draws; all null without draws."""
    tails = {f"{name}_median": 0.5}
    for percent in INTERVALS:
        tails[f"{name}_low_{percent}"] = 0.5 - percent / 200
        tails[f"{name}_high_{percent}"] = 0.5 + percent / 200
    return {
        key: None if values is None else float(np.quantile(values, tail))
        for key, tail in tails.items()
    }


def _kpi_rows(
    outcomes: NDArray[np.float64], actual: NDArray[np.float64], dates: NDArray[Any]
) -> list[dict[str, Any]]:
    low, median, high = np.quantile(outcomes, (0.05, 0.5, 0.95), axis=0)
    return [
        {
            "period_start": pd.Timestamp(date).date().isoformat(),
            "actual": float(actual[i]),
            "median": float(median[i]),
            "low_90": float(low[i]),
            "high_90": float(high[i]),
        }
        for i, date in enumerate(dates)
    ]


def log_prior(document: Mapping[str, Any]) -> None:
    """Tell the log what is believed of each channel before it is fitted."""
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
