"""Does the champion move in weeks without a fault? ``python benchmarks/champion.py --help``.

A public set (or the demo) is cut week by week and refitted with ``mmm refit``, as of the Monday
after each week, in a home of its own. Every week is clean, so the champion ought to move; where it
does not, the table says what stood against it.

fits       how many fits were sampled; more than one where a sampling gate was not passed
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.drift import MERIDIAN, ROBYN

ROOT = Path(__file__).resolve().parents[1]
SETS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "demo": (str(ROOT / "data" / "demo" / "panel.csv"), "period_start", {}),
    "robyn": ("robyn_dt_simulated_weekly.csv", "DATE", ROBYN),
    "national": (
        "meridian_national_all_channels.csv",
        "time",
        {"columns": {"period_start": "time"}, **MERIDIAN},
    ),
    "panel": (
        "meridian_geo_all_channels.csv",
        "time",
        {"columns": {"entity_id": "geo", "period_start": "time"}, **MERIDIAN},
    ),
}
"""File, column of dates, and run spec."""


def refit(spec: Path, data: Path, as_of: str) -> dict[str, Any]:
    """Refit once as a user would; return the JSON answer and the wall time."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "flows.cli.app", "refit", "--json"]
    command += ["--spec", str(spec), "--data", str(data), "--as-of", as_of]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if not done.stdout.strip():
        raise SystemExit(
            f"refit as of {as_of} ended with {done.returncode}:\n{done.stderr[-2000:]}"
        )
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer | {"seconds": time.perf_counter() - started}


def count_fits(artifacts: str) -> int:
    """Return how many fits a run sampled."""
    story = Path(artifacts) / "escalation.json"
    return len(json.loads(story.read_text("utf-8"))["rungs"]) if story.is_file() else 1


def main() -> None:
    """Refit week after week, and print one row for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--folder", type=Path, default=ROOT, help="of the public sets")
    parser.add_argument("--weeks", type=int, default=6)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--model", default="{}", help="JSON: what differs in the model block")
    parsed = parser.parse_args()
    file, period, settings = SETS[parsed.set]
    rows = pd.read_csv(parsed.folder / file)
    days = pd.to_datetime(rows[period])
    weeks = sorted(days.unique())[-parsed.weeks :]
    n_moved, before = 0, None
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MMM_HOME"] = folder
        spec, data = Path(folder) / "spec.json", Path(folder) / "data.csv"
        sampler = {"draws": parsed.draws}
        document = {"dataset_id": "cut", **settings, "sampler": sampler}
        spec.write_text(json.dumps(document | {"model": json.loads(parsed.model)}), "utf-8")
        for number, week in enumerate(weeks, 1):
            rows[days <= week].to_csv(data, index=False)
            as_of = f"{week + timedelta(days=7):%Y-%m-%d}"
            answer = refit(spec, data, as_of)
            moved, before = answer["champion"] != before, answer["champion"]
            n_moved += moved
            fits = count_fits(answer["artifacts_dir"])
            print(
                f"{number:>2} {as_of} {answer['verdict']:<7} moved {'yes' if moved else 'no '} "
                f"fits {fits} {answer['seconds']:5.0f} s  {'; '.join(answer['reasons'])[:150]}",
                flush=True,
            )
    print(f"the champion moved in {n_moved} of {len(weeks)} weeks")


if __name__ == "__main__":
    main()
