"""Why a fit was not sampled well: the likely cause of each bad parameter, and what to do.

Belongs here: holding the worst parameters against the data that should decide them.
Does not: which parameters are the worst (``suspects``), what is tried next (``tasks.fit``).
A cause is only reported with its evidence; where nothing explains a parameter, that is reported.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

import numpy as np

from tasks.diagnose.facts import Facts
from tasks.diagnose.lift_conflict import is_agreed
from tasks.diagnose.suspects import Suspect
from tasks.mathematics.collinearity import variance_inflation

CLOSE_CORRELATION = 0.9
"""Two regressors closer than this share their effect at will (a variance inflation of 5)."""
RARE_SHARE = 0.05
SMALL_SPEND_SHARE = 0.01
LITTLE_VARIATION = 0.1
"""Standard deviation over mean."""
NARROW_RATIO = 2.0
"""Ends of the middle 80 % of a channel's input; a curve cannot be seen on less than a doubling."""


class CauseKind(StrEnum):
    """What makes a parameter hard to sample."""

    LIFT_CONFLICT = "lift_conflict"
    COLLINEAR = "collinear"
    RARELY_ON = "rarely_on"
    LITTLE_SPEND = "little_spend"
    LITTLE_VARIATION = "little_variation"
    SATURATION_UNSEEN = "saturation_unseen"
    FEW_ROWS = "few_rows"
    OUTLIER = "outlier"
    UNEXPLAINED = "unexplained"


class Cause(NamedTuple):
    """One bad parameter with what probably makes it so."""

    parameter: str
    """Empty where no single parameter stands out."""
    channel: str
    """Channel, or another component of the KPI."""
    cause: CauseKind
    evidence: str
    remedy: str

    @property
    def sentence(self) -> str:
        """Evidence and remedy as one line of text."""
        return f"{self.evidence} {self.remedy}"


class Told(NamedTuple):
    """What a rule says of one component."""

    cause: CauseKind
    evidence: str
    remedy: str


def find_causes(suspects: Sequence[Suspect], facts: Facts) -> list[Cause]:
    """Return the likeliest cause for each suspect, in their order.

    Parameters
    ----------
    suspects
        Parameters that were sampled badly; none where the sampler as a whole is at fault.
    facts
        From ``facts.collect_facts``.
    """
    if not suspects:
        reported = next(_general(facts), _unexplained("No single parameter stands out"))
        return [Cause("", "", reported.cause, reported.evidence, reported.remedy)]
    causes: list[Cause] = []
    for suspect in suspects:
        found = chain(_explanations(suspect, facts), _general(facts))
        reported = next(found, _unexplained("Nothing that was looked at explains it"))
        causes.append(
            Cause(
                suspect.parameter,
                suspect.component,
                reported.cause,
                f"{_headline(suspect)}: {suspect.numbers}. {reported.evidence}",
                reported.remedy,
            )
        )
    return causes


def _headline(suspect: Suspect) -> str:
    where = f" in {suspect.entity}" if suspect.entity else ""
    if suspect.quantity in (suspect.component, "level"):
        return f"{suspect.component.capitalize()}{where} ({suspect.parameter})"
    return f"{suspect.component}{where}, {suspect.quantity} ({suspect.parameter})"


def _explanations(suspect: Suspect, facts: Facts) -> Iterator[Told]:
    rules = _CHANNEL_RULES if suspect.is_channel else (_collinear,)
    return (
        reported for reported in (rule(suspect, facts) for rule in rules) if reported is not None
    )


def _lift_conflict(suspect: Suspect, facts: Facts) -> Told | None:
    for lift in facts.lifts:
        if lift.test.channel == suspect.component and not is_agreed(lift, facts.gates.fit):
            return Told(
                CauseKind.LIFT_CONFLICT,
                f"The lift test {lift.test.label} is {abs(lift.conflict_score):.1f} standard "
                "deviations from what the weekly data say.",
                "Check the test's dates, units and standard error; if they hold, look for what "
                "moved together with this channel.",
            )
    return None


def _collinear(suspect: Suspect, facts: Facts) -> Told | None:
    if suspect.component not in facts.regressors:
        return None
    frame = facts.within(suspect)
    correlations = frame.corr()[suspect.component].drop(suspect.component).abs().fillna(0.0)
    remedy = (
        "Data cannot split what moves together: merge them into one channel, run a lift test on "
        "one of them, or state a prior for it (channels[].prior)."
    )
    if correlations.size and correlations.max() >= CLOSE_CORRELATION:
        partner, size = correlations.idxmax(), correlations.max()
        evidence = f"{suspect.component} moves together with {partner} (correlation {size:.3f})."
        return Told(CauseKind.COLLINEAR, evidence, remedy)
    inflation = variance_inflation(frame)[suspect.component]
    if inflation > facts.gates.data.max_vif:
        return Told(
            CauseKind.COLLINEAR,
            f"The other inputs together nearly reproduce {suspect.component} (variance inflation "
            f"{inflation:.3g}).",
            remedy,
        )
    return None


def _rarely_on(suspect: Suspect, facts: Facts) -> Told | None:
    values = facts.of(suspect)
    if values is None or (values != 0).mean() >= RARE_SHARE:
        return None
    return Told(
        CauseKind.RARELY_ON,
        f"{suspect.component} is on in {int((values != 0).sum())} of {values.size} rows.",
        "Leave it out, merge it into a larger channel, or state a prior (channels[].prior).",
    )


def _little_spend(suspect: Suspect, facts: Facts) -> Told | None:
    total = sum(facts.spend.values())
    share = facts.spend.get(suspect.component, np.inf) / total if total > 0 else np.inf
    if share >= SMALL_SPEND_SHARE:
        return None
    return Told(
        CauseKind.LITTLE_SPEND,
        f"{suspect.component} has {100 * share:.2g} % of all spend.",
        "Its effect drowns in the noise: merge it into a larger channel, or state a prior "
        "(channels[].prior).",
    )


def _little_variation(suspect: Suspect, facts: Facts) -> Told | None:
    values = facts.of(suspect)
    if values is None:
        return None
    mean = values.mean(axis=-1)
    variation = values.std(axis=-1)[mean > 0] / mean[mean > 0]
    if not variation.size or variation.max() >= LITTLE_VARIATION:
        return None
    return Told(
        CauseKind.LITTLE_VARIATION,
        f"{suspect.component} hardly changes from period to period (standard deviation "
        f"{100 * variation.max():.2g} % of its mean), as the baseline does.",
        "Vary its spend, run a lift test, or state a prior (channels[].prior).",
    )


def _saturation_unseen(suspect: Suspect, facts: Facts) -> Told | None:
    values = facts.of(suspect)
    if values is None or suspect.quantity != "saturation":
        return None
    used = values[values > 0]
    low, high = np.quantile(used, [0.1, 0.9]) if used.size else (1.0, 1.0)
    if high >= NARROW_RATIO * low:
        return None
    return Told(
        CauseKind.SATURATION_UNSEEN,
        f"The middle 80 % of {suspect.component}'s input lie within a factor of {high / low:.2f}, "
        "too narrow to show a curve.",
        "Use a saturation with fewer parameters for it (channels[].saturation, such as root or "
        "none), or vary its spend.",
    )


_CHANNEL_RULES: tuple[Callable[[Suspect, Facts], Told | None], ...] = (
    _lift_conflict,
    _rarely_on,
    _collinear,
    _little_variation,
    _little_spend,
    _saturation_unseen,
)


def _general(facts: Facts) -> Iterator[Told]:
    """Causes that concern the whole fit."""
    rows = facts.values.shape[0] * facts.values.shape[-1] / max(facts.n_parameters, 1)
    if rows < facts.gates.data.min_rows_per_parameter:
        yield Told(
            CauseKind.FEW_ROWS,
            f"There are {rows:.2g} rows per parameter.",
            "Fit more history, or a smaller model: fewer channels, harmonics or events.",
        )
    for finding in facts.findings:
        if finding.rule == "kpi_outlier":
            yield Told(CauseKind.OUTLIER, finding.message, finding.remedy)


def _unexplained(lead: str) -> Told:
    return Told(
        CauseKind.UNEXPLAINED,
        f"{lead}: neither correlation, variation and range of the inputs, nor rows per parameter, "
        "outliers or lift tests.",
        "State a narrower prior where something is known, or leave parts of the model out one by "
        "one to see which of them does not sample.",
    )
