"""Which channels rise and fall with all others and with the KPI: demand may be behind both.

Where budgets follow demand, spend and KPI go up together whoever causes what, and no regression on
these data can tell a channel's effect from demand: whatever the channels have in common is split
between them as if they had caused it. That shows in spend alone. Beyond what repeats every year,
channels that are planned on their own move on their own; those that follow something move with the
others. What is found says that the data cannot tell, not that spend follows demand: channels that
are turned up and down together for any other reason look the same. One channel alone that follows
demand is not found.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, CONTROL_DIM, DATE_DIM, ENTITY_DIM
from schemas.outcomes import GateOutcome
from schemas.spec.channels import ChannelKind
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.mathematics.judging import judge_at_most
from tasks.mathematics.panel import estimation_window, observed_of

Array = NDArray[np.float64]

LEAST_WITH_KPI = 0.2
"""A correlation with the KPI from which a channel moves along with it."""
LEAST_PERIODS = {52: 40, 12: 18}
"""Changes against the year before that a correlation needs, by periods of a year."""
_OFFSET = 0.05
"""Share of mean input that is added before the logarithm, so that pauses have one."""


class CommonMovement(NamedTuple):
    """How one channel's input moves, beyond what repeats every year."""

    with_others: float
    """Correlation with the mean of the other channels."""
    with_kpi: float
    """Correlation with the KPI."""

    def exceeds(self, limit: float) -> bool:
        """Whether the channel moves with all others and with the KPI."""
        return self.with_others > limit and self.with_kpi > LEAST_WITH_KPI


def measure_movement(panel: xr.Dataset, metadata: FeatureMetadata) -> dict[str, CommonMovement]:
    """Measure how every channel moves with the others and with the KPI.

    Parameters
    ----------
    panel
        Panel of the fit; its fitted periods count.
    metadata
        Says which channels are the company's own, and how long a period is.

    Returns
    -------
    dict
        By channel, of logarithms less those of a year before, controls taken out; empty where
        there are fewer than two channels or too short a history.
    """
    fitted, year = estimation_window(panel), PERIODS_PER_YEAR[metadata.grain]
    own = [c.name for c in metadata.channels if c.kind is not ChannelKind.COMPETITOR]
    rows = _yearly_changes(fitted, own, year)
    if len(own) < 2 or rows is None:
        return {}
    kpi, media, controls = rows
    kpi, media = _without(controls, kpi[None])[0], _without(controls, media)
    moves = media.std(axis=1) > 0
    media = media / np.where(moves, media.std(axis=1), 1.0)[:, None]
    found = {}
    for index, name in enumerate(own):
        others = [place for place in np.flatnonzero(moves) if place != index]
        if moves[index] and others and kpi.std() > 0:
            rest = media[others].mean(axis=0)
            found[name] = CommonMovement(
                _correlation(media[index], rest), _correlation(media[index], kpi)
            )
    return found


def confounded(
    movement: Mapping[str, CommonMovement], gates: FitGates, tests: Sequence[LiftTest]
) -> list[str]:
    """Channels whose effect cannot be told from demand; those with a lift test are not among them.

    Parameters
    ----------
    movement
        From ``measure_movement``.
    gates
        Limit of the correlation with the other channels.
    tests
        Experiments of the fit.
    """
    tested = {test.channel for test in tests}
    return [
        name
        for name, moved in movement.items()
        if moved.exceeds(gates.max_common_movement) and name not in tested
    ]


def judge_movement(
    movement: Mapping[str, CommonMovement], gates: FitGates, tests: Sequence[LiftTest]
) -> list[GateOutcome]:
    """Judge the largest correlation among channels that could be confounded."""
    found = confounded(movement, gates, tests)
    if not movement:
        return []
    worst = max((movement[name].with_others for name in found), default=0.0)
    remedy = (
        "They rise and fall together, and the KPI with them, beyond what repeats every year. If "
        "spend follows demand, their returns are too high, and these data cannot tell. Run a lift "
        "test on the largest of them (lift_tests), or add what drives demand as a control."
    )
    limits = (gates.max_common_movement, np.inf)
    return [judge_at_most("common_movement", worst, limits, remedy, where=", ".join(found))]


def _yearly_changes(
    fitted: xr.Dataset, names: Sequence[str], year: int
) -> tuple[Array, Array, Array] | None:
    """Changes of KPI ``(row,)``, media and controls ``(name, row)`` against a year before.

    Rows are periods of all entities, the mean of each entity taken out; None where a correlation
    would be worth nothing.
    """
    observed = observed_of(fitted)
    both = observed[:, year:] & observed[:, :-year] if observed.shape[1] > year else observed[:, :0]
    if both.sum(axis=1).max(initial=0) < LEAST_PERIODS[year]:
        return None
    kpi = fitted["kpi"].transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    chosen = fitted["media"].sel({CHANNEL_DIM: list(names)})
    media = chosen.transpose(CHANNEL_DIM, ENTITY_DIM, DATE_DIM).to_numpy()
    controls = fitted["controls"].transpose(CONTROL_DIM, ENTITY_DIM, DATE_DIM).to_numpy()
    level = media.mean(axis=-1, keepdims=True)
    logs = np.log(np.maximum(media, 0) + np.where(level > 0, _OFFSET * level, 1.0))
    return (
        _centered(kpi[None], both, year)[0],
        _centered(logs, both, year),
        _centered(controls, both, year),
    )


def _centered(values: Array, both: NDArray[np.bool_], year: int) -> Array:
    """Yearly changes ``(name, row)`` less the mean of each entity, over its standard deviation."""
    parts = [np.zeros((len(values), 0))]
    for entity, known in enumerate(both):
        if known.sum() < LEAST_PERIODS[year]:
            continue
        change = (values[:, entity, year:] - values[:, entity, :-year])[:, known]
        change = change - change.mean(axis=1, keepdims=True)
        size = change.std(axis=1, keepdims=True)
        parts.append(change / np.where(size > 0, size, 1.0))
    return np.concatenate(parts, axis=1)


def _without(controls: Array, values: Array) -> Array:
    """Take out of ``(name, row)`` what a regression on controls explains."""
    if not len(controls):
        return values
    fitted = np.linalg.lstsq(controls.T, values.T, rcond=None)[0]
    return np.asarray(values - (controls.T @ fitted).T)


def _correlation(a: Array, b: Array) -> float:
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / size) if size > 0 else 0.0
