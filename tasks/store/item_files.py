"""Files of one thing that is pruned: where they are, how many bytes, and their removal."""

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.pruning import RUN_TRAIL, ItemKind
from tasks.store import removal, tracking_files
from tasks.store.home import Home
from tasks.store.landing import landing_path

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A file or folder, the folder of the home it must be in, and names in it that stay."""

    path: Path
    room: Path
    keep: tuple[str, ...] = ()


def places_of(home: Home, dataset_id: str, kind: ItemKind, item_id: str) -> list[Place]:
    """Return where the home keeps the files of a thing."""
    if kind is ItemKind.RUN:
        trail = tuple(map(str, RUN_TRAIL))
        folder = Place(home.run_dir(item_id), home.runs, trail)
        return [folder, Place(home.steps / item_id, home.steps)]
    if kind is ItemKind.LANDING:
        return [Place(landing_path(home, dataset_id, item_id), home.landing)]
    if kind is ItemKind.PLAN:
        return [Place(home.plan_dir(item_id), home.plans)]
    return [Place(home.steps / item_id, home.steps)]


def measure_item(
    home: Home, client: "MlflowClient | None", dataset_id: str, kind: ItemKind, item_id: str
) -> int:
    """Return the bytes that ``remove_item`` would free.

    Raises
    ------
    RefusedRemovalError
        If something of it is not where it belongs; then none of it may be removed.
    """
    places = places_of(home, dataset_id, kind, item_id)
    logged = _logged(client, dataset_id, kind, item_id)
    return sum(removal.measure(home, p.path, room=p.room, keep=p.keep) for p in places) + sum(
        tracking_files.measure_logged(home, files) for _, files in logged
    )


def remove_item(
    home: Home,
    client: "MlflowClient | None",
    dataset_id: str,
    kind: ItemKind,
    item_id: str,
    now: datetime,
) -> None:
    """Remove the files of a thing in MLflow and in the home; doing it again does nothing."""
    for known, files in _logged(client, dataset_id, kind, item_id):
        tracking_files.remove_logged(known, home, dataset_id, files, f"{now:%Y-%m-%d}")
    for place in places_of(home, dataset_id, kind, item_id):
        removal.remove(home, place.path, room=place.room, keep=place.keep)
    log.info("removed the files of %s %s", kind, item_id)


def _logged(
    client: "MlflowClient | None", dataset_id: str, kind: ItemKind, item_id: str
) -> "Iterator[tuple[MlflowClient, tracking_files.LoggedFiles]]":
    if client is None:
        return
    if kind is ItemKind.RUN:
        yield client, tracking_files.find_run_files(client, dataset_id, item_id)
    elif kind is ItemKind.PLAN:
        yield client, tracking_files.find_plan_files(client, item_id)
