"""The champion of a dataset: which version and run it is, and its alias given back on error.

The alias in MLflow says who is champion. A process that is killed between the alias and the
warehouse leaves the alias with a run that was never published; such a run is no champion, and the
last decision in ``ops.promotions`` holds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from schemas.documents.promotions import Champion
from schemas.documents.results import RunRecord, RunStatus
from schemas.errors import UnknownRunError
from schemas.names import Alias
from tasks.store.home import Home
from tasks.store.kept import Kept, settled_state_of
from tasks.store.tracking import aliases, experiments
from tasks.store.tracking.local_registry import local_champion
from tasks.store.tracking.lost import is_local, require_store_kept
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.runs import read_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

ROLLED_BACK_TAG = "rolled_back"
"""Tag of a version that a person took the alias from: when, and why."""
UNKNOWN_RUN = "unknown"
"""Run of a version that something else registered."""
_named: Kept[Champion | None] = Kept(1000, lambda _: 1)


def find_champion(home: Home, dataset_id: str) -> Champion | None:
    """Return the dataset's champion, or None if it has none.

    Raises
    ------
    CorruptArtifactError
        If MLflow's store, which says who is champion, was lost.
    """
    require_store_kept(home)
    if not (home.mlruns / "mlflow.db").exists() and home.tracking_uri.startswith("sqlite:///"):
        return None
    # A store behind a server does not say when it was written to.
    state = settled_state_of(home.mlruns / "mlflow.db") if is_local(home) else None
    key = (str(home.mlruns), dataset_id)
    named = _named.get(key, state, lambda: _holder_of_alias(home, dataset_id))
    record = find_record(home, named.run_id) if named else None
    if record is None or record.status is RunStatus.OUTPUTS_READY:
        return named
    history = list_promotions(home, dataset_id)
    version = history[-1].version if history else None
    if version is None:
        return None
    return describe_version(experiments.open_store(home), dataset_id, version)


def _holder_of_alias(home: Home, dataset_id: str) -> Champion | None:
    """Return the version that holds the champion alias, whatever became of its run."""
    local = local_champion(home, dataset_id)
    if local is not None:
        return local
    client = experiments.open_store(home)
    held = aliases.version_with_alias(client, dataset_id, Alias.CHAMPION)
    return None if held is None else describe_version(client, dataset_id, held)


def describe_version(client: "MlflowClient", dataset_id: str, version: int) -> Champion | None:
    """Return a version with what its run knew, or None if there is no such version."""
    from mlflow.exceptions import MlflowException

    tags: dict[str, str] = {}
    params: dict[str, str] = {}
    try:
        found = client.get_model_version(dataset_id, str(version))
        tags = dict(found.tags)
        if found.run_id:
            logged = client.get_run(found.run_id).data
            params = dict(logged.params)
            tags = {**logged.tags, **tags}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        if not tags:
            return None
    return Champion(
        dataset_id=dataset_id,
        version=version,
        run_id=tags.get(experiments.RUN_TAG, UNKNOWN_RUN),
        as_of=_day(params.get("as_of")),
        last_period=_day(tags.get("last_period")),
    )


def find_record(home: Home, run_id: str) -> RunRecord | None:
    """Return the record of a run; None where the warehouse does not know it."""
    try:
        return read_run(home, run_id)
    except UnknownRunError:
        return None


@contextmanager
def given_back(client: "MlflowClient", dataset_id: str, version: int | None) -> Iterator[None]:
    """Give the champion alias back to ``version`` if what follows fails; None had it before."""
    try:
        yield
    except BaseException:
        give_champion(client, dataset_id, version)
        raise


def give_champion(client: "MlflowClient", dataset_id: str, version: int | None) -> None:
    """Let exactly ``version`` hold the champion alias, nobody if it is None."""
    if version is None:
        aliases.drop_alias(client, dataset_id, Alias.CHAMPION)
    elif aliases.version_with_alias(client, dataset_id, Alias.CHAMPION) != version:
        aliases.move_alias(client, dataset_id, version, Alias.CHAMPION)


def drop_challenger(client: "MlflowClient", dataset_id: str, version: int) -> None:
    """Take the challenger alias from ``version``, which has become champion."""
    if aliases.version_with_alias(client, dataset_id, Alias.CHALLENGER) == version:
        aliases.drop_alias(client, dataset_id, Alias.CHALLENGER)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
