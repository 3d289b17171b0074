"""Two refits at once, each in a process of its own: what is wrong afterwards."""

from pathlib import Path

from support.consistency import faults_of
from support.kill_cells import forked, refit
from support.mondays import DATASET

from schemas.outcomes import Verdict
from tasks.store.champions import find_champion
from tasks.store.home import Home
from tasks.store.warehouse_runs import list_runs

OTHER = "zeta"


def race_of_one(home: Home, data: Path) -> list[str]:
    """Ask twice for one week: the second waits for the first, then refits."""
    faults, logs = _race(home, data, (DATASET, DATASET))
    waited = ["waiting up to" in log for log in logs]
    if waited.count(True) != 1:
        faults.append(f"{waited.count(True)} refits waited")
    return [*faults, *_found(home, {DATASET: (3, 3)})]


def race_of_datasets(home: Home, data: Path) -> list[str]:
    """Ask for two datasets, one of them new: neither waits for the other."""
    faults, _ = _race(home, data, (DATASET, OTHER))
    return [*faults, *_found(home, {DATASET: (2, 2), OTHER: (1, 1)})]


def _race(home: Home, data: Path, datasets: tuple[str, ...]) -> tuple[list[str], list[str]]:
    room = home.root.parent
    logs = [room / f"{home.root.name}, {place}.log" for place in range(len(datasets))]
    forks = [
        forked(home.root, log, lambda name=name: refit(data, dataset_id=name))
        for name, log in zip(datasets, logs, strict=True)
    ]
    ended = [fork.end() for fork in forks]
    faults = [f"ended {status}, {verdict}" for status, verdict in ended if verdict != Verdict.PASS]
    return faults, [log.read_text() for log in logs]


def _found(home: Home, wanted: dict[str, tuple[int, int]]) -> list[str]:
    """Look in a fork: this process must stay without threads, to be forked again."""

    def look() -> list[str]:
        faults = list(faults_of(home))
        for dataset_id, expected in wanted.items():
            champion = find_champion(home, dataset_id)
            found = (len(list_runs(home, dataset_id)), champion.version if champion else None)
            if found != expected:
                faults.append(f"{dataset_id}: runs and champion are {found}, not {expected}")
        return faults

    status, faults = forked(home.root, home.root.parent / f"{home.root.name}.log", look).end()
    return list(faults) if status == 0 else [f"the look at the home ended with {status}"]
