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
from tasks.store.warehouse.runs import list_runs

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
        return _move(home, current, _require_promotable(home, current, version), reason)


def _require_promotable(home: Home, current: Champion, version: int) -> Champion:
    name = f"{current.dataset_id}@{version}"
    if version == current.version:
        raise UnknownRunError(f"{name} is champion already; name another version with --to.")
    client = experiments.open_store(home)
    require_version_files(home, current.dataset_id, version)
    target = champions.describe_version(client, current.dataset_id, version)
    if target is None:
        raise UnknownRunError(
            f"There is no version {name}; `mmm runs --dataset {current.dataset_id}` lists those "
            "that exist."
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


def _move(home: Home, current: Champion, target: Champion, reason: str | None) -> Promotion:
    client, dataset_id, now = experiments.open_store(home), current.dataset_id, datetime.now(UTC)
    is_back = target.version < current.version
    row = Promotion(
        dataset_id=dataset_id,
        decided_at=now,
        version=target.version,
        run_id=target.run_id,
        from_version=current.version,
        action=PromotionAction.ROLLBACK if is_back else PromotionAction.PROMOTE,
        reason=reason or "no reason given",
        made_by=MadeBy.PERSON,
    )
    reported = f"{now:%Y-%m-%d}: {row.reason}"
    with champions.given_back(client, dataset_id, current.version), writing(home) as con:
        write_promotion(con, row)
        champions.give_champion(client, dataset_id, target.version)
        if is_back:
            tag = champions.ROLLED_BACK_TAG
            client.set_model_version_tag(dataset_id, str(current.version), tag, reported)
        champions.drop_challenger(client, dataset_id, target.version)
    log.info("%s is champion in place of %s: %s", target.name, current.name, row.reason)
    return row
