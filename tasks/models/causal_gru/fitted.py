"""What the members of kind ``causal_gru`` say, evaluated in NumPy.

A channel's contribution is its intervention: the expected KPI less that with its input set to zero
(``do(channel = 0)``), everything else as it was. No channel's part depends on another's, so these
add up. A control's is its intervention too, set to its reference, media as they ran; what is left
is the baseline.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, ENTITY_DIM, SAMPLE_DIM, ComponentKind
from schemas.spec.channels import AdstockKind, SaturationKind
from tasks.mathematics.carryover import adstock_weights, carry_back, stack_lags
from tasks.mathematics.saturation import saturation_shape, saturation_slope
from tasks.mathematics.scaling import scale_media
from tasks.models.causal_gru import names
from tasks.models.causal_gru.recurrence import Recurrence, look_back, run_network
from tasks.models.causal_gru.sequences import build_context, read_settings
from tasks.models.contract import Component, ModelInputs
from tasks.models.linear import linear_design, linear_references, terms_of
from tasks.models.refitted import RefittedModel

Array = NDArray[np.float64]


class CausalGruFitted(RefittedModel):
    """Members of one ``causal_gru`` fit, as ``tasks.models.contract.FittedModel`` has it."""

    noise = names.KPI_NOISE
    effect = names.CHANNEL_EFFECT

    def __init__(self, draws: xr.Dataset, inputs: ModelInputs) -> None:
        super().__init__(draws, inputs)
        self._known: tuple[bytes, Recurrence] | None = None

    def expected(self, panel: xr.Dataset) -> Array:
        """Media, linear terms, and what the network adds."""
        design = linear_design(panel, self._inputs)
        linear = np.einsum("sek,ekt->set", self._of_entities(names.TERM_EFFECT, panel), design)
        rest = linear + self._of_entities(names.KPI_LEVEL, panel)[:, :, None]
        media = sum(self._channel(name, panel) for name in self._channels)
        return np.asarray(media + rest * self._scale(panel) + self._read_out(panel, design))

    def contribution(self, component: Component, panel: xr.Dataset) -> Array:
        """One component; those of media and controls are their interventions."""
        if component.kind is ComponentKind.CHANNEL:
            return self._channel(component.name, panel)
        design = linear_design(panel, self._inputs)
        if component.kind is ComponentKind.BASELINE:
            return self._baseline(panel, design)
        part = self._linear(component, panel, design)
        if component.kind is ComponentKind.CONTROL:
            return part + self._through_network(component, panel, design)
        return part

    def media_gradient(self, panel: xr.Dataset, weights: Array, channels: Sequence[str]) -> Array:
        """Through carryover, saturation and the network's memory; input scales are constants."""
        scales = self._inputs.scales["media_scale"].sel({ENTITY_DIM: panel[ENTITY_DIM].values})
        passed_on = weights * self._scale(panel)
        kept = self._kept(panel)
        gradients = []
        for channel in channels:
            carried, shape, curve = self._shape(channel, panel)
            by_shape = passed_on * self._coefficient(channel, panel)
            spread = self._of_entities(names.SPREAD, panel)[:, :, None]
            by_shape = by_shape + self._memory_gradient(channel, shape, passed_on * spread, kept)
            by_carried = by_shape * saturation_slope(SaturationKind.HILL, carried, curve)
            lag_weights = self._lag_weights(channel)[:, None]
            gradient = carry_back(by_carried, lag_weights).sum(axis=0)
            gradients.append(gradient / scales.sel({CHANNEL_DIM: channel}).to_numpy()[:, None])
        return np.stack(gradients, axis=1)

    def unit_shape(self, channel: str, panel: xr.Dataset) -> Array:
        """Carryover and saturation without a coefficient, ``(sample, entity, date)``."""
        return self._shape(channel, panel)[1]

    # Media.

    def _channel(self, channel: str, panel: xr.Dataset) -> Array:
        shape = self._shape(channel, panel)[1]
        direct = self._coefficient(channel, panel) * shape
        spread = self._of_entities(names.SPREAD, panel)[:, :, None]
        return (direct + spread * self._memory(channel, shape, panel)) * self._scale(panel)

    def _shape(self, channel: str, panel: xr.Dataset) -> tuple[Array, Array, dict[str, Array]]:
        """Carried input, its saturated form, ``(sample, entity, date)``, and the curve."""
        index = self._channels.index(channel)
        scaled = scale_media(panel, self._inputs.scales)[:, index]
        carried = np.einsum(
            "elt,sl->set", stack_lags(scaled, self._l_max), self._lag_weights(channel)
        )
        curve = {
            "kappa": self._of_channel(names.HALF_SATURATION, channel),
            "slope": self._of_channel(names.SLOPE, channel),
        }
        return carried, np.asarray(saturation_shape(SaturationKind.HILL, carried, curve)), curve

    def _lag_weights(self, channel: str) -> Array:
        alpha = {"alpha": self._of_channel(names.RETENTION, channel)[:, 0, 0]}
        return np.asarray(adstock_weights(AdstockKind.GEOMETRIC, alpha, l_max=self._l_max))

    @property
    def _l_max(self) -> int:
        return max(c.learned_adstock.l_max for c in self._inputs.metadata.channels)

    def _of_channel(self, name: str, channel: str) -> Array:
        values = self._samples[name].sel({CHANNEL_DIM: channel}).transpose(SAMPLE_DIM)
        return np.asarray(values.to_numpy()[:, None, None])

    def _coefficient(self, channel: str, panel: xr.Dataset) -> Array:
        """Effect at full saturation over the KPI's scale, ``(sample, entity, 1)``."""
        index = self._channels.index(channel)
        return self._of_entities(names.CHANNEL_EFFECT, panel)[:, :, index, None]

    # The recurrent network.

    def _memory(self, channel: str, shape: Array, panel: xr.Dataset) -> Array:
        """What units keep of a channel, over the KPI's spread, ``(sample, entity, date)``."""
        sizes, slopes = self._units(channel)
        filled = np.tanh(shape[..., None] * slopes)
        kept = self._kept(panel)
        past = look_back(filled, kept.shape[0])
        return np.asarray(np.einsum("ksetu,ksetu,su->set", kept, past, sizes))

    def _memory_gradient(self, channel: str, shape: Array, weights: Array, kept: Array) -> Array:
        """Gradient of the weighted sum of ``_memory`` by the shape, per sample."""
        sizes, slopes = self._units(channel)
        steep = (1 - np.tanh(shape[..., None] * slopes) ** 2) * slopes
        memory, n_periods = len(kept), shape.shape[-1]
        back = np.zeros_like(steep)
        for step in range(memory):
            lag = memory - 1 - step
            if lag < n_periods:
                reached = weights[..., lag:, None] * kept[step][:, :, lag:]
                back[:, :, : n_periods - lag] += reached
        return np.asarray(np.einsum("setu,setu,su->set", back, steep, sizes))

    def _units(self, channel: str) -> tuple[Array, Array]:
        """Sizes ``(sample, unit)`` and slopes ``(sample, 1, 1, unit)`` of a channel's units."""
        order = (SAMPLE_DIM, names.UNIT_DIM)
        sizes = self._samples[names.RECURRENT_MEDIA].sel({CHANNEL_DIM: channel}).transpose(*order)
        slopes = self._samples[names.RECURRENT_SCALE].transpose(*order).to_numpy()
        return sizes.to_numpy(), slopes[:, None, None]

    def _kept(self, panel: xr.Dataset) -> Array:
        """Share of each look back that units keep, ``(step, sample, entity, date, unit)``."""
        return self._recurrence(panel, linear_design(panel, self._inputs)).kept

    def _recurrence(self, panel: xr.Dataset, design: Array) -> Recurrence:
        """What the network makes of calendar and controls; the last one is kept.

        Plans and curves change media alone, and ask again and again.
        """
        context = build_context(panel, self._inputs, design)
        key = context.tobytes()
        if self._known is None or self._known[0] != key:
            memory = read_settings(self._inputs.metadata).memory_periods
            self._known = key, run_network(self._samples, context, memory)
        return self._known[1]

    def _read_out(self, panel: xr.Dataset, design: Array) -> Array:
        """What the state of the network adds, KPI units, ``(sample, entity, date)``."""
        order = (SAMPLE_DIM, names.UNIT_DIM)
        readout = self._samples[names.READOUT].transpose(*order).to_numpy()
        state = self._recurrence(panel, design).state
        added = np.einsum("setu,su->set", state, readout)
        return np.asarray(
            added * self._of_entities(names.SPREAD, panel)[:, :, None] * self._scale(panel)
        )

    # Everything else.

    def _linear(self, component: Component, panel: xr.Dataset, design: Array) -> Array:
        terms = terms_of(component, self._inputs)
        gamma = self._of_entities(names.TERM_EFFECT, panel)[:, :, terms]
        references = linear_references(panel, self._inputs)[:, terms, None]
        return np.asarray(
            np.einsum("sek,ekt->set", gamma, design[:, terms] - references) * self._scale(panel)
        )

    def _through_network(self, component: Component, panel: xr.Dataset, design: Array) -> Array:
        """What the network adds of a control, against the control at its reference."""
        terms = terms_of(component, self._inputs)
        without = design.copy()
        without[:, terms] = linear_references(panel, self._inputs)[:, terms, None]
        return self._read_out(panel, design) - self._read_out(panel, without)

    def _baseline(self, panel: xr.Dataset, design: Array) -> Array:
        """Level, and what the network adds beyond each control's own part."""
        gamma = self._of_entities(names.TERM_EFFECT, panel)
        references = linear_references(panel, self._inputs)
        level = self._of_entities(names.KPI_LEVEL, panel) + np.einsum(
            "sek,ek->se", gamma, references
        )
        left = level[:, :, None] * self._scale(panel) + self._read_out(panel, design)
        controls = (c for c in self.components if c.kind is ComponentKind.CONTROL)
        for component in controls:
            left = left - self._through_network(component, panel, design)
        return np.asarray(left)
