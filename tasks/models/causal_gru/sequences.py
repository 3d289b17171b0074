"""A panel as sequences: what the direct path and the recurrent network read, sorted by name.

Channels and controls stand in the order of their names, whatever the order of columns in the file
or the spec: the fit is that of the same panel, bit for bit.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import DATE_DIM, ENTITY_DIM, ComponentKind
from schemas.spec.causal_gru import CausalGruSpec
from schemas.spec.channels import ChannelKind
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.mathematics.scaling import scale_media
from tasks.models.contract import ModelInputs
from tasks.models.linear import describe_terms, linear_design

Array = NDArray[np.float64]


def read_settings(metadata: FeatureMetadata) -> CausalGruSpec:
    """Return what the spec says to this kind."""
    return CausalGruSpec.model_validate(metadata.kind_settings or {})


def context_names(metadata: FeatureMetadata) -> list[str]:
    """Names of what the recurrent network reads: a constant, seasons, then controls."""
    terms = describe_terms(metadata)
    seasons = [t.name for t in terms if t.component.kind is ComponentKind.SEASONALITY]
    return ["constant", *seasons, *(c.name for c in metadata.controls)]


def build_context(panel: xr.Dataset, inputs: ModelInputs, linear: Array) -> Array:
    """Return what the recurrent network reads, ``(entity, context, date)``.

    Parameters
    ----------
    panel, inputs
        As every kind gets them.
    linear
        ``linear_design`` of the panel, or another one with some controls at their reference.
    """
    place = {term.name: k for k, term in enumerate(describe_terms(inputs.metadata))}
    rows = [place[name] for name in context_names(inputs.metadata)[1:]]
    constant = np.ones((linear.shape[0], 1, panel.sizes[DATE_DIM]))
    return np.concatenate([constant, linear[:, rows]], axis=1)


@dataclass(frozen=True)
class Sequences:
    """One panel, over every period, no unit; drivers sorted by name."""

    kpi: Array
    """Over its scale, ``(entity, period)``."""
    media: Array
    """Over their scales, ``(entity, channel, period)``."""
    linear: Array
    """Linear terms, controls first, ``(entity, term, period)``."""
    context: Array
    """What the recurrent network reads, controls last, ``(entity, context, period)``."""
    signs: Array
    """1, or -1 of a competitor, ``(channel,)``."""
    window: NDArray[np.bool_]
    """Fitted periods, ``(period,)``."""
    l_max: int
    """Lags of carryover, lag 0 included."""
    channels: list[str]
    controls: list[str]
    terms: list[str]
    context_names: list[str]

    @property
    def n_fitted(self) -> int:
        """Fitted periods."""
        return int(self.window.sum())


def arrange(panel: xr.Dataset, inputs: ModelInputs) -> Sequences:
    """Arrange a panel, without gaps, as sequences."""
    metadata = inputs.metadata
    terms = [term.name for term in describe_terms(metadata)]
    linear, context = linear_design(panel, inputs), context_names(metadata)
    n_controls = len(metadata.controls)
    channels = np.argsort(metadata.channel_names, kind="stable")
    controls = np.argsort([c.name for c in metadata.controls], kind="stable").astype(int)
    by_term = [*controls, *range(n_controls, len(terms))]
    n_before = len(context) - n_controls
    by_context = [*range(n_before), *(n_before + controls)]
    scaled = (panel["kpi"] / inputs.scales["kpi_scale"]).transpose(ENTITY_DIM, DATE_DIM)
    signs = [-1.0 if c.kind is ChannelKind.COMPETITOR else 1.0 for c in metadata.channels]
    return Sequences(
        kpi=scaled.to_numpy(),
        media=scale_media(panel, inputs.scales)[:, channels],
        linear=linear[:, by_term],
        context=build_context(panel, inputs, linear)[:, by_context],
        signs=np.array(signs)[channels],
        window=panel[IS_ESTIMATION].to_numpy(),
        l_max=max(channel.learned_adstock.l_max for channel in metadata.channels),
        channels=[metadata.channel_names[k] for k in channels],
        controls=[metadata.controls[k].name for k in controls],
        terms=[terms[k] for k in by_term],
        context_names=[context[k] for k in by_context],
    )
