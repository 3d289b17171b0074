"""One model's horizon: the panel that a plan acts on, and what counts of its outcome.

The panel is the last periods of history (carryover in), the horizon, and as many periods after it
as carryover lasts (carryover out). Planned channels spend nothing after the horizon; everything
else goes on as in the reference window, and is the same for every plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import PlanModel
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, ComponentKind
from schemas.spec.optimizer import PlanBounds
from tasks.mathematics.horizon_panel import extend_panel
from tasks.mathematics.panel import estimation_window, has_negative_kpi, observed_of
from tasks.models.contract import Component, FittedModel
from tasks.models.lookback import longest_carryover, longest_memory
from tasks.models.returns import value_of_units

Array = NDArray[np.float64]

MAX_CELLS = 10_000_000
"""Samples x entities x periods that are evaluated at once: 80 MB per array."""
_CUBE = (ENTITY_DIM, CHANNEL_DIM, DATE_DIM)


@dataclass(frozen=True)
class PlannedFit:
    """A fitted model that a plan speaks for. All models of a plan have equally many draws."""

    model: FittedModel
    panel: xr.Dataset
    """Panel of the fit with its carryover window."""
    metadata: FeatureMetadata
    prior_driven: Sequence[str]
    """Channels that the data did not decide."""
    about: PlanModel
    bounds: PlanBounds
    """Bounds of its run spec."""
    unclear: Sequence[str] = ()
    """Channels whose effect the data cannot tell from none."""
    confounded: Sequence[str] = ()
    """Channels whose effect the data cannot tell from demand that spend may follow."""
    why_withheld: str | None = None
    """Why no plan of it may be followed; None where one may be."""


@dataclass(frozen=True)
class Horizon:
    """A fitted model with the panel of a horizon."""

    model: FittedModel
    panel: xr.Dataset
    """History that still matters, horizon, carryover after it; planned channels are off."""
    channels: tuple[str, ...]
    """Planned channels: those with spend."""
    start: int
    """Position of the first planned period in the panel."""
    horizon: int
    rate: Array
    """Input per unit of money, ``(entity, channel)``; the mean of the reference window."""
    value: Array
    """Value of a KPI unit over the outcome periods, ``(entity, date)``; 1 without a value."""
    reference: Array
    """Spend of the reference window, money, ``(entity, channel, period)``."""
    history: Array
    """Spend of all fitted periods, ``(entity, channel)``."""
    observed: Array
    """Least and most spend of a fitted period, all entities together, ``(2, channel)``."""
    observed_by_entity: Array
    """The same of every entity, ``(2, entity, channel)``."""
    kpi: float = 0.0
    """KPI of the reference window in the unit of the outcome, weighted."""
    weight: float = 1.0
    """Weight of this model's KPI among those of a combined plan."""
    memory: int = 0
    """Periods that the model remembers; a shorter history is all there is."""

    @property
    def entities(self) -> tuple[str, ...]:
        """Entities of the panel."""
        return tuple(str(e) for e in self.panel[ENTITY_DIM].values)

    @property
    def starts(self) -> list[str]:
        """Starts of the planned periods as ISO days."""
        dates = self.panel[DATE_DIM].values[self.start : self.start + self.horizon]
        return [str(d)[:10] for d in dates.astype("datetime64[D]")]

    def with_spend(self, spend: Array) -> xr.Dataset:
        """Return the panel with planned spend ``(entity, channel, period)`` turned into input."""
        media = self.panel["media"].copy(deep=True)
        planned = slice(self.start, self.start + self.horizon)
        for place, index in enumerate(self._places()):
            media.values[:, index, planned] = spend[:, place] * self.rate[:, place, None]
        return self.panel.assign(media=media)

    def channel_outcomes(self, spends: Array) -> Array:
        """Outcome of every planned channel by itself, for several plans; additive models only.

        Parameters
        ----------
        spends
            Money, ``(plan, entity, channel, period)``.

        Returns
        -------
        NDArray
            ``(plan, channel, sample, entity)``.
        """
        n_cells = self.model.draws.sizes["chain"] * self.model.draws.sizes["draw"]
        n_cells *= self.panel.sizes[ENTITY_DIM] * self.panel.sizes[DATE_DIM]
        at_once = max(1, MAX_CELLS // n_cells)
        chunks = [spends[first : first + at_once] for first in range(0, len(spends), at_once)]
        return np.concatenate([self._outcomes_in_a_row(chunk) for chunk in chunks])

    def outcome(self, spend: Array) -> Array:
        """Weighted KPI of horizon and carryover after it, ``(sample,)``.

        For additive models only what planned channels add: the rest is the same for every plan.
        """
        if self.model.additive:
            return np.asarray(self.channel_outcomes(spend[None])[0].sum(axis=(0, 2)))
        kpi = self.model.expected(self.with_spend(spend))
        weighted = np.einsum("set,et->s", kpi[:, :, self.start :], self.value)
        return np.asarray(weighted * self.weight)

    def gradient(self, spend: Array, weights: Array) -> Array:
        """Gradient of ``weights @ outcome(spend)`` by spend, ``(entity, channel, period)``."""
        panel = self.with_spend(spend)
        cells = np.zeros((len(weights), panel.sizes[ENTITY_DIM], panel.sizes[DATE_DIM]))
        cells[:, :, self.start :] = weights[:, None, None] * self.value * self.weight
        by_media = self.model.media_gradient(panel, cells, self.channels)
        planned = by_media[:, :, self.start : self.start + self.horizon]
        return np.asarray(planned * self.rate[:, :, None])

    def _outcomes_in_a_row(self, spends: Array) -> Array:
        """Evaluate plans one after the other in time: one call of the model serves them all.

        Each plan's periods follow the same history, and nothing reaches further than that history,
        unless it is shorter than the model's memory: what was before it follows no other plan.
        """
        n_plans, n_dates = len(spends), self.panel.sizes[DATE_DIM]
        if self.start < self.memory and n_plans > 1:
            return np.concatenate([self._outcomes_in_a_row(one[None]) for one in spends])
        row = self.panel.isel({DATE_DIM: np.tile(np.arange(n_dates), n_plans)})
        media = row["media"].copy(deep=True)
        blocks = media.values.reshape(*media.shape[:2], n_plans, n_dates)
        planned = slice(self.start, self.start + self.horizon)
        for place, index in enumerate(self._places()):
            bought = spends[:, :, place] * self.rate[:, place, None]
            blocks[:, index, :, planned] = bought.transpose(1, 0, 2)
        row = row.assign(media=media)
        parts = []
        for name in self.channels:
            kpi = self.model.contribution(Component(name, ComponentKind.CHANNEL), row)
            by_plan = kpi.reshape(*kpi.shape[:2], n_plans, n_dates)[..., self.start :]
            parts.append(np.einsum("sept,et->pse", by_plan, self.value) * self.weight)
        return np.stack(parts, axis=1)

    def _places(self) -> list[int]:
        names = [str(c) for c in self.panel[CHANNEL_DIM].values]
        return [names.index(channel) for channel in self.channels]


def build_horizon(
    model: FittedModel,
    panel: xr.Dataset,
    metadata: FeatureMetadata,
    *,
    horizon: int,
    weight: float = 1.0,
) -> Horizon:
    """Prepare a fitted model for planning the periods after its panel.

    Parameters
    ----------
    model, panel, metadata
        The fitted model, the panel of its fit with its carryover window, and feature metadata.
    horizon
        Number of planned periods; the reference window is as many periods before them, repeated
        where history is shorter.
    weight
        Weight of this model's KPI in a combined plan.
    """
    grain = metadata.grain
    after = longest_carryover(metadata) - 1
    # What a control was long ago matters to models whose parts multiply.
    before = min(longest_memory(metadata), panel.sizes[DATE_DIM])
    longer = extend_panel(panel, grain, horizon + after, like_last=horizon).transpose(..., DATE_DIM)
    start = panel.sizes[DATE_DIM]
    channels = planned_channels(panel)
    fitted = estimation_window(panel).sel({CHANNEL_DIM: list(channels)})
    spend = np.nan_to_num(fitted["spend"].transpose(*_CUBE).to_numpy())
    media = fitted["media"].transpose(*_CUBE).to_numpy()
    upcoming = longer.sel({CHANNEL_DIM: list(channels)}).isel(
        {DATE_DIM: slice(start, start + horizon)}
    )
    reference = np.nan_to_num(upcoming["spend"].transpose(*_CUBE).to_numpy())
    recent = upcoming["media"].transpose(*_CUBE).to_numpy()
    total = spend.sum(axis=0)
    value = longer["unit_value"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()[:, start:]
    return Horizon(
        model=model,
        panel=_switch_off(longer, channels, start).isel({DATE_DIM: slice(start - before, None)}),
        channels=channels,
        start=before,
        horizon=horizon,
        rate=_input_per_money(recent, reference, media, spend),
        value=value_of_units(value, metadata),
        reference=reference,
        history=spend.sum(axis=2),
        kpi=weight * _reference_kpi(panel, horizon, in_money=metadata.in_money),
        observed=np.stack([total.min(axis=1), total.max(axis=1)]),
        observed_by_entity=np.stack([_least_while_open(fitted, spend), spend.max(axis=2)]),
        weight=weight,
        memory=longest_memory(metadata),
    )


def _least_while_open(fitted: xr.Dataset, spend: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least spend of a period in which an entity was open, ``(entity, channel)``."""
    is_open = observed_of(fitted)[:, None, :]
    return np.asarray(np.where(is_open, spend, np.inf).min(axis=2))


def _reference_kpi(panel: xr.Dataset, horizon: int, *, in_money: bool) -> float:
    """KPI of as many periods before the horizon; where history is shorter, as if it went on."""
    last = panel.isel({DATE_DIM: slice(-horizon, None)})
    size = abs(last["kpi"]) if has_negative_kpi(panel) else last["kpi"]
    kpi = size * last["unit_value"] if in_money else size
    return float(kpi.sum() * horizon / last.sizes[DATE_DIM])


def planned_channels(panel: xr.Dataset) -> tuple[str, ...]:
    """Return channels that have cost money in the fitted window, in the order of the panel."""
    spend = estimation_window(panel)["spend"].transpose(*_CUBE).to_numpy()
    has_spend = np.nansum(spend, axis=(0, 2)) > 0
    return tuple(str(c) for c in panel[CHANNEL_DIM].values[has_spend])


def _switch_off(panel: xr.Dataset, channels: Sequence[str], start: int) -> xr.Dataset:
    planned = np.isin(panel[CHANNEL_DIM].values.astype(str), channels)
    media = panel["media"].transpose(*_CUBE).copy(deep=True)
    media.values[:, planned, start:] = 0.0
    return panel.assign(media=media)


def _input_per_money(recent: Array, reference: Array, media: Array, spend: Array) -> Array:
    """Input per unit of money, of the reference window, else of all, else of all entities."""
    tiers = (
        (recent.sum(axis=2), reference.sum(axis=2)),
        (media.sum(axis=2), spend.sum(axis=2)),
        (media.sum(axis=(0, 2)), spend.sum(axis=(0, 2))),
    )
    rate = np.full(media.shape[:2], np.nan)
    for bought, paid in tiers:
        known = np.divide(bought, paid, out=np.full_like(paid, np.nan), where=paid > 0)
        rate = np.where(np.isnan(rate), known, rate)
    return rate
