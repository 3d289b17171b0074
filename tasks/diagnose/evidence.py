"""Whether the data show that a channel works at all.

A fit with a channel is weighed against the same fit without it, from the draws at hand:

    ratio = 1 / mean over posterior draws of
        likelihood without the channel / likelihood with it, all other parameters as drawn

The harmonic mean is a deliberate choice. Over infinitely many draws it is the Bayes factor against
no effect (Newton & Raftery 1994); over thousands it is that of a prior cut to where the posterior
has draws, so that a wide prior costs a channel nothing. It is therefore judged by how often it errs
and not by the scale of Bayes factors: ``benchmarks/worlds.py`` counts how often it finds an effect
where there is none. The level of the KPI stays: a channel that is left out takes its mean into the
baseline, so that only its ups and downs are evidence.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from schemas.documents.effects import EvidenceClass, WeighedEvidence
from schemas.names import ComponentKind
from tasks.mathematics.panel import observed_of
from tasks.models.contract import FittedModel

Array = NDArray[np.float64]


SENTENCES: Mapping[EvidenceClass, str] = {
    EvidenceClass.EFFECT: "the data show an effect",
    EvidenceClass.UNCLEAR: "no effect can be told from none",
    EvidenceClass.CONFOUNDED: "its effect cannot be told from demand that its spend may follow",
}
_MOST_WITHOUT = 0.05
"""Share of resampled fits without an effect, from which on it cannot be told from none."""


class ChannelEvidence(NamedTuple):
    """How much likelier the data are with a channel than without it."""

    log_ratio: float | None
    """Natural logarithm; near 0 or below where the data do not need the channel. None where there
    is no prior to weigh against."""
    found: EvidenceClass

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        return SENTENCES[self.found]


def weigh_evidence(
    model: FittedModel, panel: xr.Dataset, window: NDArray[np.bool_], *, least: float
) -> dict[str, ChannelEvidence]:
    """Weigh every channel.

    Parameters
    ----------
    model
        The fitted model.
    panel
        Panel with its carryover window.
    window
        Fitted periods, ``(date,)``.
    least
        Ratio from which the data are said to show an effect.

    Returns
    -------
    dict
        By channel.
    """
    everywhere = model.expected(panel)
    with_it = _log_likelihood(model, panel, everywhere, window)
    found = {}
    for name in (c.name for c in model.components if c.kind is ComponentKind.CHANNEL):
        left = _leave_out(
            everywhere,
            model.incremental(name, panel),
            window,
            observed_of(panel),
            additive=model.additive,
        )
        without = _log_likelihood(model, panel, left, window)
        value = float(np.log(len(without)) - logsumexp(without - with_it))
        shown = EvidenceClass.EFFECT if value >= np.log(least) else EvidenceClass.UNCLEAR
        found[name] = ChannelEvidence(value, shown)
    return found


def count_effects(
    model: FittedModel, panel: xr.Dataset, window: NDArray[np.bool_]
) -> dict[str, ChannelEvidence]:
    """Say of every channel of a kind without priors whether its resampled fits have an effect.

    There is no likelihood ratio: draws of a bootstrap are no posterior. A channel shows an effect
    where at most one in twenty of them leaves it without one or with one of the other sign.

    Parameters
    ----------
    model, panel, window
        As ``weigh_evidence`` takes them.

    Returns
    -------
    dict
        By channel.
    """
    found = {}
    for name in (c.name for c in model.components if c.kind is ComponentKind.CHANNEL):
        sizes = model.incremental(name, panel)[..., window].sum(axis=(1, 2))
        without = 1 - max(float((sizes > 0).mean()), float((sizes < 0).mean()))
        shown = without <= _MOST_WITHOUT
        found[name] = ChannelEvidence(
            None, EvidenceClass.EFFECT if shown else EvidenceClass.UNCLEAR
        )
    return found


def mark_confounded(
    evidence: Mapping[str, ChannelEvidence], names: Collection[str]
) -> dict[str, ChannelEvidence]:
    """Return the evidence where an effect of these channels may be demand's."""
    return {
        name: found._replace(found=EvidenceClass.CONFOUNDED)
        if name in names and found.found is EvidenceClass.EFFECT
        else found
        for name, found in evidence.items()
    }


def _leave_out(
    expected: Array,
    part: Array,
    window: NDArray[np.bool_],
    observed: NDArray[np.bool_],
    *,
    additive: bool,
) -> Array:
    """Expected KPI without a channel's ups and downs, its mean over the fitted periods as it was.

    Where components multiply, the mean is kept by a factor: what is left stays positive.
    """
    if additive:
        n_open = observed[:, window].sum(axis=-1)[:, None]
        mean = part[..., window].sum(axis=-1, keepdims=True) / n_open
        return np.asarray(expected - part + np.where(observed, mean, 0.0))
    left = expected - part
    mean, left_mean = (v[..., window].mean(axis=-1, keepdims=True) for v in (expected, left))
    return np.asarray(left * mean / left_mean)


def _log_likelihood(
    model: FittedModel, panel: xr.Dataset, expected: Array, window: NDArray[np.bool_]
) -> Array:
    """Log likelihood of every draw, ``(sample,)``."""
    cells = model.log_likelihood(panel, expected)[:, :, window]
    return np.asarray(cells[:, observed_of(panel)[:, window]].sum(axis=1))


def evidence_rows(
    evidence: Mapping[str, ChannelEvidence], decided: Mapping[str, float]
) -> dict[str, WeighedEvidence]:
    """Return what is published of each channel.

    Parameters
    ----------
    evidence
        From ``weigh_evidence``.
    decided
        Contraction of each channel, from ``identifiability.contraction``; none without priors.

    Returns
    -------
    dict
        Per channel ``evidence`` (class), ``evidence_sentence``, ``log10_likelihood_ratio`` and
        ``prior_elasticity``: the share of a shift of its prior that the result goes along with.
        The two are null of a kind without priors.
    """
    return {
        name: WeighedEvidence(
            evidence=found.found,
            evidence_sentence=found.sentence,
            log10_likelihood_ratio=_over_log10(found.log_ratio),
            prior_elasticity=1 - decided[name] if name in decided else None,
        )
        for name, found in evidence.items()
    }


def _over_log10(log_ratio: float | None) -> float | None:
    return None if log_ratio is None else log_ratio / float(np.log(10))
