"""Who may become champion: one table, no I/O."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.outcomes import Verdict


class Alias(StrEnum):
    """Aliases of a registered model."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


@dataclass(frozen=True)
class Decision:
    """What happens to a fit in the model registry."""

    register: bool
    alias: Alias | None
    reason: str


def decide(verdict: Verdict, *, promote_on_review: bool, has_champion: bool) -> Decision:
    """Decide on registration and alias from the verdict alone; in-sample fit has no say.

    Parameters
    ----------
    verdict
        Verdict of all gates together.
    promote_on_review
        Whether the spec lets a REVIEW take the champion alias.
    has_champion
        Whether the dataset has a champion now; changes the words, never the decision.

    Returns
    -------
    Decision
        FAIL and NOT_EVALUATED register nothing; REVIEW registers a challenger, or a champion where
        the spec allows it; PASS registers the champion.
    """
    kept = "the champion is unchanged" if has_champion else "there is no champion yet"
    if verdict is Verdict.PASS:
        return Decision(
            True, Alias.CHAMPION, "PASS: all gates passed; this version is the champion."
        )
    if verdict is Verdict.REVIEW and promote_on_review:
        return Decision(
            True, Alias.CHAMPION, "REVIEW: promoted, because gates.promote_on_review is set."
        )
    if verdict is Verdict.REVIEW:
        return Decision(True, Alias.CHALLENGER, f"REVIEW: registered as challenger; {kept}.")
    return Decision(False, None, f"{verdict}: nothing registered; {kept}.")
