"""Which files may go: a decision from facts, without I/O."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from schemas.answers.pruning import BatchFacts, DatasetFacts, PlanFacts, RunFacts
from schemas.documents.promotions import list_predecessors
from schemas.documents.results import ENDED, RunStatus
from schemas.names import Alias
from schemas.spec.retention import LandingPolicy, RetentionSpec

ACCEPTED, REFUSED = "ACCEPTED", "REFUSED"
NOT_ENDED = "not ended"
ROLLBACK = "a rollback can go to it"
UNSCORED = "its forecast is not scored to its end; `mmm score` scores what is due"


class Ruling(NamedTuple):
    """What becomes of one thing, and why."""

    item_id: str
    goes: bool
    age_days: int
    reason: str


def rule_on_runs(facts: DatasetFacts, policy: RetentionSpec, now: datetime) -> list[Ruling]:
    """Decide on every run whose files have not been removed yet, newest first.

    Parameters
    ----------
    facts
        Of one dataset; order does not matter.
    policy
        Its retention policy.
    now
        The time that ages are counted to.
    """
    runs = sorted(facts.runs, key=lambda run: (run.created_at, run.run_id), reverse=True)
    newest = [run.run_id for run in runs if run.is_accepted][: policy.keep_runs]
    rulings = []
    for run in runs:
        if run.is_pruned:
            continue
        age = _age(run.ended_at, now)
        shield = find_shield(run, facts, policy)
        goes, reason = (False, shield) if shield else _weigh(run, newest, policy, age)
        rulings.append(Ruling(run.run_id, goes, age, reason))
    return rulings


def find_shield(run: RunFacts, facts: DatasetFacts, policy: RetentionSpec) -> str | None:
    """Return why a run must stay, whatever its age and number; None where nothing holds it."""
    if run.status not in ENDED:
        return NOT_ENDED
    if run.version is not None and run.version in facts.champions:
        return Alias.CHAMPION.value
    if run.version is not None and run.version in reachable_versions(facts, policy):
        return ROLLBACK
    if run.aliases:
        return f"alias {', '.join(sorted(run.aliases))} in MLflow"
    return UNSCORED if run.has_unscored else None


def reachable_versions(facts: DatasetFacts, policy: RetentionSpec) -> set[int]:
    """Return the versions that the next ``keep_rollbacks`` rollbacks would go to."""
    found: set[int] = set()
    for champion in facts.champions:
        found |= set(list_predecessors(facts.history, champion)[-policy.keep_rollbacks :])
    return found


def rule_on_batches(
    batches: Iterable[BatchFacts], policy: RetentionSpec, now: datetime
) -> list[Ruling]:
    """Decide on the landed files that are there; only those that go are reported.

    A batch of a state that is not known here stays.
    """
    rulings = []
    for batch in batches:
        age = _age(batch.received_at, now)
        reason = _expiry(batch, policy)
        if batch.has_file and reason and age >= policy.landing_days:
            rulings.append(Ruling(batch.batch_id, True, age, reason))
    return rulings


def rule_on_plans(plans: Iterable[PlanFacts], policy: RetentionSpec, now: datetime) -> list[Ruling]:
    """Decide on the files of plans that are there; only those that go are reported."""
    aged = [(plan, _age(plan.created_at, now)) for plan in plans if plan.has_files]
    reason = f"older than {policy.plans_days} days; `mmm scenarios` still shows it"
    return [
        Ruling(plan.scenario_id, True, age, reason)
        for plan, age in aged
        if age >= policy.plans_days
    ]


def rule_on_steps(
    facts: DatasetFacts, folders: Iterable[str], policy: RetentionSpec, now: datetime
) -> list[Ruling]:
    """Decide on the records that ended runs left; only those that go are reported.

    Parameters
    ----------
    facts, policy, now
        As ``rule_on_runs``.
    folders
        Runs that left records of finished steps, of any dataset.
    """
    runs = {run.run_id: run for run in facts.runs}
    rulings = []
    for run in (runs[name] for name in folders if name in runs):
        age = _age(run.ended_at, now)
        if run.status in ENDED and age >= policy.keep_rejected_days:
            reason = f"the run ended more than {policy.keep_rejected_days} days ago"
            rulings.append(Ruling(run.run_id, True, age, reason))
    return rulings


def count_kept(rulings: Sequence[Ruling]) -> dict[str, int]:
    """Count what stays by its reason."""
    return dict(Counter(ruling.reason for ruling in rulings if not ruling.goes))


def _weigh(
    run: RunFacts, newest: Sequence[str], policy: RetentionSpec, age: int
) -> tuple[bool, str]:
    """Decide on a run that nothing shields, by its number and age."""
    if not run.is_accepted:
        what = "failed" if run.status is RunStatus.ERROR else "rejected"
        if age < policy.keep_rejected_days:
            return False, f"{what} less than {policy.keep_rejected_days} days ago"
        return True, f"{what}, older than {policy.keep_rejected_days} days"
    if run.run_id in newest:
        return False, f"among the newest {policy.keep_runs} accepted runs"
    if age < policy.keep_days:
        return False, f"younger than {policy.keep_days} days"
    return True, f"not among the newest {policy.keep_runs}, older than {policy.keep_days} days"


def _expiry(batch: BatchFacts, policy: RetentionSpec) -> str | None:
    if batch.status == REFUSED:
        return f"refused, older than {policy.landing_days} days"
    if batch.status != ACCEPTED or batch.is_newest:
        return None
    if not batch.has_values:
        return f"wholly superseded, older than {policy.landing_days} days"
    if policy.landing is LandingPolicy.EXPIRE:
        return f"accepted, older than {policy.landing_days} days (retention.landing: expire)"
    return None


def _age(since: datetime, now: datetime) -> int:
    return max((now - since).days, 0)
