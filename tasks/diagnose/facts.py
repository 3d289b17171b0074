"""The data that should decide the parameters of a fit, as the rules of ``cause`` look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, ENTITY_DIM
from schemas.outcomes import Finding
from schemas.spec.gates import GateSettings
from tasks.diagnose.lift_conflict import LiftEvidence
from tasks.diagnose.suspects import Suspect
from tasks.mathematics.panel import IS_ESTIMATION, observed_of
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """The data that decide the parameters, over the fitted periods."""

    regressors: list[str]
    """Channels and linear terms."""
    values: Array
    """``(entity, regressor, date)``."""
    observed: NDArray[np.bool_]
    """``(entity, date)``: where an entity was open."""
    entities: list[str]
    spend: Mapping[str, float]
    """Spend of each channel that has any column of it."""
    n_parameters: int
    findings: Sequence[Finding]
    lifts: Sequence[LiftEvidence]
    gates: GateSettings

    def of(self, suspect: Suspect) -> Array | None:
        """Input of a suspect's component ``(entity, date)``: its own entity, or all of them."""
        if suspect.component not in self.regressors:
            return None
        column = self.values[:, self.regressors.index(suspect.component)]
        return column[self._rows(suspect)]

    def within(self, suspect: Suspect) -> pd.DataFrame:
        """All regressors of the suspect's entities, less their mean in each, a row per cell."""
        rows = self._rows(suspect)
        own = [
            block[:, is_open] - block[:, is_open].mean(axis=-1, keepdims=True)
            for block, is_open in zip(self.values[rows], self.observed[rows], strict=True)
        ]
        return pd.DataFrame(np.concatenate(own, axis=1).T, columns=self.regressors)

    def _rows(self, suspect: Suspect) -> slice:
        if suspect.entity not in self.entities:
            return slice(None)
        index = self.entities.index(suspect.entity)
        return slice(index, index + 1)


def collect_facts(
    panel: xr.Dataset,
    inputs: ModelInputs,
    *,
    findings: Sequence[Finding],
    lifts: Sequence[LiftEvidence],
    gates: GateSettings,
) -> Facts:
    """Collect what the rules look at.

    Parameters
    ----------
    panel, inputs
        What was fitted.
    findings
        Findings of the data checks.
    lifts
        Lift tests against the model.
    gates
        Limits of the spec.
    """
    window = panel[IS_ESTIMATION].values
    media = panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, ...).to_numpy()[..., window]
    terms = linear_design(panel, inputs)[..., window]
    spend = panel["spend"].to_numpy()[..., window].sum(axis=(0, 2))
    channels = [str(name) for name in panel[CHANNEL_DIM].values]
    return Facts(
        regressors=[*channels, *(term.name for term in linear_terms(inputs))],
        values=np.concatenate([media, terms], axis=1),
        observed=observed_of(panel)[:, window],
        entities=[str(name) for name in panel[ENTITY_DIM].values],
        spend={n: float(s) for n, s in zip(channels, spend, strict=True) if np.isfinite(s)},
        n_parameters=int(inputs.metadata.n_parameters),
        findings=findings,
        lifts=lifts,
        gates=gates,
    )
