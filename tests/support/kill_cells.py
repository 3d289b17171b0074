"""One cell of the kill matrix: a refit is killed at a moment, the same refit is asked for again.

Every try is a fork of one process that has imported everything and started nothing, so it takes
seconds, not half a minute, and SIGKILL ends it as it would end a process of its own.
"""

import json
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from support.consistency import faults_of
from support.home_facts import differences, facts_of
from support.kill_points import RENAMED, Moment, Watch, tasks_of
from support.mondays import DATASET, REFUSED, ask

from flows import refit_weekly as flow_module
from schemas.documents.results import RunStatus
from schemas.errors import MmmError
from schemas.names import Alias
from tasks.store.home import Home
from tasks.store.runs.champions import find_champion
from tasks.store.tracking import aliases, experiments
from tasks.store.warehouse.runs import list_runs

LIMIT_SECONDS = 600
FIT_RECORD = "steps/fit_posterior.json"


class Cell(NamedTuple):
    """What became of one kill."""

    scenario: str
    moment: Moment
    sampled: int
    """Fits of the try after the kill."""
    again: list[str]
    """Steps that had ended before the kill, and were done again."""
    champion: str
    """Champion between the kill and the next try."""
    ended: str
    """How the next try ended, and who is champion then."""
    faults: list[str]


def refit(data: Path, *, weeks_later: int = 1, dataset_id: str = DATASET) -> str:
    """Refit in this process; return the verdict, or the error that it is meant to end with."""
    try:
        request = ask(data, weeks_later=weeks_later, dataset_id=dataset_id)
        return str(flow_module.refit_weekly(request).verdict)
    except MmmError as error:
        return type(error).__name__


class Fork(NamedTuple):
    """A try that runs in a process of its own."""

    child: int
    answer: Path

    def end(self) -> tuple[int, dict[str, Any]]:
        """Wait for it; return how it ended and what it found."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return code, json.loads(self.answer.read_text()) if code == 0 else {}
            time.sleep(0.05)
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        return -signal.SIGALRM, {}


def forked(home: Path, log: Path, work: Callable[[], Any]) -> Fork:
    """Do ``work`` in a fork whose home is ``home`` and whose output is ``log``."""
    answer = log.with_suffix(".json")
    answer.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.environ["MMM_HOME"] = str(home)
        stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        status = 1
        try:
            answer.write_text(json.dumps(work()))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return Fork(child, answer)


def undisturbed(home: Home, data: Path, *, weeks_later: int) -> dict[str, Any]:
    """Refit to the end; return every moment that passed, and what the home holds then."""
    moments: list[Moment] = []
    Watch(home.root, None, moments.append).arm()
    ended = refit(data, weeks_later=weeks_later)
    facts = facts_of(home, DATASET)
    return {"moments": moments, "ended": ended, "facts": facts, "faults": list(faults_of(home))}


def kill(home: Home, data: Path, moment: Moment) -> dict[str, Any]:
    """Refit until the moment comes."""
    Watch(home.root, moment, lambda _: None).arm()
    refit(data)
    return {}


def resume(home: Home, data: Path) -> dict[str, Any]:
    """Look at what a kill left, ask for the same again, and look at what came of it."""
    left = _left_by_kill(home)
    moments: list[Moment] = []
    Watch(home.root, None, moments.append).arm()
    ended = refit(data)
    written = [moment.name for moment in moments if moment.what == RENAMED]
    return {
        **left,
        "ended": ended,
        "sampled": written.count(FIT_RECORD),
        "again": sorted(set(written) & set(left["records"])),
        "facts": facts_of(home, DATASET),
        "champion_then": find_champion(home, DATASET).version,
        "faults": list(faults_of(home)),
    }


def _left_by_kill(home: Home) -> dict[str, Any]:
    runs = list_runs(home)
    client = experiments.open_store(home)
    champion = find_champion(home, DATASET)
    request = "request.json"
    # Other files of a fit wait in the same folder; a record is named after its task.
    steps = tuple(tasks_of(flow_module))
    records = {f"steps/{p.name}" for p in home.steps.glob("*/*.json") if p.stem.startswith(steps)}
    return {
        "statuses": [run.status for run in runs],
        "champion": None if champion is None else champion.version,
        "alias": aliases.version_with_alias(client, DATASET, Alias.CHAMPION),
        "records": sorted(records),
        "is_over": not list(home.steps.glob(f"*/{request}")),
    }


def run_cell(
    scenario: str, moment: Moment, start: Path, data: Path, control: Mapping[str, Any], room: Path
) -> Cell:
    """Copy the starting state, kill, try again, judge; a home without a fault is removed."""
    root = room / "home"
    shutil.rmtree(room, ignore_errors=True)
    shutil.copytree(start, root, symlinks=True)
    home = Home(root)
    status, _ = forked(root, room / "killed.log", lambda: kill(home, data, moment)).end()
    if status != -signal.SIGKILL:
        return _lost(scenario, moment, f"was not killed, but ended with {status}")
    status, found = forked(root, room / "resumed.log", lambda: resume(home, data)).end()
    if status != 0:
        return _lost(scenario, moment, f"the next try ended with {status}: {room}/resumed.log")
    cell = Cell(
        scenario, moment, found["sampled"], found["again"], _standing(found), _reported_end(found),
        [f for f in found["faults"] if f not in control["faults"]]
        + judge(scenario, found, control),
    )  # fmt: skip
    if not cell.faults:
        shutil.rmtree(room)
    return cell


def _lost(scenario: str, moment: Moment, fault: str) -> Cell:
    return Cell(scenario, moment, 0, [], "", "", [fault])


def _standing(found: Mapping[str, Any]) -> str:
    held = f"v{found['champion']}"
    return held if found["alias"] == found["champion"] else f"{held}, alias on v{found['alias']}"


def _reported_end(found: Mapping[str, Any]) -> str:
    return f"{found['ended']}, v{found['champion_then']}"


def judge(scenario: str, found: Mapping[str, Any], control: Mapping[str, Any]) -> list[str]:
    """Everything that a kill changed and should not have."""
    was_published = found["statuses"].count(RunStatus.OUTPUTS_READY) == 2
    # It had reported its end and forgotten its steps: the next try is another refit, or refusal.
    had_ended = RunStatus.ERROR in found["statuses"] or (was_published and found["is_over"])
    fitted = FIT_RECORD in found["records"] or was_published
    wanted = 0 if (fitted and not had_ended) or scenario == REFUSED else 1
    again = [] if had_ended else found["again"]
    faults = [f"{step} had ended and was done again" for step in again]
    if found["sampled"] != wanted:
        faults.append(f"{found['sampled']} fits after the kill instead of {wanted}")
    if found["champion"] != (2 if was_published else 1):
        faults.append(f"champion v{found['champion']} between the kill and the next try")
    if found["ended"] != control["ended"]:
        faults.append(f"ended {found['ended']} instead of {control['ended']}")
    if had_ended:
        return faults
    return [*faults, *differences(found["facts"], control["facts"])]
