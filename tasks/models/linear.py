"""Linear terms that every kind shares: controls, trend and yearly Fourier columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.names import (
    DATE_DIM,
    ENTITY_DIM,
    SEASONALITY_COMPONENT,
    TREND_COMPONENT,
    ComponentKind,
)
from tasks.mmm.scaling import scale_controls
from tasks.mmm.seasonality import fourier_names, fourier_terms, standardized_trend
from tasks.models.contract import Component, ModelInputs


@dataclass(frozen=True)
class Term:
    """One column of the linear design and the component it belongs to."""

    name: str
    component: Component


def linear_terms(inputs: ModelInputs) -> list[Term]:
    """Terms of the linear design in column order: controls, trend, Fourier."""
    terms = [
        Term(c["name"], Component(c["name"], ComponentKind.CONTROL))
        for c in inputs.metadata["controls"]
    ]
    if inputs.metadata["trend"]:
        terms.append(Term(TREND_COMPONENT, Component(TREND_COMPONENT, ComponentKind.TREND)))
    season = Component(SEASONALITY_COMPONENT, ComponentKind.SEASONALITY)
    terms += [Term(name, season) for name in fourier_names(inputs.metadata["harmonics"])]
    return terms


def linear_components(inputs: ModelInputs) -> list[Component]:
    """Components of the linear design, each once, in column order."""
    return list(dict.fromkeys(term.component for term in linear_terms(inputs)))


def terms_of(component: Component, inputs: ModelInputs) -> list[int]:
    """Column positions of one component's terms."""
    return [i for i, term in enumerate(linear_terms(inputs)) if term.component == component]


def linear_design(panel: xr.Dataset, inputs: ModelInputs) -> NDArray[np.float64]:
    """Values of the linear terms, ``(entity, term, date)``, over every period of the panel."""
    n_entities = panel.sizes[ENTITY_DIM]
    blocks = [scale_controls(panel, inputs.scales)]
    dates = pd.DatetimeIndex(panel[DATE_DIM].values)
    if inputs.metadata["trend"]:
        position = periods_since(dates, inputs.metadata)
        mean, std = float(inputs.scales["trend_mean"]), float(inputs.scales["trend_std"])
        blocks.append(
            np.broadcast_to(
                standardized_trend(position, mean=mean, std=std), (n_entities, 1, len(dates))
            )
        )
    if inputs.metadata["harmonics"]:
        fourier = fourier_terms(dates, inputs.metadata["harmonics"]).T
        blocks.append(np.broadcast_to(fourier, (n_entities, *fourier.shape)))
    return np.concatenate(blocks, axis=1)


def periods_since(dates: pd.DatetimeIndex, metadata: Mapping[str, Any]) -> NDArray[np.float64]:
    """Number of periods between the first period of the fit and each date."""
    first = pd.Timestamp(metadata["first_period"])
    if metadata["grain"] == "MONTH":
        months = (dates.year - first.year) * 12 + (dates.month - first.month)
        return np.asarray(months, dtype=float)
    return np.asarray((dates - first).days, dtype=float) / 7.0
