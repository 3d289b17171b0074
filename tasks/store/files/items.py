"""Files of one thing that is pruned: where they are, how many bytes, and their removal."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.answers.pruning import RUN_TRAIL, ItemKind
from tasks.store.files import removal
from tasks.store.home import Home
from tasks.store.inputs.landing import landing_path
from tasks.store.tracking import files as tracking_files

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


@dataclass(frozen=True)
class ItemFiles:
    """Files of the things of one dataset, in the home and in MLflow."""

    home: Home
    dataset_id: str
    client: "MlflowClient | None"
    """None where there is no MLflow store yet."""

    def measure(self, kind: ItemKind, item_id: str) -> int:
        """Return the bytes that ``remove`` would free.

        Raises
        ------
        RefusedRemovalError
            If something of it is not where it belongs; then none of it may be removed.
        """
        places = places_of(self.home, self.dataset_id, kind, item_id)
        own = sum(removal.measure(self.home, p.path, room=p.room, keep=p.keep) for p in places)
        logged = self._logged(kind, item_id)
        return own + sum(tracking_files.measure_logged(self.home, files) for _, files in logged)

    def remove(self, kind: ItemKind, item_id: str, now: datetime) -> None:
        """Remove the files of a thing in MLflow and in the home; doing it again does nothing."""
        for client, files in self._logged(kind, item_id):
            tracking_files.remove_logged(
                client, self.home, self.dataset_id, files, f"{now:%Y-%m-%d}"
            )
        for place in places_of(self.home, self.dataset_id, kind, item_id):
            removal.remove(self.home, place.path, room=place.room, keep=place.keep)
        log.info("removed the files of %s %s", kind, item_id)

    def _logged(
        self, kind: ItemKind, item_id: str
    ) -> "Iterator[tuple[MlflowClient, tracking_files.LoggedFiles]]":
        if self.client is None:
            return
        if kind is ItemKind.RUN:
            found = tracking_files.find_run_files(self.client, self.dataset_id, item_id)
            yield self.client, found
        elif kind is ItemKind.PLAN:
            yield self.client, tracking_files.find_plan_files(self.client, item_id)


def open_files(home: Home, dataset_id: str) -> ItemFiles:
    """Return the files of a dataset; MLflow's only where its store exists."""
    return ItemFiles(home, dataset_id, tracking_files.open_existing_store(home))
