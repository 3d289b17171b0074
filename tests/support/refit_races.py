"""Three refits at once, each in a process of its own: what is wrong afterwards."""

from pathlib import Path

from support.consistency import faults_of
from support.kill_cells import forked, refit
from support.mondays import DATASET

from schemas.outcomes import Verdict
from tasks.store.home import Home
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.runs import list_runs

OTHER = "zeta"


def race(home: Home, data: Path) -> list[str]:
    """Ask twice for this week of one dataset, and for another: of the two, one waits."""
    room = home.root.parent
    asked = (DATASET, DATASET, OTHER)
    logs = [room / f"{home.root.name}, {place}.log" for place in range(len(asked))]
    forks = [
        forked(home.root, log, lambda name=name: refit(data, dataset_id=name))
        for name, log in zip(asked, logs, strict=True)
    ]
    ended = [fork.end() for fork in forks]
    faults = [f"ended {status}, {verdict}" for status, verdict in ended if verdict != Verdict.PASS]
    waited = [f"Dataset {DATASET!r} is locked by" in log.read_text() for log in logs]
    if sorted(waited[:2]) != [False, True] or waited[2]:
        faults.append(f"waited for the lock of {DATASET}: {waited}")
    return [*faults, *_found(home, {DATASET: (3, 3), OTHER: (1, 1)})]


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
