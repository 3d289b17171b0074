"""What channels did in window after window, and how much of an effect comes at once.

A window has as many periods as a plan covers, counted back from the last fitted one, so that the
last window is what a plan calls today.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, DATE_DIM, ComponentKind
from tasks.attribute.steady_state import steady_panel
from tasks.mathematics.draws import summarize
from tasks.mathematics.panel import estimation_window
from tasks.models.contract import Component, FittedModel
from tasks.models.lookback import longest_carryover, longest_memory
from tasks.models.returns import ChannelTotals, raise_input

MAX_WINDOWS = 8
"""Two years of quarters."""
LAGS = {"immediate_share": 1, "within_4_share": 4}
"""Periods, that of the spend included, in which a share of the effect has come."""

type Windows = Sequence[slice]


def cut_windows(n_periods: int, horizon: int) -> list[slice]:
    """Cut fitted periods into whole horizons from the end, the oldest first.

    Parameters
    ----------
    n_periods
        Fitted periods, at least 1.
    horizon
        Periods of a window; where history is shorter, all of it is one window.
    """
    size = min(horizon, n_periods)
    ends = range(n_periods, size - 1, -size)
    return [slice(end - size, end) for end in reversed(list(ends)[:MAX_WINDOWS])]


def measure_windows(
    window: xr.Dataset,
    totals: dict[str, list[ChannelTotals]],
    windows: Windows,
    *,
    in_money: bool,
) -> dict[str, list[dict[str, Any]]]:
    """Describe every channel in every window.

    Parameters
    ----------
    window
        Fitted periods of the panel.
    totals
        By channel, one per window.
    windows
        Their places among the fitted periods.
    in_money
        Whether a KPI unit has a value in money.

    Returns
    -------
    dict
        By channel the fields of ``schemas.documents.windows.WindowEffect``.
    """
    dates = pd.DatetimeIndex(window[DATE_DIM].values)
    ends = [(dates[w][0], dates[w][-1]) for w in windows]
    return {
        name: [
            {"first_period": f"{first:%Y-%m-%d}", "last_period": f"{last:%Y-%m-%d}"}
            | _describe(one, in_money=in_money)
            for one, (first, last) in zip(rows, ends, strict=True)
        ]
        for name, rows in totals.items()
    }


def _describe(totals: ChannelTotals, *, in_money: bool) -> dict[str, Any]:
    roas = totals.roas(in_money=in_money)
    return {
        "spend": totals.total_spend,
        **summarize(totals.contribution.sum(axis=1), "contribution"),
        **(
            dict.fromkeys(("roas_mean", "roas_low", "roas_high"))
            if roas is None
            else summarize(roas, "roas")
        ),
    }


def measure_timing(
    model: FittedModel, panel: xr.Dataset, metadata: FeatureMetadata, *, horizon: int
) -> dict[str, dict[str, float]]:
    """Say how much of the effect of one percent more comes at once, and within four periods.

    A channel runs as today for as long as the model remembers. One percent more in the last ``k``
    periods alone moves the last period by what comes within ``k`` periods of a lasting percent.

    Parameters
    ----------
    model
        Posterior draws of any kind.
    panel, metadata
        Panel with its carryover window, and feature metadata.
    horizon
        Periods that today is the mean of.

    Returns
    -------
    dict
        By channel with any input ``{share}_{mean,low,high}`` of ``LAGS``, shares of 1.
    """
    n_periods = longest_carryover(metadata) if model.additive else longest_memory(metadata)
    steady = steady_panel(panel, n_periods, horizon=horizon)
    found: dict[str, dict[str, float]] = {}
    for name in (str(channel) for channel in panel[CHANNEL_DIM].values):
        if not estimation_window(panel)["media"].sel({CHANNEL_DIM: name}).sum() > 0:
            continue
        base = _last_period(model, steady, name)
        whole = _last_period(model, raise_input(steady, name), name) - base
        found[name] = {}
        for share, n_last in LAGS.items():
            part = _last_period(model, _raised_lately(steady, name, n_last), name) - base
            draws = _share(part, whole)
            found[name] |= summarize(draws, share) if len(draws) else {}
    return found


def describe_channels(
    windows: Mapping[str, list[dict[str, Any]]], timing: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, Any]]:
    """Return ``channel_effects.json`` from what the two measures found of each channel."""
    return {name: {"windows": rows, **timing.get(name, {})} for name, rows in windows.items()}


def _raised_lately(steady: xr.Dataset, channel: str, n_last: int) -> xr.Dataset:
    """One percent more of a channel in the last periods alone."""
    is_late = np.arange(steady.sizes[DATE_DIM]) >= steady.sizes[DATE_DIM] - n_last
    raised = raise_input(steady, channel)["media"]
    return steady.assign(media=raised.where(xr.DataArray(is_late, dims=DATE_DIM), steady["media"]))


def _last_period(model: FittedModel, panel: xr.Dataset, channel: str) -> NDArray[np.float64]:
    """KPI of the last period that moves with a channel, all entities, ``(sample,)``."""
    component = Component(channel, ComponentKind.CHANNEL)
    whole = model.contribution(component, panel) if model.additive else model.expected(panel)
    return whole[:, :, -1].sum(axis=1)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draws of a share; those in which nothing moves have none."""
    moves = np.abs(whole) > 0
    return part[moves] / whole[moves]
