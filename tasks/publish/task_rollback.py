"""Give the champion alias to another version: read, decide, write together."""

import logging
from datetime import UTC, datetime

from schemas.documents.promotions import (
    Champion,
    MadeBy,
    Promotion,
    PromotionAction,
    list_predecessors,
)
from schemas.errors import UnknownRunError
from tasks.store.home import Home, current_home
from tasks.store.locks import BRIEF_WAIT_SECONDS, dataset_lock
from tasks.store.runs import champions
from tasks.store.tracking import experiments
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.promotions import list_promotions, write_promotion
from tasks.store.warehouse.prunings import require_version_files
from tasks.store.warehouse.runs import list_runs, read_run

log = logging.getLogger(__name__)


def roll_back(dataset_id: str, *, to: int | None, reason: str | None) -> Promotion:
    """Give the champion alias to version ``to``, else to the champion before this one.

    Returns
    -------
    Promotion
        What was written to ``ops.promotions``: action ``promote`` where the version is newer than
        the champion was.

    Raises
    ------
    UnknownRunError
        If the dataset has no run, no champion, or no champion before it, or the version does not
        exist, is champion already, or was not made by an accepted run.
    PrunedFilesError
        If the retention policy has removed the files of its run.
    ResourceUnavailableError
        If a refit of the dataset is running.
    """
    home = current_home()
    if not list_runs(home, dataset_id):
        raise UnknownRunError(f"No run of dataset {dataset_id!r}; nothing can be rolled back.")
    with dataset_lock(home, dataset_id, wait_seconds=BRIEF_WAIT_SECONDS):
        current = champions.find_champion(home, dataset_id)
        if current is None:
            raise UnknownRunError(
                f"Dataset {dataset_id!r} has no champion; `mmm runs` lists what has been run."
            )
        line = list_predecessors(list_promotions(home, dataset_id), current.version)
        version = to if to is not None else (line[-1] if line else None)
        if version is None:
            raise UnknownRunError(
                f"No champion before {current.name} is on record; name a version with --to "
                f"(`mmm runs --dataset {dataset_id}` lists them)."
            )
        if version == current.version:
            raise UnknownRunError(
                f"{current.name} is champion already; name another version with --to."
            )
        return _move(home, current, _require_promotable(home, dataset_id, version), reason)


def accept_run(run_id: str, *, reason: str) -> Promotion:
    """Make the version of a run champion because a person looked at what stands against it.

    Parameters
    ----------
    run_id
        Run with a registered version.
    reason
        What the person found; kept in ``ops.promotions``.

    Returns
    -------
    Promotion
        What was written: action ``keep`` where its version is champion already.

    Raises
    ------
    UnknownRunError
        If there is no such run, its gates rejected it, or it registered no version.
    PrunedFilesError
        If the retention policy has removed its files.
    ResourceUnavailableError
        If a refit of the dataset is running.
    """
    home = current_home()
    record = read_run(home, run_id)
    if not record.is_accepted or record.model_version is None:
        raise UnknownRunError(
            f"Run {run_id} cannot be accepted: it is {record.status}, verdict "
            f"{record.verdict or 'none'}. Only a run that ended with PASS or REVIEW can become "
            f"champion; `mmm show {run_id}` says what to mend before the next refit."
        )
    dataset_id = record.dataset_id
    with dataset_lock(home, dataset_id, wait_seconds=BRIEF_WAIT_SECONDS):
        current = champions.find_champion(home, dataset_id)
        if current is not None and current.run_id == run_id:
            return _keep(home, current, reason)
        target = _require_promotable(home, dataset_id, record.model_version)
        return _move(home, current, target, reason)


def _keep(home: Home, current: Champion, reason: str) -> Promotion:
    """Write that a person accepted what stands against the champion."""
    row = Promotion(
        dataset_id=current.dataset_id,
        decided_at=datetime.now(UTC),
        version=current.version,
        run_id=current.run_id,
        from_version=current.version,
        action=PromotionAction.KEEP,
        reason=f"accepted: {reason}",
        made_by=MadeBy.PERSON,
    )
    with writing(home, row.dataset_id) as con:
        write_promotion(con, row)
    return row


def _require_promotable(home: Home, dataset_id: str, version: int) -> Champion:
    name = f"{dataset_id}@{version}"
    client = experiments.open_store(home)
    require_version_files(home, dataset_id, version)
    target = champions.describe_version(client, dataset_id, version)
    if target is None:
        raise UnknownRunError(
            f"There is no version {name}; `mmm runs --dataset {dataset_id}` lists those that exist."
        )
    record = champions.find_record(home, target.run_id)
    if record is None:
        raise UnknownRunError(f"No run of this home made {name}; it cannot become champion.")
    if not record.is_accepted:
        raise UnknownRunError(
            f"{name} is of run {record.run_id}, which was not accepted ({record.status}, verdict "
            f"{record.verdict or 'none'}); `mmm show {record.run_id}` says why."
        )
    return target


def _move(home: Home, current: Champion | None, target: Champion, reason: str | None) -> Promotion:
    client, dataset_id, now = experiments.open_store(home), target.dataset_id, datetime.now(UTC)
    before = current.version if current else None
    is_back = before is not None and target.version < before
    row = Promotion(
        dataset_id=dataset_id,
        decided_at=now,
        version=target.version,
        run_id=target.run_id,
        from_version=before,
        action=PromotionAction.ROLLBACK if is_back else PromotionAction.PROMOTE,
        reason=reason or "no reason given",
        made_by=MadeBy.PERSON,
    )
    reported = f"{now:%Y-%m-%d}: {row.reason}"
    with champions.given_back(client, dataset_id, before), writing(home, dataset_id) as con:
        write_promotion(con, row)
        champions.give_champion(client, dataset_id, target.version)
        if is_back:
            tag = champions.ROLLED_BACK_TAG
            client.set_model_version_tag(dataset_id, str(before), tag, reported)
        champions.drop_challenger(client, dataset_id, target.version)
    replaced = current.name if current else "none"
    log.info("%s is champion in place of %s: %s", target.name, replaced, row.reason)
    return row
