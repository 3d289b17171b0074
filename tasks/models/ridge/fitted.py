"""What the draws of kind ``ridge`` say, evaluated in NumPy.

Few draws have hyperparameters of their own, so a channel is transformed once for all that share
them.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, SAMPLE_DIM, ComponentKind
from tasks.mathematics.scaling import scale_media
from tasks.models.contract import Component
from tasks.models.linear import linear_references, referred_design, terms_of
from tasks.models.refitted import RefittedModel
from tasks.models.ridge.design import MediaTransform, Values, media_transforms
from tasks.models.ridge.names import (
    COEFFICIENT,
    HYPERPARAMETER,
    HYPERPARAMETER_DIM,
    LEVEL,
    LINEAR,
    SIGMA,
    hyperparameter_labels,
)

Array = NDArray[np.float64]


class RidgeFitted(RefittedModel):
    """Draws of one ``ridge`` fit, as ``tasks.models.contract.FittedModel`` has it."""

    noise = SIGMA
    effect = COEFFICIENT

    def expected(self, panel: xr.Dataset) -> Array:
        """Sum of all components."""
        return np.asarray(sum(self.contribution(c, panel) for c in self.components))

    def contribution(self, component: Component, panel: xr.Dataset) -> Array:
        """One component, equal to its counterfactual."""
        if component.kind is ComponentKind.CHANNEL:
            return self._channel(component.name, panel)
        gamma, scale = self._of_entities(LINEAR, panel), self._scale(panel)
        if component.kind is ComponentKind.BASELINE:
            at_references = np.einsum("sek,ek->se", gamma, linear_references(panel, self._inputs))
            level = (self._of_entities(LEVEL, panel) + at_references)[:, :, None] * scale
            return np.broadcast_to(level, (*level.shape[:2], panel.sizes[DATE_DIM]))
        terms = terms_of(component, self._inputs)
        design = referred_design(panel, self._inputs)[:, terms]
        return np.asarray(np.einsum("sek,ekt->set", gamma[:, :, terms], design) * scale)

    def media_gradient(self, panel: xr.Dataset, weights: Array, channels: Sequence[str]) -> Array:
        """Of every set of hyperparameters once; input scales are constants."""
        scales = self._inputs.scales["media_scale"].sel({ENTITY_DIM: panel[ENTITY_DIM].values})
        gradients = []
        for channel in channels:
            index = self._channels.index(channel)
            transform, scaled = self._transforms[index], self._scaled(panel, index)
            passed_on = weights * self._amplitude(index, panel)
            sets, place = self._hyperparameters(index)
            gradient = np.zeros_like(scaled)
            for number, values in enumerate(sets):
                summed = passed_on[place == number].sum(axis=0)
                gradient += transform.pull_back(scaled, values, summed)
            scale = scales.sel({CHANNEL_DIM: channel}).to_numpy()
            gradients.append(gradient / scale[:, None])
        return np.stack(gradients, axis=1)

    def _channel(self, channel: str, panel: xr.Dataset) -> Array:
        index = self._channels.index(channel)
        transform, scaled = self._transforms[index], self._scaled(panel, index)
        sets, place = self._hyperparameters(index)
        responses = np.array([transform.apply(scaled, values) for values in sets])
        return np.asarray(responses[place] * self._amplitude(index, panel))

    @property
    def _transforms(self) -> list[MediaTransform]:
        return media_transforms(self._inputs.metadata)

    def _scaled(self, panel: xr.Dataset, index: int) -> Array:
        return np.ascontiguousarray(scale_media(panel, self._inputs.scales)[:, index])

    def _hyperparameters(self, index: int) -> tuple[list[Values], NDArray[np.intp]]:
        """Sets of one channel's hyperparameters, and the place among them of every draw."""
        labels = hyperparameter_labels(self._channels[index], self._transforms[index])
        values = self._samples[HYPERPARAMETER].sel({HYPERPARAMETER_DIM: labels})
        drawn = values.transpose(SAMPLE_DIM, HYPERPARAMETER_DIM).to_numpy()
        sets, place = np.unique(drawn, axis=0, return_inverse=True)
        return [tuple(row) for row in sets.tolist()], place.reshape(-1)

    def _amplitude(self, index: int, panel: xr.Dataset) -> Array:
        """Factor of a channel's response, KPI units, ``(sample, entity, 1)``."""
        beta = self._of_entities(COEFFICIENT, panel)[:, :, index, None]
        return np.asarray(beta * self._scale(panel))
