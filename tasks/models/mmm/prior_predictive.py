"""What the priors say about the business, to be read before any sampling.

Shares and returns are computed as those of a posterior (``tasks.models.returns``).
"""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import DATE_DIM
from tasks.mathematics.panel import IS_ESTIMATION, estimation_window, sized_kpi
from tasks.mathematics.spend import effective_spend
from tasks.models.contract import ModelInputs
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.prior_draws import draw_prior
from tasks.models.quantities import quantiles
from tasks.models.returns import channel_quantiles, evaluate

N_DRAWS = 500
"""Enough for a 90 % interval; evaluating them costs about as much as half a chain."""


def predict_prior(panel: xr.Dataset, inputs: ModelInputs, *, seed: int) -> dict[str, Any]:
    """Return ``prior_predictive.json``.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.
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
    model = MmmFitted(draw_prior(panel, inputs, N_DRAWS, seed), inputs)
    window, fitted = panel[IS_ESTIMATION].values, estimation_window(panel)
    channels, expected = evaluate(model, panel)
    rows = channel_quantiles(channels, fitted, inputs.metadata)
    kpi = float(sized_kpi(fitted).sum())
    media = np.sum([totals.share(kpi) for totals in channels.values()], axis=0)
    outcomes = model.sample_kpi(panel, expected, seed=seed)[:, :, window].sum(axis=1)
    actual = np.nansum(panel["kpi"].to_numpy()[:, window], axis=0)
    return {
        "n_draws": N_DRAWS,
        "random_seed": seed,
        "channels": {name: table[name] | row for name, row in rows.items()},
        "media_share": {
            **quantiles(media, "share"),
            "prob_above_one": float((media > 1).mean()),
        },
        "kpi": _kpi_rows(outcomes, actual, panel[DATE_DIM].values[window]),
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
