"""Aliases of a dataset's registered model: who is champion, who is challenger.

Invariant: an alias moves in one step.
"""

import logging
from typing import TYPE_CHECKING

from tasks.store.tracking.names import quoted

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)


def move_alias(client: "MlflowClient", dataset_id: str, version: int, alias: str) -> None:
    """Give ``alias`` to a version in one step; whoever had it loses it."""
    client.set_registered_model_alias(dataset_id, alias, str(version))
    log.info("%s@%s is now version %d", dataset_id, alias, version)


def drop_alias(client: "MlflowClient", dataset_id: str, alias: str) -> None:
    """Take an alias away; an absent one is fine."""
    if version_with_alias(client, dataset_id, alias) is not None:
        client.delete_registered_model_alias(dataset_id, alias)


def version_with_alias(client: "MlflowClient", dataset_id: str, alias: str) -> int | None:
    """Return the version that holds ``alias``, or None."""
    return aliases_of(client, dataset_id).get(alias)


def aliases_of(client: "MlflowClient", dataset_id: str) -> dict[str, int]:
    """Return who holds each alias of a dataset's model; nothing where there is no model."""
    from mlflow.exceptions import MlflowException

    try:
        held = client.get_registered_model(dataset_id).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    return {str(alias): int(version) for alias, version in held.items()}


def versions_of(client: "MlflowClient", dataset_id: str) -> set[int]:
    """Return the versions of a dataset's registered model."""
    found = client.search_model_versions(f"name = '{quoted(dataset_id)}'")
    return {int(known.version) for known in found}
