"""Linear terms that every kind shares: controls, trend, yearly Fourier columns, events."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import (
    CONTROL_DIM,
    DATE_DIM,
    ENTITY_DIM,
    SEASONALITY_COMPONENT,
    TREND_COMPONENT,
    ComponentKind,
)
from schemas.spec.baseline import ControlSign
from schemas.spec.run_spec import Grain
from tasks.mathematics.events import event_column
from tasks.mathematics.scaling import (
    CONTROL_REFERENCE,
    carry_controls,
    scale_controls,
    scale_of_entities,
)
from tasks.mathematics.seasonality import fourier_names, fourier_terms, standardized_trend
from tasks.mathematics.trend import trend_columns, trend_relative_sds
from tasks.models.contract import Component, ModelInputs

_SIGNS = {ControlSign.ANY: 0, ControlSign.POSITIVE: 1, ControlSign.NEGATIVE: -1}


@dataclass(frozen=True)
class Term:
    """One column of the linear design and the component it belongs to."""

    name: str
    component: Component
    sign: int = 0
    """1 or -1 where the coefficient may only be positive or negative, else 0."""
    relative_sd: float = 1.0
    """Prior standard deviation of the coefficient against that of an ordinary term."""


def linear_terms(inputs: ModelInputs) -> list[Term]:
    """Terms of the linear design in column order: controls, trend, Fourier, events."""
    return describe_terms(inputs.metadata)


def describe_terms(metadata: FeatureMetadata) -> list[Term]:
    """Terms of the linear design as the feature metadata have them, in column order."""
    terms = [
        Term(c.name, Component(c.name, ComponentKind.CONTROL), _SIGNS[c.sign])
        for c in metadata.controls
    ]
    trend = Component(TREND_COMPONENT, ComponentKind.TREND)
    if metadata.trend.has_line:
        terms.append(Term(TREND_COMPONENT, trend))
    terms += [
        Term(f"{TREND_COMPONENT}_{number}", trend, relative_sd=sd)
        for number, sd in enumerate(trend_relative_sds(metadata.trend), start=1)
    ]
    season = Component(SEASONALITY_COMPONENT, ComponentKind.SEASONALITY)
    terms += [Term(name, season) for name in fourier_names(metadata.harmonics)]
    names = [event.name for event in metadata.events]
    return terms + [Term(name, Component(name, ComponentKind.EVENT)) for name in names]


def linear_components(inputs: ModelInputs) -> list[Component]:
    """Components of the linear design, each once, in column order."""
    return list(dict.fromkeys(term.component for term in linear_terms(inputs)))


def terms_of(component: Component, inputs: ModelInputs) -> list[int]:
    """Column positions of one component's terms."""
    return [i for i, term in enumerate(linear_terms(inputs)) if term.component == component]


def linear_design(panel: xr.Dataset, inputs: ModelInputs) -> NDArray[np.float64]:
    """Values of the linear terms, ``(entity, term, date)``, over every period of the panel.

    Parameters
    ----------
    panel
        ``controls (entity, control, date)`` in their own units, and its dates.
    inputs
        Metadata that list the terms, and the scales of the controls.
    """
    metadata = inputs.metadata
    dates = pd.DatetimeIndex(panel[DATE_DIM].values)
    events = [event_column(event, dates.to_numpy(), metadata.grain) for event in metadata.events]
    common = np.concatenate(
        [
            _trend(dates, inputs),
            fourier_terms(dates, metadata.harmonics).T,
            np.array(events).reshape(len(events), len(dates)),
        ]
    )
    controls = scale_controls(carry_controls(panel, metadata.controls), inputs.scales)
    shared = np.broadcast_to(common, (panel.sizes[ENTITY_DIM], *common.shape))
    return np.concatenate([controls, shared], axis=1)


def linear_references(panel: xr.Dataset, inputs: ModelInputs) -> NDArray[np.float64]:
    """Values of the linear terms at which they contribute nothing, ``(entity, term)``.

    Controls have a reference of their own; trend, season and events count from zero.
    """
    scales = inputs.scales
    references = np.zeros((panel.sizes[ENTITY_DIM], len(linear_terms(inputs))))
    n_controls = len(inputs.metadata.controls)
    if n_controls and CONTROL_REFERENCE in scales:
        stated = scale_of_entities(scales, CONTROL_REFERENCE, panel)
        # All three are of the controls of the fit, so nothing need be aligned.
        mean, std = (scales.variables[f"control_{name}"] for name in ("mean", "std"))
        scaled = (stated.variable - mean) / std
        references[:, :n_controls] = scaled.transpose(ENTITY_DIM, CONTROL_DIM).to_numpy()
    return references


def referred_design(panel: xr.Dataset, inputs: ModelInputs) -> NDArray[np.float64]:
    """``linear_design`` less ``linear_references``: what the terms contribute by."""
    return linear_design(panel, inputs) - linear_references(panel, inputs)[:, :, None]


def _trend(dates: pd.DatetimeIndex, inputs: ModelInputs) -> NDArray[np.float64]:
    """Trend columns, ``(term, date)``, the straight line first where there is one."""
    metadata = inputs.metadata
    trend = metadata.trend
    position = periods_since(dates, metadata.first_period, metadata.grain)
    columns = trend_columns(position, trend)
    if not trend.has_line:
        return columns
    mean, std = float(inputs.scales["trend_mean"]), float(inputs.scales["trend_std"])
    return np.concatenate([standardized_trend(position, mean=mean, std=std)[None], columns])


def periods_since(dates: pd.DatetimeIndex, first_period: date, grain: Grain) -> NDArray[np.float64]:
    """Number of periods between the first period of the fit and each date.

    Parameters
    ----------
    dates
        First days of periods.
    first_period
        First day of the fit's first period.
    grain
        Length of a period; days and weeks are both counted in weeks, months in months.

    Returns
    -------
    NDArray
        ``(date,)``, negative before the fit.
    """
    first = pd.Timestamp(first_period)
    if grain is Grain.MONTH:
        months = (dates.year - first.year) * 12 + (dates.month - first.month)
        return np.asarray(months, dtype=float)
    return np.asarray((dates - first).days, dtype=float) / 7.0
