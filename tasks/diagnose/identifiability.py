"""Which channels the data decided, and which are still the prior."""

from collections.abc import Mapping

import numpy as np

from schemas.names import ComponentKind
from schemas.outcomes import GateOutcome
from schemas.spec.gates import FitGates
from tasks.mathematics.judging import judge_at_most
from tasks.models.contract import FittedModel


def contraction(model: FittedModel) -> dict[str, float]:
    """What of a channel's effect the data decided: one less its elasticity to the prior.

    The elasticity is the covariance of the effect's draws with the score of its prior, the share
    of a shift of the prior that the result goes along with (Gustafson 1996, local sensitivity). For
    a normal prior that is ``var(posterior) / var(prior)``.
    """
    result = {}
    for component in model.components:
        if component.kind is ComponentKind.CHANNEL:
            draws, score = model.effect_draws(component.name)
            result[component.name] = 1.0 - float(np.cov(draws, score)[0, 1])
    return result


def judge_identifiability(contractions: Mapping[str, float], gates: FitGates) -> GateOutcome:
    """Judge the share of channels that the data did not decide."""
    driven = prior_driven(contractions, gates)
    remedy = (
        "The data say little about these channels: vary their spend, run a lift test, or state "
        "what is known as a prior."
    )
    limits = (gates.max_prior_driven_share, np.inf)
    share = len(driven) / len(contractions)
    return judge_at_most("prior_driven_share", share, limits, remedy, where=", ".join(driven))


def note_prior_driven(contractions: Mapping[str, float], gates: FitGates) -> list[str]:
    """Return a note on the channels that the data did not decide; none where there are none."""
    driven = prior_driven(contractions, gates)
    if not driven:
        return []
    return [
        f"prior_driven: {len(driven)} of {len(contractions)} channels say more of what was assumed "
        f"than of the data ({', '.join(driven)}). Plans move no money on them; vary their spend, "
        "run a lift test, or state what is known as a prior."
    ]


def prior_driven(contractions: Mapping[str, float], gates: FitGates) -> list[str]:
    """Channels whose contraction is below the limit."""
    return [name for name, value in contractions.items() if value < gates.min_contraction]
