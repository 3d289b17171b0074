"""Files that a killed process left behind and that nothing refers to; found by age alone."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from schemas.answers.pruning import ItemKind
from tasks.store.files.items import Place
from tasks.store.home import Home

PARTIAL_DAYS = 1
_SECONDS_PER_DAY = 86_400


class Leftover(NamedTuple):
    """Something left behind, and how old it is."""

    kind: ItemKind
    place: Place
    age_days: int


def find_partials(home: Home, now: datetime) -> Iterator[Leftover]:
    """Yield files that were never finished, and folders of a landing that was killed."""
    for room in (home.landing, home.uploads, home.runs, home.plans, home.steps):
        for path in _walk(room):
            is_partial = path.name.startswith(".") and path.name.endswith(".partial")
            is_scratch = path.parent.parent == home.landing and path.name.startswith("tmp")
            if not (is_partial or (is_scratch and path.is_dir())):
                continue
            age = age_of(path, now)
            if age >= PARTIAL_DAYS:
                yield Leftover(ItemKind.PARTIAL, Place(path, room), age)


def find_results(home: Home, now: datetime, *, days: int) -> Iterator[Leftover]:
    """Yield results of tasks that Prefect stored in the home at least ``days`` ago."""
    room = home.root / ".prefect" / "results"
    for path in _walk(room):
        age = age_of(path, now)
        if age >= days and not path.is_dir():
            yield Leftover(ItemKind.RESULTS, Place(path, room), age)


def step_folders(home: Home) -> list[str]:
    """Return the runs that left records of finished steps."""
    if not home.steps.is_dir():
        return []
    return sorted(path.name for path in home.steps.iterdir() if not path.is_symlink())


def age_of(path: Path, now: datetime) -> int:
    """Days since a file, or the newest file in a folder, was written; 0 where it has just gone."""
    newest = max((_written(p) for p in [path, *_walk(path)]), default=now.timestamp())
    return max(int((now.timestamp() - newest) // _SECONDS_PER_DAY), 0)


def _walk(room: Path) -> Iterator[Path]:
    """Yield everything below a folder without following a link."""
    for folder, folders, names in os.walk(room, followlinks=False):
        yield from (Path(folder) / name for name in (*folders, *names))


def _written(path: Path) -> float:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return float("inf")
    return 0.0 if stat.S_ISLNK(found.st_mode) else found.st_mtime
