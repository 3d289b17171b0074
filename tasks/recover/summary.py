"""From scores of single refits to one answer per channel."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from schemas.answers.recovery import (
    AdviceRecovery,
    Answer,
    BestExperiment,
    ChannelRecovery,
    ChannelScore,
    ExperimentValue,
    KindRecovery,
    WorldKind,
    WorldScore,
)
from schemas.outcomes import Verdict
from tasks.recover.truth import TrueGain

CLEAR_WIDTH, ROUGH_WIDTH = 1.0, 2.0
"""Widths of an interval over the truth up to which a channel is known, or known roughly: 1 is half
as much to half as much again."""
CLEAR_BIAS, ROUGH_BIAS = 0.25, 0.5
"""Biases up to which it is."""


class ScoredWorld(NamedTuple):
    """One refit of a simulated KPI."""

    kind: WorldKind
    silent: Sequence[str]
    score: WorldScore


class JudgedAdvice(NamedTuple):
    """The plan of one refit against the truth."""

    follows: bool
    gain: TrueGain
    kpi: float
    """Of as many periods, in the unit of the gain."""


def summarize_channel(name: str, worlds: Sequence[ScoredWorld]) -> ChannelRecovery:
    """Summarize one channel over all refits.

    Parameters
    ----------
    name
        The channel.
    worlds
        All refits.
    """
    active = [w for w in worlds if name not in w.silent]
    like = [w.score.channels[name] for w in active if w.kind is WorldKind.AS_ASSUMED]
    unlike = [w.score.channels[name] for w in active if w.kind is not WorldKind.AS_ASSUMED]
    silent = [w.score.channels[name] for w in worlds if name in w.silent]
    every = [w.score.channels[name] for w in active]
    bias, width = _bias(like), _median_width(like)
    return ChannelRecovery(
        answer=_answer(bias, width),
        n_effect=len(every),
        n_like=len(like),
        n_silent=len(silent),
        bias=bias,
        coverage=_share([_holds(s) for s in like]),
        coverage_unlike=_share([_holds(s) for s in unlike]),
        width=width,
        found=_share([s.shows_effect for s in every]),
        false_effect=_share([s.shows_effect for s in silent]),
        collinearity=_median([s.collinearity for s in every if s.collinearity is not None]),
        experiment=_best_test(every),
    )


def summarize_kind(kind: WorldKind, worlds: Sequence[ScoredWorld]) -> KindRecovery:
    """Summarize all refits of one kind of world.

    Parameters
    ----------
    kind
        The kind.
    worlds
        All refits, those of other kinds too.
    """
    own = [w for w in worlds if w.kind is kind]
    active = [s for w in own for n, s in w.score.channels.items() if n not in w.silent]
    every = [s for w in own for s in w.score.channels.values()]
    return KindRecovery(
        kind=kind,
        n=len(own),
        coverage=_share([_holds(s) for s in active]),
        bias=_bias(every),
        confident_wrong=_share([not _holds(s) and not s.is_flagged for s in every]),
        n_accepted=sum(w.score.verdict is Verdict.PASS for w in own),
    )


def summarize_advice(judged: Sequence[JudgedAdvice]) -> AdviceRecovery | None:
    """Summarize what plans would have done; None without any.

    Parameters
    ----------
    judged
        The plans of all refits.
    """
    if not judged:
        return None
    followed = [one for one in judged if one.follows]
    return AdviceRecovery(
        n=len(judged),
        n_followed=len(followed),
        n_losing=sum(one.gain.gain < 0 for one in followed),
        gain=_mean([one.gain.gain / one.kpi for one in followed]),
        regret=float(np.mean([one.gain.regret / one.kpi for one in judged])),
    )


def choose_experiment(
    channels: dict[str, ChannelRecovery], worlds: Sequence[ScoredWorld]
) -> BestExperiment | None:
    """Choose the lift test that takes most off the intervals, in KPI units; None without any.

    Parameters
    ----------
    channels
        From ``summarize_channel``.
    worlds
        All refits.
    """
    best, most = None, 0.0
    for name, row in channels.items():
        if row.experiment is None:
            continue
        widths = [w.score.channels[name].high - w.score.channels[name].low for w in worlds]
        taken = float(np.median(widths)) * (1 - row.experiment.width_left)
        if taken > most:
            best, most = BestExperiment(channel=name, value=row.experiment), taken
    return best


def _answer(bias: float | None, width: float | None) -> Answer:
    if bias is None or width is None:
        return Answer.NO
    if width <= CLEAR_WIDTH and abs(bias) <= CLEAR_BIAS:
        return Answer.YES
    return Answer.ROUGHLY if width <= ROUGH_WIDTH and abs(bias) <= ROUGH_BIAS else Answer.NO


def _holds(score: ChannelScore) -> bool:
    return score.low <= score.truth <= score.high


def _bias(scores: Sequence[ChannelScore]) -> float | None:
    truth = sum(s.truth for s in scores)
    return sum(s.mean for s in scores) / truth - 1 if truth else None


def _median_width(scores: Sequence[ChannelScore]) -> float | None:
    return _median([(s.high - s.low) / abs(s.truth) for s in scores if s.truth])


def _best_test(scores: Sequence[ChannelScore]) -> ExperimentValue | None:
    """Medians over the refits, of the length that leaves the narrowest interval."""
    lengths = sorted({e.periods for s in scores for e in s.experiments})
    found = []
    for length in lengths:
        rows = [e for s in scores for e in s.experiments if e.periods == length]
        reachable = [e.needed_error for e in rows if e.needed_error is not None]
        often = len(reachable) > len(rows) / 2
        found.append(
            ExperimentValue(
                periods=length,
                lift=float(np.median([e.lift for e in rows])),
                standard_error=float(np.median([e.standard_error for e in rows])),
                width_left=float(np.median([e.width_left for e in rows])),
                needed_error=float(np.median(reachable)) if often else None,
            )
        )
    return min(found, key=lambda e: e.width_left, default=None)


def _share(hits: Sequence[bool]) -> float | None:
    return float(np.mean(hits)) if hits else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None
