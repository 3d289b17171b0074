"""What carryover and curves of a fit say against what was assumed of them before the data.

Where effects last for months, a smooth contribution looks like the baseline, and how much media
brought depends on how long one thinks that they last. Where curves are S-shaped, slopes go as far
as their prior lets them. Neither shows in residuals (``benchmarks/detectors.py``); both show in the
draws.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import ChannelFeatures
from schemas.names import SAMPLE_DIM, ComponentKind
from schemas.spec.channels import Carryover, SaturationKind, Slope
from schemas.words import format_share
from tasks.mathematics.carryover import RETENTION_PRIOR
from tasks.mathematics.saturation import SATURATIONS
from tasks.models.contract import FittedModel

Array = NDArray[np.float64]
_RETENTION, _SLOPE = "adstock_alpha", "saturation_slope"
"""Published names; a fit without learned carryover or without Hill curves lacks them."""
MAX_CARRYOVER_SHIFT = 0.1
"""Share by which the contribution of all media would grow, were long carryover as likely as short.
No plain world exceeded 0.05, nor one of ten channels 0.09 (``benchmarks/worlds.py``, seeds from
1000 on, on which it was chosen)."""
MAX_SLOPE_DEVIATION = 1.7
"""Prior standard deviations of a slope's logarithm that its posterior mean may lie above. No world
but the S-shaped ones exceeded 1.31 there, and all of these 2.0."""


class ShapeEvidence(NamedTuple):
    """How far results go along with assumptions on carryover, and curves against theirs."""

    carryover: Mapping[str, float]
    """By channel: growth of its contribution, as a share of that of all media, to first order."""
    slopes: Mapping[str, float]
    """By channel: posterior mean of the logarithm of its slope, in prior standard deviations above
    the prior mean."""

    @property
    def carryover_shift(self) -> float:
        """Share by which the contribution of all media would grow."""
        return sum(self.carryover.values())


def measure_shapes(
    model: FittedModel,
    panel: xr.Dataset,
    window: NDArray[np.bool_],
    channels: Sequence[ChannelFeatures] = (),
) -> ShapeEvidence:
    """Hold the draws of carryover and curves against their priors.

    The prior of a retention is Beta(1, 2), whose ratio to a uniform one falls as ``1 - alpha``. So
    the growth under the uniform one is, to first order, the covariance of the contribution with
    ``-log(1 - alpha)`` summed over channels (local sensitivity, Gustafson 1996).

    Parameters
    ----------
    model
        The fitted model, of a kind with priors.
    panel, window
        What it was fitted to, and its fitted periods ``(date,)``.
    channels
        What each channel was fitted with; one whose carryover was taken as long does not rest on
        the assumption that it is short.
    """
    long = [c.name for c in channels if c.adstock and c.adstock.carryover is Carryover.LONG]
    steep = [c.name for c in channels if c.saturation and c.saturation.slope is Slope.STEEP]
    return ShapeEvidence(_carryover(model, panel, window, long), _slopes(model.draws, steep))


def note_shapes(evidence: ShapeEvidence) -> list[str]:
    """Return a note on carryover that the data do not decide, and one on curves that are S-shaped.

    Parameters
    ----------
    evidence
        From ``measure_shapes``.
    """
    notes = []
    if evidence.carryover_shift > MAX_CARRYOVER_SHIFT:
        most = max(evidence.carryover, key=lambda name: evidence.carryover[name])
        notes.append(
            "carryover_assumed: how long effects last is not decided by the data. Were months as "
            f"likely as days, all media would have brought {format_share(evidence.carryover_shift)}"
            f" more, most of it {most}: returns may be too low. A lift test that is measured until "
            "its effect has ended tells."
        )
    steep = [n for n, value in evidence.slopes.items() if value > MAX_SLOPE_DEVIATION]
    if steep:
        notes.append(
            f"steep_curve: the effect of {', '.join(steep)} rises more steeply than was held "
            "likely: little spend may bring next to nothing, and totals may be too high. A lift "
            "test at low spend tells."
        )
    return notes


def _carryover(
    model: FittedModel, panel: xr.Dataset, window: NDArray[np.bool_], long: Collection[str]
) -> Mapping[str, float]:
    if _RETENTION not in model.draws or not RETENTION_PRIOR.second > 1:
        return {}
    draws = model.draws[_RETENTION]
    short = [name not in long for name in _names(draws)]
    longer = -np.log1p(-_samples(draws)[:, short]).sum(axis=1)
    brought = {
        component.name: model.contribution(component, panel)[..., window].sum(axis=(1, 2))
        for component in model.components
        if component.kind is ComponentKind.CHANNEL
    }
    together = float(np.mean(sum(brought.values())))
    if together <= 0:
        return {}
    excess = (RETENTION_PRIOR.second - 1) * (longer - longer.mean())
    return {name: float((draws * excess).mean()) / together for name, draws in brought.items()}


def _slopes(draws: xr.Dataset, steep: Collection[str]) -> Mapping[str, float]:
    if _SLOPE not in draws:
        return {}
    names, hill = _names(draws[_SLOPE]), SATURATIONS[SaturationKind.HILL]
    logs = np.log(_samples(draws[_SLOPE])).mean(axis=0)
    away = {}
    for name, log_slope in zip(names, logs, strict=True):
        prior = hill.priors_of(Slope.STEEP if name in steep else Slope.MODERATE)["slope"]
        away[name] = float((log_slope - prior.first) / prior.second)
    return away


def _names(values: xr.DataArray) -> list[str]:
    """Channels that have a parameter."""
    (channel,) = set(values.dims) - {"chain", "draw"}
    return [str(name) for name in values[channel].values]


def _samples(values: xr.DataArray) -> Array:
    """Draws of one parameter of channels, ``(sample, channel)``, chains one after the other."""
    stacked = values.stack({SAMPLE_DIM: ("chain", "draw")})
    return np.asarray(stacked.transpose(SAMPLE_DIM, ...).to_numpy())
