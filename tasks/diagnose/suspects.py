"""Which parameters a bad sampling run points at, and what each of them means to a marketer."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from schemas.names import BASELINE_COMPONENT, CHANNEL_DIM, ENTITY_DIM
from schemas.spec.gates import SamplingGates
from tasks.diagnose.convergence import Evidence, parameter_cells

MAX_SUSPECTS = 5
"""Components that are reported; what comes after them is seldom another cause."""
NOTABLE_SHIFT = 0.5
"""Standard deviations between divergent and all draws from which a parameter is worth naming."""
MIN_DIVERGENCES = 5
"""Fewer say nothing about where the sampler diverges."""
NOISE = "noise"

_TERM_DIM = "term"
_QUANTITIES = (
    ("adstock_", "carryover"),
    ("saturation_beta", "size of the effect"),
    ("saturation_", "saturation"),
    ("log_share", "size of the effect"),
    ("common_return", "return of media in general"),
    ("beta", "size of the effect"),
    ("sigma_beta", "size of the effects"),
    ("gamma", "coefficient"),
    ("media_curve", "drift of media over time"),
    ("level", "level"),
    ("intercept", "level"),
)
_NOISE_VARIABLES = ("y_sigma", "y_nu", "y_rho", "sigma", "nu")


class Suspect(NamedTuple):
    """A parameter that was sampled badly."""

    parameter: str
    variable: str
    component: str
    """Channel or term; ``baseline`` or ``noise`` for the rest."""
    is_channel: bool
    entity: str | None
    score: float
    """Multiple of what the gates allow; above 1 is bad."""
    numbers: str

    @property
    def quantity(self) -> str:
        """What the parameter is, in business words."""
        if self.variable in _NOISE_VARIABLES:
            return NOISE
        words = (word for prefix, word in _QUANTITIES if self.variable.startswith(prefix))
        return next(words, self.variable)


def find_suspects(
    evidence: Evidence, tree: xr.DataTree, gates: SamplingGates, *, channels: list[str]
) -> list[Suspect]:
    """Return the worst parameter of each component that was sampled badly, the worst first.

    Parameters
    ----------
    evidence
        What was measured on ``tree``.
    tree
        Groups ``posterior`` and ``sample_stats``.
    gates
        Limits that say what is bad.
    channels
        Names of all channels.
    """
    shifts = divergence_shifts(tree)
    found: dict[tuple[str, str], Suspect] = {}
    for suspect in _all(evidence, tree["posterior"].to_dataset(), shifts, gates, channels):
        key = (suspect.component, suspect.entity or "")
        if suspect.score > 1 and suspect.score > (found[key].score if key in found else 0):
            found[key] = suspect
    ranked = sorted(found.values(), key=lambda s: -s.score)
    first: dict[str, Suspect] = {}
    for suspect in ranked:
        first.setdefault(suspect.component, suspect)
    return list(first.values())[:MAX_SUSPECTS]


def divergence_shifts(tree: xr.DataTree) -> dict[str, float]:
    """Return how far each parameter's mean moves where the sampler diverges, in its deviations.

    Empty with fewer than ``MIN_DIVERGENCES`` divergent draws: they would say nothing.
    """
    diverging = tree["sample_stats"]["diverging"].to_numpy().astype(bool)
    if diverging.sum() < MIN_DIVERGENCES or diverging.all():
        return {}
    shifts = {}
    for name, variable in tree["posterior"].to_dataset().data_vars.items():
        draws = variable.transpose("chain", "draw", ...).to_numpy()
        spread = draws.std(axis=(0, 1))
        moved = np.abs(draws[diverging].mean(axis=0) - draws.mean(axis=(0, 1)))
        relative = np.divide(moved, spread, out=np.zeros_like(moved), where=spread > 0)
        for key, position, _ in parameter_cells(str(name), variable):
            shifts[key] = float(relative[position])
    return shifts


def _all(
    evidence: Evidence,
    posterior: xr.Dataset,
    shifts: Mapping[str, float],
    gates: SamplingGates,
    channels: list[str],
) -> Iterator[Suspect]:
    for name, variable in posterior.data_vars.items():
        for key, _, labels in parameter_cells(str(name), variable):
            row = evidence.parameters.get(key)
            if row is None:
                continue
            shift = shifts.get(key, 0.0)
            component = _component(str(name), labels)
            yield Suspect(
                parameter=key,
                variable=str(name),
                component=component,
                is_channel=component in channels,
                entity=labels.get(ENTITY_DIM),
                score=_score(row, shift, gates),
                numbers=_numbers(row, shift),
            )


def _component(variable: str, labels: Mapping[str, str]) -> str:
    for dim, label in labels.items():
        if dim in (CHANNEL_DIM, _TERM_DIM) or dim.endswith(f"_{CHANNEL_DIM}"):
            return label
    return NOISE if variable in _NOISE_VARIABLES else BASELINE_COMPONENT


def _score(row: Mapping[str, float | None], shift: float, gates: SamplingGates) -> float:
    r_hat, bulk, tail = (row.get(name) for name in ("r_hat", "ess_bulk", "ess_tail"))
    if r_hat is None or bulk is None or tail is None:
        return float("inf")
    excess = (r_hat - 1) / (gates.r_hat_review - 1)
    return max(excess, gates.ess_review / max(min(bulk, tail), 1.0), shift / NOTABLE_SHIFT)


def _numbers(row: Mapping[str, float | None], shift: float) -> str:
    r_hat, bulk, tail = (row.get(name) for name in ("r_hat", "ess_bulk", "ess_tail"))
    if r_hat is None or bulk is None or tail is None:
        return "its draws do not vary"
    reported = f"R-hat {r_hat:.3g}, ESS {min(bulk, tail):.0f}"
    if shift < NOTABLE_SHIFT:
        return reported
    return f"{reported}, {shift:.1f} standard deviations off where the sampler diverges"
