"""What each fault of a home ends in, and whether it can be mended: ``python benchmarks/faults.py``.

One home is made by a real refit of the demo brand; every fault then hits a copy of it, and the
command is asked as a user would. Printed is a table: fault, command, exit code, seconds, what it
said. The script ends with exit code 1 where a fault was not reported as an error of ours, or where
what the message advises did not mend it.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "data" / "demo" / "run_spec.yaml"
PANEL = SPEC.with_name("panel.csv")
WAREHOUSE = "data/warehouse/demo.duckdb"
OURS = {0, 1, 2, 3, 4}
HOLD = """
import sys
from tasks.store.home import current_home
from tasks.store.warehouse.connection import writing
with writing(current_home(), "demo") as con:
    print("held", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Answer:
    """What one command ended in."""

    command: str
    code: int
    seconds: float
    said: str


def ask(home: Path, *words: str) -> Answer:
    """Run ``mmm`` in a home."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli.app", *(w.replace("HOME", str(home)) for w in words)],
        cwd=ROOT, env={**os.environ, "MMM_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip
    lines = (done.stderr if done.returncode else done.stdout).strip().splitlines()
    ours = [line for line in lines if line.startswith("mmm:")] or lines[-1:]
    said = (ours or [""])[0].removeprefix("mmm: ").replace(str(home), "HOME")
    return Answer(" ".join(words), done.returncode, time.perf_counter() - began, said)


def truncate(home: Path) -> None:
    """Lose the second half of the warehouse."""
    path = home / WAREHOUSE
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_in_warehouse(home: Path) -> None:
    """Change a bit in every block of the warehouse, header apart."""
    path = home / WAREHOUSE
    content = bytearray(path.read_bytes())
    for at in range(3 * 4096 + 100, len(content), 16 * 1024):
        content[at] ^= 1
    path.write_bytes(content)


def know_the_future(home: Path) -> None:
    """Let the clock have been two years ahead when the data were landed; a week comes after it."""
    *rows, last = PANEL.read_text().splitlines()
    day = last.split(",")[1]
    coming = last.replace(day, str(date.fromisoformat(day) + timedelta(days=7)))
    (home / "coming.csv").write_text("\n".join([*rows, last, coming]) + "\n")
    with duckdb.connect(str(home / WAREHOUSE)) as con:
        for table in ("canonical.kpi", "canonical.media", "canonical.controls", "ops.batches"):
            con.execute(f"update {table} set known_from = known_from + interval 2 year")


def flip_in_posterior(home: Path) -> None:
    """Change a bit of the champion's draws."""
    flip_a_bit(max(home.glob("data/runs/*/posterior.nc")))  # ids sort by time


@contextmanager
def stopped_writer(home: Path) -> Iterator[None]:
    """Hold the warehouse by a process that is stopped, not dead."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT, env={**os.environ, "MMM_HOME": str(home)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        if process.stdout is None or process.stdout.readline() != "held\n":
            sys.exit("the process that should hold the warehouse does not")
        process.send_signal(signal.SIGSTOP)
        yield
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Fault:
    """A fault, what is asked while it lasts, and what mends it."""

    name: str
    harm: Callable[[Path], object]
    asked: tuple[str, ...]
    mended_by: tuple[str, ...] | None = None


PLAN = ("plan", "--dataset", "demo")
NEXT_WEEK = ("refit", "--spec", str(SPEC))
COMING_WEEK = (*NEXT_WEEK, "--data", "HOME/coming.csv")
REPAIR = ("repair",)
AHEAD = str((datetime.now(UTC) + timedelta(days=730)).date())
FAULTS = [
    Fault("warehouse cut in half", truncate, PLAN, REPAIR),
    Fault("a bit flipped in each block", flip_in_warehouse, PLAN, REPAIR),
    Fault("warehouse deleted", lambda h: (h / WAREHOUSE).unlink(), PLAN, REPAIR),
    Fault("mlflow.db deleted", lambda h: (h / "mlruns/mlflow.db").unlink(), PLAN, REPAIR),
    Fault("a bit flipped in the champion's draws", flip_in_posterior, PLAN, NEXT_WEEK),
    Fault("data landed two years ahead", know_the_future, COMING_WEEK, REPAIR),
    Fault("--as-of two years ahead", lambda _: None, (*NEXT_WEEK, "--as-of", AHEAD), NEXT_WEEK),
]


def suffer(fault: Fault, made: Path, folder: Path) -> list[Answer]:
    """Let a fault hit a copy of a home; ask, mend, ask again."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(made, home)
    fault.harm(home)
    answers = [ask(home, *fault.asked)]
    if fault.mended_by is not None:
        answers += [ask(home, *fault.mended_by), ask(home, *PLAN)]
    return answers


def suffer_a_stopped_writer(made: Path, folder: Path) -> list[Answer]:
    """Ask for what must be written while a stopped process holds the warehouse."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(made, home)
    with ExitStack() as stack:
        stack.enter_context(stopped_writer(home))
        answers = [ask(home, "runs"), ask(home, *PLAN, "--set", "tv=-5%")]
    return [*answers, ask(home, *PLAN)]


def print_rows(name: str, answers: list[Answer]) -> None:
    """Print rows of the table."""
    for number, answer in enumerate(answers):
        said = answer.said.replace("|", "/")[:170]
        command = answer.command.replace(str(SPEC), "run_spec.yaml").replace(AHEAD, "+2 years")
        print(f"| {name if number == 0 else ''} | `{command}` | {answer.code} "
              f"| {answer.seconds:.1f} | {said} |", flush=True)  # fmt: skip


def main() -> int:
    """Print the table; return 1 if a fault was not reported, or not mended by what is advised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="only faults whose name has this text")
    only = parser.parse_args().only
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="mmm-faults-") as root:
        folder = Path(root)
        made = folder / "made"
        made.mkdir()
        for _ in range(2):  # a second write, so that there is a state before the last one
            if (done := ask(made, *NEXT_WEEK)).code != 0:
                sys.exit(f"the refit of the demo ended with {done.code}: {done.said}")
        print("| fault | command | exit | seconds | what it said |\n|---|---|---|---|---|")
        for fault in (fault for fault in FAULTS if only in fault.name):
            answers = suffer(fault, made, folder)
            print_rows(fault.name, answers)
            if (
                answers[0].code == 0
                or answers[0].code not in OURS
                or "Unexpected" in answers[0].said
            ):
                wrong.append(f"{fault.name}: not reported")
            if any(answer.code for answer in answers[1:]):
                wrong.append(f"{fault.name}: not mended")
        if only in (name := "a stopped process holds the warehouse"):
            answers = suffer_a_stopped_writer(made, folder)
            print_rows(name, answers)
            if [answer.code for answer in answers] != [0, 4, 0]:
                wrong.append(f"{name}: not reported")
    print(*wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
