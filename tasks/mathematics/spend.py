"""Effective spend: what the model is given to learn a channel from."""

from typing import Any

import numpy as np
import xarray as xr

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.mathematics.panel import estimation_window


def effective_spend(panel: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Summarize each channel's spend and input over the fitted window.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` arranges it.

    Returns
    -------
    dict
        By channel: ``spend`` (money) and ``spend_share`` (of all channels' spend), null without a
        spend column; ``input_mean`` (input per period, all entities together, in its own unit);
        ``n_active_periods`` (periods with any input) and ``n_periods``.
    """
    window = estimation_window(panel)
    spend = window["spend"].transpose(CHANNEL_DIM, ENTITY_DIM, DATE_DIM).to_numpy()
    media = window["media"].sum(ENTITY_DIM).transpose(CHANNEL_DIM, DATE_DIM).to_numpy()
    everything = float(np.nansum(spend))
    table = {}
    for index, name in enumerate(window[CHANNEL_DIM].values):
        money = None if np.isnan(spend[index]).all() else float(np.nansum(spend[index]))
        table[str(name)] = {
            "spend": money,
            "spend_share": money / everything if money is not None and everything > 0 else None,
            "input_mean": float(media[index].mean()),
            "n_active_periods": int((media[index] > 0).sum()),
            "n_periods": int(media.shape[1]),
        }
    return table
