"""Does a week of data look like the weeks before it? ``python benchmarks/drift.py --help``.

What ``validate_canonical`` says about the newest periods of a panel, computed for every week of
public sets and of the demo without any fit, as a weekly refit would see it: the file up to that
week. Then a fault is put into that week alone, in one column after another.

false      share of weeks in which any column is reported although nothing was done to it
x1000      share of cells, not 0, whose value times 1000 is reported in that week; x100 likewise
stuck      share of cells that hold the value of the week before; of columns that repeat a value in
           1 % of weeks or less, and of all of them (in brackets)
dead       share of cells set to 0, of columns that were never 0; of all (in brackets)
swapped    share of weeks in which spend and activity of a channel are in each other's column

A column that is often 0, or often repeats, says nothing when it is 0 or repeats once more: it is
reported when it does so for longer than it ever did, and nobody can do better in the first week.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.recovery.tables import render_rows
from schemas.documents.data import ArrivalFault
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, TOTAL_ENTITY
from schemas.spec.gates import DataGates
from schemas.spec.roles import ColumnRoles, resolve_roles
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.arrivals import MIN_WINDOW, find_arrivals

ROOT = Path(__file__).resolve().parents[1]
FIRST_WEEK = 52
"""Weeks of history before the first one that is looked at."""
MERIDIAN: dict[str, Any] = {
    "target_col": "conversions",
    "kpi": {"kind": "count", "value_per_unit": "revenue_per_conversion"},
    "channels": [
        {"name": f"c{i}", "activity": f"Channel{i}_impression", "spend": f"Channel{i}_spend"}
        for i in range(5)
    ]
    + [{"name": "organic", "kind": "owned", "activity": "Organic_channel0_impression"}],
    "controls": ["competitor_sales_control", "sentiment_score_control", "Promo"],
}
ROBYN: dict[str, Any] = {
    "columns": {"period_start": "DATE"},
    "target_col": "revenue",
    "channels": [
        {"name": "tv", "spend": "tv_S"},
        {"name": "ooh", "spend": "ooh_S"},
        {"name": "print", "spend": "print_S"},
        {"name": "facebook", "activity": "facebook_I", "spend": "facebook_S"},
        {"name": "search", "activity": "search_clicks_P", "spend": "search_S"},
        {"name": "newsletter", "kind": "owned", "activity": "newsletter"},
        {"name": "rival", "kind": "competitor", "activity": "competitor_sales_B"},
    ],
}
RECOVERY: dict[str, Any] = {
    "columns": {"entity_id": "geo", "period_start": "date"},
    "target_col": "y",
}
TIMES = {"x1000": 1000.0, "x100": 100.0}
COLUMNS = {
    "set": "{set:<22}",
    "weeks": "{weeks:>5}",
    "false": "{false:>6.1%}",
    "x1000": "{x1000:>6}",
    "x100": "{x100:>6}",
    "stuck": "{stuck:>14}",
    "dead": "{dead:>14}",
    "swapped": "{swapped:>7}",
}


@dataclass(frozen=True)
class Panel:
    """One set in canonical columns, and what its columns are."""

    name: str
    rows: pd.DataFrame
    roles: ColumnRoles

    @property
    def weeks(self) -> list[pd.Timestamp]:
        """First days, oldest first."""
        return sorted(self.rows[PERIOD_COLUMN].unique())

    def until(self, week: pd.Timestamp) -> pd.DataFrame:
        """Return what the file of a week holds."""
        return self.rows.loc[self.rows[PERIOD_COLUMN] <= week].reset_index(drop=True)


def read_panel(name: str, file: Path, settings: dict[str, Any]) -> Panel:
    """Read a set and name its columns as canonical data name them."""
    rows = pd.read_csv(file)
    spec = RunSpec.model_validate({"dataset_id": "drift", **settings})
    roles = resolve_roles(spec, [str(c) for c in rows.columns])
    sources = roles.numeric_sources()
    panel = pd.DataFrame({canonical: rows[source] for canonical, source in sources.items()})
    entity = rows[roles.entity].astype(str) if roles.entity else TOTAL_ENTITY
    panel.insert(0, ENTITY_COLUMN, entity)
    panel.insert(1, PERIOD_COLUMN, pd.to_datetime(rows[roles.period]))
    return Panel(name, panel, roles)


def panels(folder: Path) -> Iterator[Panel]:
    """Yield the demo and the sets of a folder that are there."""
    yield read_panel("demo", ROOT / "data" / "demo" / "panel.csv", {})
    recovery = sorted((folder / "recovery").glob("*_business.csv"))
    files: list[tuple[str, Path, dict[str, Any]]] = [
        ("robyn", folder / "robyn_dt_simulated_weekly.csv", ROBYN),
        (
            "meridian national",
            folder / "meridian_national_all_channels.csv",
            {"columns": {"period_start": "time"}, **MERIDIAN},
        ),
        (
            "meridian 40 markets",
            folder / "meridian_geo_all_channels.csv",
            {"columns": {"entity_id": "geo", "period_start": "time"}, **MERIDIAN},
        ),
        *((f"recovery {f.name.split('_')[0]}", f, RECOVERY) for f in recovery),
    ]
    for name, file, settings in files:
        if file.is_file():
            yield read_panel(name, file, _with_recovery_names(file, settings))


def _with_recovery_names(file: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Name channels and controls of a recovery set; its effects are answers and no inputs."""
    if settings is not RECOVERY:
        return settings
    header = list(pd.read_csv(file, nrows=0).columns)
    drivers = [c for c in header if re.match(r"x\d+_", c)]
    controls = [c for c in header if re.fullmatch(r"c\d+", c)]
    channels = [{"name": c.partition("_")[2], "spend": c} for c in drivers]
    return {**settings, "channels": channels, "controls": controls}


def judge(rows: pd.DataFrame, roles: ColumnRoles) -> list[ArrivalFault]:
    """Return what is reported of the newest periods of a file."""
    return find_arrivals(rows, roles, MIN_WINDOW, DataGates().max_drift_ratio)


def count_false(panel: Panel) -> float:
    """Return the share of weeks in which something is reported of untouched data."""
    weeks = panel.weeks[FIRST_WEEK:]
    return float(np.mean([bool(judge(panel.until(week), panel.roles)) for week in weeks]))


def count_found(panel: Panel, step: int) -> dict[str, str]:
    """Put every fault into every ``step``-th week and count what is reported in that week."""
    kinds = (*TIMES, "stuck", "dead", "swapped")
    plain: dict[str, list[bool]] = {kind: [] for kind in kinds}
    every: dict[str, list[bool]] = {"stuck": [], "dead": []}
    columns = list(panel.roles.numeric_sources())
    pairs = [
        (c.activity_column, c.spend_column)
        for c in panel.roles.channels
        if c.activity_column and c.spend_column
    ]
    for week in panel.weeks[FIRST_WEEK::step]:
        rows = panel.until(week)
        now = rows[PERIOD_COLUMN] == week
        for column in columns:
            for kind, faulty, is_plain in _faults(rows, now, column):
                found = _is_found(panel, rows, {column: faulty})
                if is_plain:
                    plain[kind].append(found)
                if kind in every:
                    every[kind].append(found)
        for activity, spend in pairs:
            if not (rows.loc[now, activity] > 0).any():
                continue
            swapped = {
                activity: rows[activity].mask(now, rows[spend]),
                spend: rows[spend].mask(now, rows[activity]),
            }
            plain["swapped"].append(_is_found(panel, rows, swapped))
    shares = {kind: _share(found) for kind, found in plain.items()}
    return shares | {k: f"{shares[k]} ({_share(found)})" for k, found in every.items()}


def _faults(
    rows: pd.DataFrame, now: pd.Series, column: str
) -> Iterator[tuple[str, pd.Series, bool]]:
    """Yield what a column looks like with a fault in one week, and whether it can be seen there."""
    values = rows[column].astype(float)
    if (values[now] != 0).any():
        for kind, times in TIMES.items():
            yield kind, values.mask(now, values * times), True
    before = values.groupby(rows[ENTITY_COLUMN]).shift()
    if (before[now] != 0).all():
        there = (values != 0) & (before != 0) & before.notna() & ~now
        repeats = float((values == before)[there].mean()) if there.sum() >= 12 else 1.0
        yield "stuck", values.mask(now, before), repeats <= 0.01
    if (values[now] != 0).any():
        yield "dead", values.mask(now, 0.0), bool((values[~now] != 0).all())


def _is_found(panel: Panel, rows: pd.DataFrame, changed: dict[str, pd.Series]) -> bool:
    found = judge(rows.assign(**changed), panel.roles)
    return any(set(fault.columns) & set(changed) for fault in found)


def _share(found: list[bool]) -> str:
    return f"{np.mean(found):.1%}" if found else "-"


def main() -> None:
    """Measure and print one row per set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=ROOT, help="of the public sets")
    parser.add_argument("--step", type=int, default=4, help="faults go into every nth week")
    parser.add_argument("--max-entities", type=int, default=40, help="skip larger panels")
    parsed = parser.parse_args()
    rows = []
    for panel in panels(parsed.folder):
        if panel.rows[ENTITY_COLUMN].nunique() > parsed.max_entities:
            continue
        false = count_false(panel)
        found = count_found(panel, parsed.step)
        rows.append(
            {"set": panel.name, "weeks": len(panel.weeks) - FIRST_WEEK, "false": false} | found
        )
    print(render_rows(rows, COLUMNS, {"set"}))


if __name__ == "__main__":
    main()
