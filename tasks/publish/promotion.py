"""Who may become champion: one table, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from schemas.documents.promotions import Champion, MadeBy, Promotion, PromotionAction
from schemas.names import Alias
from schemas.outcomes import Verdict, is_accepted
from schemas.refs import PublicationRef
from schemas.words import format_champion

_ACCEPT = "`mmm accept RUN_ID --reason TEXT` promotes it once someone has looked."
_FIRST = (
    "the first of this dataset that was sampled well, so this version is the champion, and what "
    "stands against it stays with it until someone accepts it (`mmm accept RUN_ID --reason TEXT`)."
)


@dataclass(frozen=True)
class Decision:
    """What happens to a fit in the model registry."""

    register: bool
    alias: Alias | None
    reason: str


@dataclass(frozen=True)
class Candidate:
    """What a run knew: its knowledge date, and the newest period it was fitted on."""

    run_id: str
    as_of: date
    last_period: date

    @property
    def age_days(self) -> int:
        """Days between the newest period it was fitted on and its knowledge date."""
        return max((self.as_of - self.last_period).days, 0)


def decide(
    verdict: Verdict,
    *,
    promote_on_review: bool,
    has_champion: bool,
    sampled_well: bool = False,
    backdated: str | None = None,
    never_by_itself: str | None = None,
) -> Decision:
    """Decide on registration and alias; in-sample fit has no say.

    Parameters
    ----------
    verdict
        Verdict of all gates together.
    promote_on_review
        Whether the spec lets a REVIEW take the champion alias.
    has_champion
        Whether the dataset has a champion now.
    sampled_well
        Whether every sampling gate passed: such a run is better than none, even under REVIEW.
    backdated
        In what the run knew less than the champion (``explain_backdated``); None where it did not.
    never_by_itself
        Why its kind of model makes no champion unless a person says so; None where it does.

    Returns
    -------
    Decision
        FAIL and NOT_EVALUATED register nothing; REVIEW registers a challenger, or a champion where
        the spec allows it, or where there is none yet and the fit was sampled well; PASS registers
        the champion. A backdated run is a challenger at best.
    """
    kept = "the champion is unchanged" if has_champion else "there is no champion yet"
    if not is_accepted(verdict):
        return Decision(False, None, f"{verdict}: nothing registered; {kept}.")
    if never_by_itself is not None:
        reason = f"{verdict}: registered as challenger: {never_by_itself}; {kept}. {_ACCEPT}"
        return Decision(True, Alias.CHALLENGER, reason)
    is_first = not has_champion and sampled_well
    if verdict is Verdict.REVIEW and not promote_on_review:
        if not is_first:
            reason = f"REVIEW: registered as challenger; {kept}. {_ACCEPT}"
            return Decision(True, Alias.CHALLENGER, reason)
        return Decision(True, Alias.CHAMPION, f"REVIEW: {_FIRST}")
    if backdated is not None:
        reason = f"{verdict}, but {backdated}: registered as challenger; {kept}."
        return Decision(True, Alias.CHALLENGER, reason)
    if verdict is Verdict.PASS:
        return Decision(
            True, Alias.CHAMPION, "PASS: all gates passed; this version is the champion."
        )
    return Decision(
        True, Alias.CHAMPION, "REVIEW: promoted, because gates.promote_on_review is set."
    )


def explain_backdated(candidate: Candidate, champion: Champion | None) -> str | None:
    """Say in what a run knew less than the champion; None where it knew as much or more.

    A run of the champion's own day and period may replace it.
    """
    if champion is None or champion.run_id == candidate.run_id:
        return None
    if champion.last_period is not None and candidate.last_period < champion.last_period:
        return (
            f"fitted on data to {candidate.last_period}, which is before the "
            f"{champion.last_period} of {champion.name}"
        )
    if champion.as_of is not None and candidate.as_of < champion.as_of:
        return f"as of {candidate.as_of}, which is before the {champion.as_of} of {champion.name}"
    return None


def report_withdrawn(history: Sequence[Promotion]) -> str | None:
    """Say that a person took the alias from a version; None once a refit was promoted since."""
    moves = [row for row in history if row.action is not PromotionAction.KEEP]
    last = moves[-1] if moves else None
    if last is None or last.action is not PromotionAction.ROLLBACK:
        return None
    return (
        f"Version {last.from_version} was rolled back to {last.version} on "
        f"{last.decided_at:%Y-%m-%d}: {last.reason}"
    )


def record_decision(
    decision: Decision,
    candidate: Candidate,
    version: int | None,
    *,
    dataset_id: str,
    champion: Champion | None,
    decided_at: datetime,
) -> Promotion:
    """Return the row of ``ops.promotions`` that reports a refit's decision.

    Parameters
    ----------
    decision, candidate, dataset_id
        What was decided on which run.
    version
        Version of the registered model that the run made; None where it registered none.
    champion
        Champion before the decision.
    decided_at
        When.
    """
    standing = champion.version if champion else None
    promoted = decision.alias is Alias.CHAMPION
    return Promotion(
        dataset_id=dataset_id,
        decided_at=decided_at,
        version=version if promoted else standing,
        run_id=candidate.run_id,
        from_version=standing,
        action=PromotionAction.PROMOTE if promoted else PromotionAction.KEEP,
        reason=decision.reason,
        made_by=MadeBy.REFIT,
    )


def describe_publication(
    mlflow_run_id: str,
    model_version: int | None,
    candidate: Candidate,
    champion: Champion | None,
    row: Promotion,
) -> PublicationRef:
    """Say where the run is, who is champion after it, and how old what the champion knows is.

    Parameters
    ----------
    mlflow_run_id, model_version
        Where the run was logged, and the version it made, if any.
    candidate, champion, row
        The run, the champion before it, and what was decided.
    """
    is_new = row.action is PromotionAction.PROMOTE
    last_period = champion.last_period if champion else None
    age_days = champion.age_days(candidate.as_of) if champion else None
    return PublicationRef(
        mlflow_run_id=mlflow_run_id,
        model_version=model_version,
        champion=None if row.version is None else f"{row.dataset_id}@{row.version}",
        promotion=row.reason,
        champion_last_period=candidate.last_period if is_new else last_period,
        champion_age_days=candidate.age_days if is_new else age_days,
    )


def describe_standing(champion: Champion | None, candidate: Candidate) -> str:
    """Say who is champion before the run, and how old."""
    if champion is None:
        return "none"
    return format_champion(champion.name, champion.last_period, champion.age_days(candidate.as_of))
