"""Refuse, before any sampling, what a spec asks of a history that cannot report it.

Belongs here: terms of the linear design that the fitted window does not identify by its shape.
Does not: judging the data themselves (``tasks.validate``), the spec against itself (``schemas``).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.documents.features import EventDays, FeatureMetadata
from schemas.errors import SpecError
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.mathematics.events import event_column
from tasks.models.linear import describe_terms


def require_feasible(metadata: FeatureMetadata, fitted: pd.DatetimeIndex) -> None:
    """Raise if a linear term cannot be learned from the fitted periods.

    Parameters
    ----------
    metadata
        With trend and events as they are fixed.
    fitted
        Starts of the fitted periods.

    Raises
    ------
    SpecError
        With every term that is not feasible, its key, the reason and what to write instead.
    """
    grain = metadata.grain
    problems = [
        *_ambiguous_names(metadata),
        *_unseen_seasons(metadata.harmonics, len(fitted), PERIODS_PER_YEAR[grain]),
    ]
    if metadata.non_negative_baseline and metadata.has_negative_kpi:
        problems.append(
            "model.non_negative_baseline holds the baseline at zero or above, but the KPI itself "
            "is negative in fitted periods; leave it out"
        )
    for event in metadata.events:
        problems += _unseen_event(event, event_column(event, fitted.to_numpy(), grain), fitted)
    if problems:
        raise SpecError(
            "The spec asks for what this history cannot report:\n"
            + "\n".join(f"- {p}" for p in problems),
            problems,
        )


def require_rectangle(metadata: FeatureMetadata) -> None:
    """Raise if a kind that needs every period of every entity lacks some.

    Parameters
    ----------
    metadata
        With the kind, and whether the panel is ragged.

    Raises
    ------
    SpecError
        With the kind and what to write instead.
    """
    if metadata.is_ragged:
        raise SpecError(
            f"Entities do not cover the same periods, and kind {metadata.model_kind} needs that "
            "they do; set model.kind to mmm, which fits each entity on what it has, or level to "
            "brand."
        )


def _ambiguous_names(metadata: FeatureMetadata) -> list[str]:
    names = [term.name for term in describe_terms(metadata)]
    names += metadata.channel_names
    return [
        f"model.events: event {event.name!r} has the name of another term or channel; rename it"
        for event in metadata.events
        if names.count(event.name) > 1
    ]


def _unseen_seasons(harmonics: int, n_fitted: int, per_year: int) -> list[str]:
    if not harmonics:
        return []
    if n_fitted < per_year:
        return [
            f"model.yearly_seasonality = {harmonics} needs a full year of {per_year} fitted "
            f"periods, there are {n_fitted}; set it to 0, or fit more history"
        ]
    if 2 * harmonics >= per_year:
        return [
            f"model.yearly_seasonality = {harmonics} needs more than {2 * harmonics} periods a "
            f"year, there are {per_year}; write {(per_year - 1) // 2} or fewer"
        ]
    return []


def _unseen_event(
    event: EventDays, column: NDArray[np.float64], fitted: pd.DatetimeIndex
) -> list[str]:
    named = f"model.events: event {event.name!r}"
    if not column.any():
        return [
            f"{named} has no day in the fitted periods {fitted[0]:%Y-%m-%d} to "
            f"{fitted[-1]:%Y-%m-%d}; leave it out until it has been seen, or fit more history"
        ]
    if column.min() == column.max():
        return [
            f"{named} covers every fitted period alike and cannot be told from the baseline; "
            "leave it out"
        ]
    return []
