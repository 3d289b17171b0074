"""What a recovery check of the same spec found: whether a known truth is found on these media.

A fit says how sure it is; KPIs that were simulated on the real media, with effects that are known,
say whether to believe it. Where the model holds, an interval of 94 % has to hold the truth about as
often; where it does not, the reader is told before a plan is followed.
"""

from collections.abc import Mapping

import numpy as np
from scipy.stats import binom

from schemas.answers.recovery import Answer, ChannelRecovery, RecoveryReport, WorldKind
from schemas.names import HDI_PROB
from schemas.outcomes import GateOutcome
from schemas.words import format_share
from tasks.mathematics.judging import judge_at_least

GATE = "recovered_coverage"
LEAST_REFITS = 5
"""Refits of a channel below which a share of them says nothing."""
FALSE_ALARMS = 0.05
"""Share of sound specs that are called, over all channels together."""


def judge_recovery(report: RecoveryReport) -> list[GateOutcome]:
    """Judge how often intervals held the truth where the model holds; nothing with few refits.

    The limit is what chance leaves of 94 %: the more refits, the closer. A REVIEW at worst.

    Parameters
    ----------
    report
        The newest recovery check of the fit's own spec.
    """
    counted = {n: c for n, c in report.channels.items() if c.n_like >= LEAST_REFITS}
    if not counted:
        return []
    limits = _limits(counted)
    short = {name: (row.coverage or 0.0) - limits[name] for name, row in counted.items()}
    worst = min(short, key=lambda name: short[name])
    missed = [name for name, by in short.items() if by < 0]
    remedy = (
        f"In KPIs with known truth, simulated on these media to {report.last_period}, the 94 % "
        "intervals of this spec miss the truth more often than chance would have it. Do not go by "
        "them: run a lift test (lift_tests), or change priors or model, and check again with "
        "`mmm recover`."
    )
    observed = counted[worst].coverage or 0.0
    pair = (limits[worst], -np.inf)
    return [judge_at_least(GATE, observed, pair, remedy, where=", ".join(missed))]


def note_recovery(report: RecoveryReport) -> str:
    """Say in a sentence what the check found of every channel, and of worlds unlike the model."""
    found = {
        answer: [n for n, c in report.channels.items() if c.bias is not None and c.answer is answer]
        for answer in Answer
    }
    said = [
        f"{words} {', '.join(found[answer])}"
        for answer, words in (
            (Answer.YES, "finds what is brought by"),
            (Answer.ROUGHLY, "finds roughly what is brought by"),
            (Answer.NO, "does not find what is brought by"),
        )
        if found[answer]
    ]
    finding = "; ".join(said) or "was given no effect to find"
    return (
        f"recovery: on KPIs with known truth ({report.n_worlds}, on these media to "
        f"{report.last_period}) this spec {finding}.{_unlike(report)}"
    )


def _limits(counted: Mapping[str, ChannelRecovery]) -> dict[str, float]:
    """Share of a channel's refits that a sound interval holds, but for false alarms."""
    rate = FALSE_ALARMS / len(counted)
    return {
        name: float(binom.ppf(rate, c.n_like, HDI_PROB)) / c.n_like for name, c in counted.items()
    }


def _unlike(report: RecoveryReport) -> str:
    other = [
        k for k in report.kinds if k.kind is not WorldKind.AS_ASSUMED and k.coverage is not None
    ]
    if not other:
        return ""
    held = sum((k.coverage or 0.0) * k.n for k in other) / sum(k.n for k in other)
    return f" Where a KPI was unlike the model, intervals held the truth in {format_share(held)}."
