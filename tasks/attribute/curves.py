"""Response curves: what a channel adds in the long run, and what its next money returns.

A curve is the steady state: the same input in every period, long enough that carryover is full,
split over entities as it is today. Today is the last horizon, as a budget plan has it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM
from tasks.attribute.marginal import find_breakeven, marginal_return, spaced_grid
from tasks.attribute.steady_state import last_horizon, steady_panel, steady_response
from tasks.mathematics.draws import hdi
from tasks.mathematics.panel import estimation_window
from tasks.models.contract import FittedModel
from tasks.models.lookback import longest_carryover, longest_memory
from tasks.models.quantities import thin_draws
from tasks.models.returns import value_of_units

N_CURVE_DRAWS = 500
N_POINTS = 31
BEYOND = 1.25
"""A curve runs this far past the largest observed input."""
INTERVAL = "90 % equal-tailed"
"""Of everything in the file that ends in ``_low``, ``_high``, ``low_90`` and ``high_90``; only
``low_94`` and ``high_94`` are the 94 % HDI, as in the other files."""
_TAILS = {"median": 0.5, "low_90": 0.05, "high_90": 0.95}
_ECONOMICS = (
    "mroas_mean",
    "mroas_low",
    "mroas_high",
    "return_unit",
    "target_return",
    "breakeven",
    "breakeven_low",
    "breakeven_high",
    "breakeven_where",
    "headroom",
)


@dataclass(frozen=True)
class _Axis:
    """What a channel's curve is drawn against."""

    unit: str
    observed: NDArray[np.float64]
    """``(entity, fitted date)``, money or input."""
    horizon: int
    """Periods that today is the mean of."""

    @property
    def total(self) -> NDArray[np.float64]:
        """All entities together, ``(fitted date,)``."""
        return self.observed.sum(axis=0)

    @property
    def today(self) -> NDArray[np.float64]:
        """Mean per period of the last horizon, ``(entity,)``."""
        return self.observed[:, -self.horizon :].mean(axis=1)

    @property
    def reference(self) -> NDArray[np.float64]:
        """What the points are multiples of, ``(entity,)``: today, all periods where it rests."""
        today = self.today
        return today if today.sum() > 0 else self.observed.mean(axis=1)

    def grid(self) -> NDArray[np.float64]:
        """Points of the channel's curve."""
        return spaced_grid(BEYOND * self.total.max(), float(self.reference.sum()), N_POINTS)


def thin(draws: xr.Dataset) -> xr.Dataset:
    """Keep ``N_CURVE_DRAWS`` draws: plenty for a 90 % band, and a curve needs many."""
    return thin_draws(draws, N_CURVE_DRAWS)


def measure_curves(
    model: FittedModel,
    panel: xr.Dataset,
    metadata: FeatureMetadata,
    *,
    target_return: float,
    horizon: int,
) -> dict[str, dict[str, Any]]:
    """Return ``response_curves.json``.

    Parameters
    ----------
    model
        Posterior draws of any kind; in one that is not additive the other channels stay as they are
        today.
    panel
        Panel with its carryover window; what is not media stays as in its last periods.
    metadata
        Feature metadata: carryover, KPI kind, whether a KPI unit has a value in money.
    target_return
        Marginal return that breaks even, in ``return_unit`` per money.
    horizon
        Periods that today is the mean of.

    Returns
    -------
    dict
        By channel with any input: ``unit`` (``spend`` or ``input``), ``x`` (per period, all
        entities together; not evenly spaced), ``median``, ``low_90``, ``high_90`` (KPI units per
        period at each x), ``low_94`` and ``high_94`` (the 94 % HDI), ``current`` (mean of the last
        horizon), ``observed_low`` and ``observed_high`` of x over fitted periods, and ``interval``.

        Where x is money, else null: ``mroas_{mean,low,high}``, the return of the next unit of money
        at ``current`` (null where that is 0); ``return_unit`` (``money``, or ``kpi`` where a KPI
        unit has no value); ``target_return``; ``breakeven``, the largest spend per period at which
        the mean marginal return falls to it, with ``breakeven_{low,high}`` from the draws (null:
        past the end of the curve; 0: it never reaches the target); ``breakeven_where``, as
        ``marginal.Where``; ``headroom``, breakeven less current.

        Of a panel with several entities also ``entities``: the same of each entity that has any
        x, ``{x, median, low_90, high_90, low_94, high_94, current, observed_low, observed_high,
        mroas_mean}``, at the same multiples of its own ``current``.
    """
    window = estimation_window(panel)
    is_money = metadata.in_money
    value = last_horizon(panel, horizon)["unit_value"].mean(DATE_DIM).to_numpy()
    per_unit = value_of_units(value, metadata)
    n_periods = longest_carryover(metadata) if model.additive else longest_memory(metadata)
    steady = steady_panel(panel, n_periods, horizon=horizon)
    curves = {}
    for name in (str(channel) for channel in panel[CHANNEL_DIM].values):
        axis = _find_axis(window, name, horizon)
        if axis is None:
            continue
        x, current = axis.grid(), float(axis.today.sum())
        factors = x / axis.reference.sum()
        draws = steady_response(model, steady, name, factors)
        economics = dict.fromkeys(_ECONOMICS)
        if axis.unit == "spend":
            economics = _weigh(x, draws, current, per_unit, target_return)
            economics["return_unit"] = "money" if is_money else "kpi"
        curves[name] = {
            "unit": axis.unit,
            **_describe(x, draws.sum(axis=1), axis.total, current),
            "interval": INTERVAL,
            **economics,
        }
        if panel.sizes[ENTITY_DIM] > 1:
            curves[name]["entities"] = _describe_entities(panel, factors, draws, axis, per_unit)
    return curves


def _find_axis(window: xr.Dataset, channel: str, horizon: int) -> _Axis | None:
    """Money where any was spent, else input; None for a channel that was off."""
    media, spend = (
        window[v].sel({CHANNEL_DIM: channel}).transpose(ENTITY_DIM, DATE_DIM).to_numpy()
        for v in ("media", "spend")
    )
    if not media.sum() > 0:
        return None
    if np.nansum(spend) > 0:
        return _Axis("spend", np.nan_to_num(spend), horizon)
    return _Axis("input", media, horizon)


def _describe(
    x: NDArray[np.float64],
    draws: NDArray[np.float64],
    observed: NDArray[np.float64],
    current: float,
) -> dict[str, Any]:
    """Curve and observed range; ``draws`` has shape ``(sample, point)``."""
    bands = np.quantile(draws, list(_TAILS.values()), axis=0)
    low, high = hdi(draws)
    return {
        "x": x.tolist(),
        **{end: band.tolist() for end, band in zip(_TAILS, bands, strict=True)},
        "low_94": low.tolist(),
        "high_94": high.tolist(),
        "current": current,
        "observed_low": float(observed.min()),
        "observed_high": float(observed.max()),
    }


def _weigh(
    x: NDArray[np.float64],
    draws: NDArray[np.float64],
    current: float,
    per_unit: NDArray[np.float64],
    target: float,
) -> dict[str, Any]:
    """Marginal return at current spend, and where it falls to the target."""
    returns = np.einsum("sep,e->sp", draws, per_unit)
    breakeven = find_breakeven(x, returns, target)
    return {
        **_marginal(x, returns, current),
        "target_return": target,
        "breakeven": breakeven.spend,
        "breakeven_low": breakeven.low,
        "breakeven_high": breakeven.high,
        "breakeven_where": breakeven.where.value,
        "headroom": None if breakeven.spend is None else breakeven.spend - current,
    }


def _marginal(
    x: NDArray[np.float64], returns: NDArray[np.float64], current: float
) -> dict[str, float | None]:
    """Return of the next unit of money; nothing is next to nothing where a channel rests."""
    if not current > 0:
        return dict.fromkeys(("mroas_mean", "mroas_low", "mroas_high"))
    draws = marginal_return(x, returns, current)
    low, high = np.quantile(draws, [_TAILS["low_90"], _TAILS["high_90"]])
    return {
        "mroas_mean": float(draws.mean()), "mroas_low": float(low), "mroas_high": float(high)
    }  # fmt: skip


def _describe_entities(
    panel: xr.Dataset,
    factors: NDArray[np.float64],
    draws: NDArray[np.float64],
    axis: _Axis,
    per_unit: NDArray[np.float64],
) -> dict[str, dict[str, Any]]:
    """Curves of single entities, at multiples of what they have today."""
    today, reference = axis.today, axis.reference
    entities = {}
    for index, name in enumerate(panel[ENTITY_DIM].values):
        current = float(today[index])
        if not reference[index] > 0:
            continue
        x = factors * reference[index]
        curve = _describe(x, draws[:, index], axis.observed[index], current)
        curve["mroas_mean"] = None
        if axis.unit == "spend" and current > 0:
            returns = per_unit[index] * draws[:, index].mean(axis=0)
            curve["mroas_mean"] = float(marginal_return(x, returns, current))
        entities[str(name)] = curve
    return entities
