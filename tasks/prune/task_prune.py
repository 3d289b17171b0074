"""Remove files that the retention policy lets go: read, decide, mark, remove. Logic: ``policy``."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from schemas.answers.pruning import (
    MARKED_KINDS,
    DatasetFacts,
    DatasetPruning,
    ItemKind,
    PruneItem,
    Pruning,
)
from schemas.errors import ResourceUnavailableError
from schemas.spec.retention import RetentionSpec
from tasks.prune import policy
from tasks.store.files import leftovers, removal
from tasks.store.files.items import ItemFiles, Place, open_files
from tasks.store.files.removal import RefusedRemovalError
from tasks.store.home import Home, current_home
from tasks.store.locks import BRIEF_WAIT_SECONDS, dataset_lock
from tasks.store.runs.retention_facts import gather_facts, read_retention
from tasks.store.warehouse.prunings import finish_pruning, list_prunings, mark_prunings
from tasks.store.warehouse.runs import datasets_with_runs, list_runs

log = logging.getLogger(__name__)


def prune_dataset(
    dataset_id: str, retention: RetentionSpec | None, dry_run: bool
) -> DatasetPruning:
    """Remove the files of a dataset that may go, under its lock; a dry run only reports.

    Everything is marked in ``ops.prunings`` before the first file goes: what an interrupted pruning
    left is finished here first.

    Parameters
    ----------
    dataset_id
        The dataset.
    retention
        Its policy; None takes that of its newest run.
    dry_run
        Change nothing, and take no lock.
    """
    home = current_home()
    with ExitStack() as stack:
        if not dry_run:
            try:
                stack.enter_context(dataset_lock(home, dataset_id, wait_seconds=BRIEF_WAIT_SECONDS))
            except ResourceUnavailableError as error:
                log.warning("%s", error)
                return DatasetPruning(dataset_id=dataset_id, items=[], is_busy=True)
        rules = retention or read_retention(home, dataset_id)
        return _prune(home, gather_facts(home, dataset_id), rules, dry_run=dry_run)


def sweep_leftovers(dry_run: bool) -> DatasetPruning:
    """Remove what killed processes left behind, and results of tasks that Prefect stored."""
    home, now = current_home(), datetime.now(UTC)
    days = max(
        (read_retention(home, name).keep_rejected_days for name in datasets_with_runs(home)),
        default=RetentionSpec().keep_rejected_days,
    )
    found = [
        *leftovers.find_partials(home, now),
        *_orphaned_steps(home, now, days),
        *leftovers.find_results(home, now, days=days),
    ]
    swept: list[tuple[leftovers.Leftover, int]] = []
    notes: list[str] = []
    for left in found:
        path, room, keep = left.place
        try:
            n_bytes = removal.measure(home, path, room=room, keep=keep)
            if not dry_run:
                removal.remove(home, path, room=room, keep=keep)
            swept.append((left, n_bytes))
        except RefusedRemovalError as error:
            notes.append(str(error))
    items = list(_reported(home, swept, days))
    return DatasetPruning(dataset_id=None, items=items, notes=notes)


def _prune(
    home: Home, facts: DatasetFacts, rules: RetentionSpec, *, dry_run: bool
) -> DatasetPruning:
    now, files = datetime.now(UTC), open_files(home, facts.dataset_id)
    notes: list[str] = []
    interrupted = _interrupted(home, facts, rules, notes)
    rulings = policy.rule_on_runs(facts, rules, now)
    choices = _choices(home, facts, rules, rulings, now)
    chosen = _measured(files, choices, now, notes)
    ages = {(row.kind, row.item_id): age for row, age in chosen}
    rows = [*interrupted, *(row for row, _ in chosen)]
    if not dry_run:
        mark_prunings(home, [row for row, _ in chosen if row.kind in MARKED_KINDS])
        rows = [row for row in rows if _remove(files, row, now, notes)]
    items = [
        PruneItem(
            kind=row.kind,
            item_id=row.item_id,
            dataset_id=row.dataset_id,
            age_days=ages.get((row.kind, row.item_id), (now - row.decided_at).days),
            n_bytes=row.n_bytes,
            reason=row.reason,
        )
        for row in rows
    ]
    kept = policy.count_kept(rulings)
    log.info(
        "%s: %d things to prune, %d runs stay", facts.dataset_id, len(items), sum(kept.values())
    )
    return DatasetPruning(dataset_id=facts.dataset_id, items=items, kept=kept, notes=notes)


def _choices(
    home: Home,
    facts: DatasetFacts,
    rules: RetentionSpec,
    rulings: Sequence[policy.Ruling],
    now: datetime,
) -> Iterator[tuple[ItemKind, policy.Ruling]]:
    """Yield everything that goes, each once."""
    going = {ruling.item_id for ruling in rulings if ruling.goes}
    yield from ((ItemKind.RUN, ruling) for ruling in rulings if ruling.goes)
    steps = policy.rule_on_steps(facts, leftovers.step_folders(home), rules, now)
    yield from ((ItemKind.STEPS, ruling) for ruling in steps if ruling.item_id not in going)
    batches = policy.rule_on_batches(facts.batches, rules, now)
    yield from ((ItemKind.LANDING, ruling) for ruling in batches)
    yield from ((ItemKind.PLAN, ruling) for ruling in policy.rule_on_plans(facts.plans, rules, now))


def _measured(
    files: ItemFiles,
    choices: Iterable[tuple[ItemKind, policy.Ruling]],
    now: datetime,
    notes: list[str],
) -> list[tuple[Pruning, int]]:
    """Return what can be removed with its age; what is not where it belongs becomes a note."""
    measured = []
    for kind, ruling in choices:
        try:
            n_bytes = files.measure(kind, ruling.item_id)
        except RefusedRemovalError as error:
            notes.append(str(error))
            continue
        row = Pruning(
            dataset_id=files.dataset_id,
            kind=kind,
            item_id=ruling.item_id,
            n_bytes=n_bytes,
            reason=ruling.reason,
            decided_at=now,
        )
        measured.append((row, ruling.age_days))
    return measured


def _interrupted(
    home: Home, facts: DatasetFacts, rules: RetentionSpec, notes: list[str]
) -> list[Pruning]:
    """Return what was marked and is not gone yet; what has come to be needed since stays."""
    shields = {run.run_id: policy.find_shield(run, facts, rules) for run in facts.runs}
    left = []
    for row in list_prunings(home, facts.dataset_id):
        if row.pruned_at is not None:
            continue
        shield = shields.get(row.item_id) if row.kind is ItemKind.RUN else None
        if shield:
            notes.append(f"Run {row.item_id} was to be removed, and stays: {shield}.")
        else:
            left.append(row)
    return left


def _remove(files: ItemFiles, row: Pruning, now: datetime, notes: list[str]) -> bool:
    """Remove the files of one row and record it; report whether they are gone."""
    try:
        files.remove(row.kind, row.item_id, now)
    except RefusedRemovalError as error:
        notes.append(str(error))
        return False
    if row.kind in MARKED_KINDS:
        finish_pruning(files.home, row, datetime.now(UTC))
    return True


def _orphaned_steps(home: Home, now: datetime, days: int) -> Iterator[leftovers.Leftover]:
    """Yield records of runs that the warehouse does not know."""
    known = {record.run_id for record in list_runs(home)}
    for name in leftovers.step_folders(home):
        place = Place(home.steps / name, home.steps)
        age = leftovers.age_of(place.path, now)
        if name not in known and age >= days:
            yield leftovers.Leftover(ItemKind.STEPS, place, age)


def _reported(
    home: Home, swept: Sequence[tuple[leftovers.Leftover, int]], days: int
) -> Iterator[PruneItem]:
    """Yield what a report says of leftovers; Prefect's results are one line."""
    reasons = {
        ItemKind.PARTIAL: "never finished, not written to for a day",
        ItemKind.STEPS: "of a run that is not known",
    }
    results = [(left.age_days, n) for left, n in swept if left.kind is ItemKind.RESULTS]
    for left, n_bytes in swept:
        if left.kind in reasons:
            name = left.place.path.relative_to(home.root).as_posix()
            yield PruneItem(kind=left.kind, item_id=name, dataset_id=None, n_bytes=n_bytes,
                            age_days=left.age_days, reason=reasons[left.kind])  # fmt: skip
    if results:
        yield PruneItem(
            kind=ItemKind.RESULTS,
            item_id=f"{len(results)} file(s)",
            dataset_id=None,
            age_days=max(age for age, _ in results),
            n_bytes=sum(n for _, n in results),
            reason=f"older than {days} days",
        )
