"""The kill matrix of the weekly refit: every task, every moment, what became of it.

    python tests/support/kill_matrix.py [--only REGEX] [--race] [--jobs N] [--answer FILE]

Starts from a home that has a champion, kills the next week's refit with SIGKILL at one moment,
asks for the same refit again, and compares with a home where nothing happened. Prints a table,
and ends with 1 if anything differs. ``--only`` chooses moments by ``task what name``.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from tasks.store.home import Home, configure_environment  # noqa: E402 - before Prefect is imported

if __name__ == "__main__":
    os.environ["MMM_HOME"] = tempfile.mkdtemp(prefix="mmm-kill-matrix-")
    for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "PREFECT_HOME"):
        os.environ.pop(name, None)
    configure_environment()

from flows.services import servers  # noqa: E402

if __name__ == "__main__":
    SERVICE = servers.start_ephemeral_api()

from support.kill_cells import Cell, forked, run_cell, undisturbed  # noqa: E402
from support.kill_points import AFTER, BEFORE, COMMIT, OUTSIDE, RENAMED, Moment, tasks_of  # noqa: E402
from support.mondays import BEFORE as WEEK_BEFORE  # noqa: E402
from support.mondays import DATASET, GOOD, SCENARIOS, UNEXPLAINED, write_weeks  # noqa: E402
from support.refit_races import race  # noqa: E402

from flows import refit_weekly  # noqa: E402
from flows.engines import REFIT, import_engines  # noqa: E402
from schemas.names import Artifact  # noqa: E402

SAME_STATE = ("mlflow.set_model_version_tag", "mlflow.log_artifact", "mlflow.log_batch")
"""Writes that come in long rows: the first of a task stands for all."""


def worth_killing(moments: Iterable[Moment]) -> Iterator[Moment]:
    """Leave out moments that find the disk as another does.

    After a rename it is as it will be before the next write, before a task as it was after the one
    before it; and moving a run to its next state is the same writes each time.
    """
    ended = False
    for moment in moments:
        renamed = moment.what == RENAMED and moment.name != f"{DATASET}.duckdb"
        inside = moment.name or moment.what == COMMIT
        repeated = moment.nth > 1 and (
            moment.name in SAME_STATE or (moment.task == "advance_run" and inside)
        )
        if not renamed and not repeated and not (ended and moment.what == BEFORE):
            yield moment
        ended = moment.what == AFTER and not moment.name


def missing_tasks(moments: Iterable[Moment]) -> set[str]:
    """Tasks of the flow that no moment is in."""
    return tasks_of(refit_weekly) - {moment.task for moment in moments}


class Matrix:
    """The starting state, and for each scenario what an undisturbed refit does to it."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.weeks = write_weeks(room / "weeks")
        self.start = room / "start"
        self.start.mkdir()
        made = self._undisturbed(self.start, WEEK_BEFORE, weeks_later=0)
        if made["faults"]:
            sys.exit(f"the starting state contradicts itself: {made['faults']}")
        self.controls: dict[str, Any] = {}
        for scenario in SCENARIOS:
            home = self._starting(scenario)
            control = room / f"control {scenario}"
            shutil.copytree(home, control, symlinks=True)
            self.controls[scenario] = self._undisturbed(control, scenario, weeks_later=1)

    def _starting(self, scenario: str) -> Path:
        """Return the home that a scenario starts from: with a file of the champion lost, in one."""
        if scenario != UNEXPLAINED:
            return self.start
        home = self.room / "start without a file"
        if not home.exists():
            shutil.copytree(self.start, home, symlinks=True)
            (lost,) = home.glob(f"data/runs/*/{Artifact.COLUMN_INFO}")
            lost.unlink()
        return home

    def _undisturbed(self, home: Path, week: str, *, weeks_later: int) -> dict[str, Any]:
        work = lambda: undisturbed(Home(home), self.weeks[week], weeks_later=weeks_later)  # noqa: E731
        status, found = forked(home, self.room / f"{home.name}.log", work).end()
        if status != 0:
            sys.exit(f"{home.name} ended with {status}; see {self.room}")
        return found

    def moments(self, only: str) -> list[tuple[str, Moment]]:
        """Every moment worth a kill; of later scenarios, those in tasks that come there first."""
        chosen: list[tuple[str, Moment]] = []
        for scenario in SCENARIOS:
            known = {moment.task for _, moment in chosen}
            passed = (Moment(*m) for m in self.controls[scenario]["moments"])
            chosen += [(scenario, m) for m in worth_killing(passed) if m.task not in known]
        if missing := missing_tasks(m for _, m in chosen):
            sys.exit(f"no scenario calls {', '.join(sorted(missing))}; add one to kill_cells.py")
        return [c for c in chosen if re.search(only, f"{c[1].task} {c[1]}")]

    def run(self, cells: Sequence[tuple[str, Moment]], *, jobs: int) -> Iterator[Cell]:
        """Run cells in so many processes; yield them as they end."""
        waiting, running = list(enumerate(cells)), {}
        while waiting or running:
            while waiting and len(running) < jobs:
                place, (scenario, moment) = waiting.pop(0)
                running[self._fork(place, scenario, moment)] = place
            child, _ = os.wait()
            answer = self.room / f"cell {running.pop(child)}.json"
            row = json.loads(answer.read_text())
            yield Cell(*row)._replace(moment=Moment(*row[1]))

    def race(self) -> list[str]:
        """Report what is wrong after refits at once."""
        home = self.room / "race"
        shutil.copytree(self.start, home, symlinks=True)
        return race(Home(home), self.weeks[GOOD])

    def _fork(self, place: int, scenario: str, moment: Moment) -> int:
        child = os.fork()
        if child:
            return child
        room = self.room / f"cell {place}"
        start, data = self._starting(scenario), self.weeks[scenario]
        try:
            cell = run_cell(scenario, moment, start, data, self.controls[scenario], room)
        except Exception as error:
            cell = Cell(scenario, moment, 0, [], "", "", [f"{type(error).__name__}: {error}"])
        room.with_suffix(".json").write_text(json.dumps(cell))
        os._exit(0)


def render(cells: Sequence[Cell]) -> str:
    """One line per moment."""
    lines = [
        "| task | killed | champion until the next try | fits of the next try | how it ends |",
        "|---|---|---|---|---|",
    ]
    for cell in cells:
        task = "between tasks" if cell.moment.task == OUTSIDE else cell.moment.task
        reported = cell.ended if not cell.faults else "DIFFERS: " + "; ".join(cell.faults)
        lines.append(f"| {task} | {cell.moment} | {cell.champion} | {cell.sampled} | {reported} |")
    return "\n".join(lines)


def main() -> int:
    """Run the matrix and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="regular expression of `task what name`")
    parser.add_argument("--race", action="store_true", help="refits at once, too")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--room", type=Path, help="folder for all homes; kept where cells differ")
    parser.add_argument("--answer", type=Path, help="file for the cells as JSON")
    asked = parser.parse_args()
    import_engines(REFIT)
    servers.require_prefect_api(SERVICE)
    started = time.monotonic()
    room = asked.room or Path(tempfile.mkdtemp(prefix="mmm-kills-"))
    room.mkdir(parents=True, exist_ok=True)
    matrix = Matrix(room.resolve())
    chosen = matrix.moments(asked.only)
    cells = []
    for cell in matrix.run(chosen, jobs=asked.jobs):
        cells.append(cell)
        reported = "; ".join(cell.faults) or "ok"
        sys.stderr.write(
            f"{len(cells)}/{len(chosen)} {cell.moment.task} {cell.moment}: {reported}\n"
        )
    raced = matrix.race() if asked.race else []
    order = {moment: place for place, (_, moment) in enumerate(chosen)}
    cells.sort(key=lambda cell: order[cell.moment])
    if asked.answer:
        kills = [cell._asdict() for cell in cells]
        asked.answer.write_text(json.dumps({"kills": kills, "race": raced}))
    bad = [cell for cell in cells if cell.faults]
    seconds = time.monotonic() - started
    if asked.race:
        sys.stdout.write(f"two refits of a dataset and one of another at once: {raced or 'ok'}\n")
    sys.stdout.write(f"{render(cells)}\n\n{len(cells)} kills, {len(bad)} differ, {seconds:.0f} s\n")
    if not bad and not raced and not asked.room:
        shutil.rmtree(room)
    return 1 if bad or raced else 0


if __name__ == "__main__":
    sys.exit(main())
