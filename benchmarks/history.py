"""Thirty Mondays with nobody watching: ``python benchmarks/history.py --help``.

Weekly refits of the demo brand through the real flow, each with the file of its week and as of its
Monday, in a home of its own, and forecasts scored after each. Three things go wrong on the way:

bad file     the vendor's file has a week twice and a negative spend; a corrected one comes later
restatement  twelve old weeks of one channel's spend come back doubled
short fit    somebody left a few dozen draws in the run spec, which the sampling gates reject

The script ends with exit code 1 where the product did not do what it promises: the bad file
refused with the champion unchanged; the restatement found in every week and channel that it
touched, and named as the cause of that channel's change; the short fit tried again until it samples
well; and no week that a champion was lost.

overlap      lowest overlap of a channel's 50 % interval of ROAS with the champion's
churn        share of the planned budget that moved against the champion's plan
escalation       fits that were tried, where it was more than one
"""

import argparse
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PANEL = ROOT / "data" / "demo" / "panel.csv"
CHANNEL = "social"
"""Its spend is restated."""
RESTATED_WEEKS = 12
RESTATED_BY = 2.0
SHORT = {"draws": 110, "tune": 300}
SPEC: dict[str, Any] = {
    "dataset_id": "history",
    # The first Monday knows 127 weeks, 4.4 for each of 29 parameters; below 5 each is a REVIEW.
    "gates": {"data": {"min_rows_per_parameter": 4}},
}
COLUMNS = (
    "week", "as of", "what came", "verdict", "champion", "overlap", "churn", "ladder", "R-hat",
    "seconds", "says",
)  # fmt: skip


@dataclass(frozen=True)
class Week:
    """One Monday: the file that came, and what was wrong with it."""

    number: int
    as_of: date
    rows: pd.DataFrame
    event: str = ""
    spec: dict[str, Any] = field(default_factory=dict)


def plan_weeks(
    panel: pd.DataFrame, n_weeks: int, *, bad: int, restated: int, short: int
) -> Iterator[Week]:
    """Yield the weeks in order; the bad one twice, first as it came, then corrected.

    Parameters
    ----------
    panel
        Rows of the demo, as text, oldest first; the last ``n_weeks`` arrive one by one.
    n_weeks
        How many Mondays.
    bad, restated, short
        Number of the week in which each thing happens, from 1.
    """
    truth = panel.copy()
    for number in range(1, n_weeks + 1):
        end = len(truth) - n_weeks + number
        if number == restated:
            truth = restate(truth, end)
        rows = truth.iloc[:end]
        as_of = date.fromisoformat(rows["period_start"].iloc[-1]) + timedelta(days=7)
        if number == bad:
            yield Week(number, as_of, break_file(rows), "bad file")
        event = {restated: "restatement", short: "short fit"}.get(number, "")
        yield Week(number, as_of, rows, event, {"sampler": SHORT} if number == short else {})


def restate(panel: pd.DataFrame, end: int) -> pd.DataFrame:
    """Raise one channel's spend in the weeks before the last of those that are known."""
    column = f"spend_{CHANNEL}"
    changed = panel.copy()
    weeks = changed.index[end - 1 - RESTATED_WEEKS : end - 1]
    raised = changed.loc[weeks, column].astype(float) * RESTATED_BY
    changed.loc[weeks, column] = raised.map("{:.2f}".format)
    return changed


def break_file(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the week's file as a vendor sends it on a bad day."""
    twice = pd.concat([rows, rows.iloc[[-1]]], ignore_index=True)
    twice.loc[len(twice) - 2, "spend_tv"] = "-1200.00"
    return twice


def run_week(week: Week, folder: Path) -> dict[str, Any]:
    """Refit one week and score forecasts; return its row of the table and what the checks need."""
    from flows.refit_weekly import refit_weekly
    from flows.score_forecasts import score_forecasts
    from schemas.errors import MmmError
    from schemas.spec.refit_request import RefitRequest
    from schemas.spec.run_spec import RunSpec

    name = f"week_{week.number:02d}{'_bad' if week.event == 'bad file' else ''}.csv"
    week.rows.to_csv(folder / name, index=False)
    spec = RunSpec.model_validate(SPEC | week.spec)
    request = RefitRequest(spec=spec, data=str(folder / name), as_of=week.as_of)
    started = time.perf_counter()
    reported: dict[str, Any] = {"week": week.number, "as of": str(week.as_of), "event": week.event}
    try:
        report = refit_weekly(request)
    except MmmError as error:
        seconds = time.perf_counter() - started
        return reported | {"verdict": "REFUSED", "says": str(error), "seconds": seconds}
    reported["seconds"] = time.perf_counter() - started
    score_forecasts(SPEC["dataset_id"])
    run_dir = Path(report.artifacts_dir)
    return reported | {
        "run_id": report.run_id,
        "verdict": str(report.verdict),
        "says": "; ".join(report.reasons),
        "promotion": report.promotion,
        "R-hat": report.metrics["r_hat_max"],
        "findings": [finding.model_dump(mode="json") for finding in report.findings],
        "stability": read(run_dir / "stability.json"),
        "escalation": read(run_dir / "escalation.json"),
    }


def read(path: Path) -> dict[str, Any]:
    """Return a document of a run; an empty one where the run has none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def champion_version(home: Any) -> int | None:
    """Return the version that has the champion's alias."""
    from tasks.store.runs.champions import find_champion

    found = find_champion(home, SPEC["dataset_id"])
    return found.version if found else None


def describe_week(reported: dict[str, Any]) -> list[str]:
    """Write one week as a row of the table."""
    stability = reported.get("stability") or {}
    overlaps = [row["overlap"] for row in stability.get("channels", [])]
    churn = stability.get("allocation_churn")
    retries = (reported.get("escalation") or {}).get("rungs", [])
    says = reported["says"].splitlines()[0] if reported["says"] else ""
    return [
        str(reported["week"]),
        reported["as of"],
        reported["event"] or "a week more",
        reported["verdict"],
        "none" if reported["champion"] is None else f"@{reported['champion']}",
        f"{min(overlaps):.2f}" if overlaps else "",
        "" if churn is None else f"{churn:.1%}",
        " then ".join(retry["kind"] for retry in retries),
        f"{reported['R-hat']:.4f}" if "R-hat" in reported else "",
        f"{reported['seconds']:.1f}",
        says[:90],
    ]


def render_markdown(header: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def find_broken(weeks: list[dict[str, Any]], changes: list[dict[str, Any]]) -> list[str]:
    """Return every promise that was not kept, in words.

    Parameters
    ----------
    weeks
        What ``run_week`` returned, with ``champion`` and ``champion_before``.
    changes
        Rows of ``mart.changes`` of the week of the restatement.
    """
    broken = []
    by_event = {reported["event"]: reported for reported in weeks if reported["event"]}
    bad, restated, short = (by_event[e] for e in ("bad file", "restatement", "short fit"))
    if bad["verdict"] != "REFUSED" or bad["champion"] != bad["champion_before"]:
        broken.append("the bad file was not refused, or the champion moved")
    found = [f for f in restated.get("findings", []) if f["rule"] == "restated_history"]
    if len(found) != 1 or f"spend_{CHANNEL}" not in found[0]["message"]:
        broken.append(f"the restatement of spend_{CHANNEL} was not found, or more than that was")
    cause = {row["channel"]: row["main_cause"] for row in changes}
    if cause.get(CHANNEL) != "restated":
        broken.append(f"the change of {CHANNEL} is put down to {cause.get(CHANNEL)}")
    retries = short["escalation"].get("rungs", [])
    if len(retries) < 2 or short["verdict"] == "FAIL":
        broken.append("the short fit was not tried again until it sampled well")
    lost = [
        reported["week"]
        for reported in weeks
        if reported["champion_before"] and not reported["champion"]
    ]
    return broken + [f"the champion was lost in week {number}" for number in lost]


def read_changes(home: Any, run_id: str) -> list[dict[str, Any]]:
    """Return the rows of ``mart.changes`` of a run."""
    from tasks.store.warehouse.across import reading_run

    with reading_run(home, run_id) as con:
        frame = con.execute(
            "select * from mart.changes where run_b = ? order by channel", [run_id]
        ).df()
    return frame.to_dict("records")


def simulate(home_dir: Path, args: argparse.Namespace) -> int:
    """Run the history, print its tables, and return the exit code."""
    from flows.cli.render.scores import render_scoring
    from flows.score_forecasts import score_forecasts
    from flows.services import servers
    from tasks.store.home import Home

    servers.require_prefect_api(servers.start_ephemeral_api())
    home, folder = Home(home_dir), home_dir / "files"
    folder.mkdir(parents=True, exist_ok=True)
    panel = pd.read_csv(PANEL, dtype=str)
    weeks: list[dict[str, Any]] = []
    for week in plan_weeks(
        panel, args.weeks, bad=args.bad, restated=args.restated, short=args.short
    ):
        before = champion_version(home) if weeks else None
        reported = run_week(week, folder) | {"champion_before": before}
        reported["champion"] = champion_version(home)
        weeks.append(reported)
        print(
            f"week {reported['week']}: {reported['verdict']} in {reported['seconds']:.1f} s",
            flush=True,
        )
    print("\n" + render_markdown(COLUMNS, [describe_week(reported) for reported in weeks]))
    restated = next(reported for reported in weeks if reported["event"] == "restatement")
    changes = read_changes(home, restated["run_id"]) if "run_id" in restated else []
    if changes:
        print(f"\nWhy ROAS changed in week {restated['week']}:")
        print(pd.DataFrame(changes).drop(columns=["run_a", "run_b"]).to_string(index=False))
    print("\n" + render_scoring(score_forecasts(SPEC["dataset_id"])))
    broken = find_broken(weeks, changes)
    print("\n" + ("\n".join(f"BROKEN: {line}" for line in broken) or "every promise was kept"))
    return 1 if broken else 0


def main() -> int:
    """Read the arguments and run in a temporary home, or in the one that is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weeks", type=int, default=30)
    parser.add_argument("--bad", type=int, default=8, help="week of the bad file")
    parser.add_argument("--restated", type=int, default=15, help="week of the restatement")
    parser.add_argument("--short", type=int, default=22, help="week of the short fit")
    parser.add_argument("--home", type=Path, help="an empty folder that is kept")
    args = parser.parse_args()
    if (
        not 1
        < min(args.bad, args.restated, args.short)
        <= max(args.bad, args.restated, args.short)
        <= args.weeks
        or len({args.bad, args.restated, args.short}) < 3
    ):
        parser.error("the three weeks are different ones, from 2 to --weeks")
    warnings.filterwarnings("ignore")
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as temporary:
        home = (args.home or Path(temporary)).resolve()
        os.environ["MMM_HOME"] = str(home)
        from tasks.store.home import configure_environment

        configure_environment()
        return simulate(home, args)


if __name__ == "__main__":
    raise SystemExit(main())
