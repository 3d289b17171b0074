"""Canonical rules: what the panel's rows must be judged on, computed as plain columns.

Belongs here: grid, balance, history, pairing and outlier columns; grain and future rules.
Does not: expectations (``schemas/suites/canonical.json``), reading files.
"""

from datetime import date

import numpy as np
import pandas as pd

from schemas.documents.data import ColumnInfo
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.gates import DataGates
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import Grain
from tasks.mathematics.arrivals import MAD_TO_SIGMA
from tasks.mathematics.calendar import common_anchor, describe_anchor, is_on_grid, n_periods_between
from tasks.validate.findings import panel_finding

MOST_LATE_PERIODS = 4
"""Periods by which a KPI may come later than its media before somebody looks."""


def paired_channels(roles: ColumnRoles) -> list[str]:
    """Return the channels that have both spend and activity."""
    return [c.name for c in roles.channels if c.spend_column and c.activity_column]


def canonical_frame(
    panel: pd.DataFrame, roles: ColumnRoles, grain: Grain, gates: DataGates
) -> pd.DataFrame:
    """Return the columns that the canonical suite judges, one row per entity and period.

    Columns that are reported once per entity are filled on its first row only.
    """
    rows = panel.sort_values([ENTITY_COLUMN, PERIOD_COLUMN], kind="stable").reset_index(drop=True)
    entity, kpi = rows[ENTITY_COLUMN], rows[roles.kpi_name]
    first_row = ~entity.duplicated()
    by_entity = kpi.groupby(entity)
    constant = (by_entity.transform("nunique") < 2) & first_row
    frame = pd.DataFrame(
        {
            ENTITY_COLUMN: entity,
            PERIOD_COLUMN: rows[PERIOD_COLUMN].dt.strftime("%Y-%m-%d"),
            "missing kpi": pd.Series("(empty)", rows.index).where(kpi.isna()),
            "constant kpi": pd.Series("constant", rows.index).where(constant),
            "gap before": _gaps(rows, grain),
            "off grid": _off_grid(rows, grain),
            "brief entity": _brief(rows, first_row, grain, gates),
            "kpi robust z": by_entity.transform(robust_z),
        }
    )
    for channel in roles.channels:
        if channel.spend_column and channel.activity_column:
            spend, activity = rows[channel.spend_column], rows[channel.activity_column]
            first = np.arange(len(rows)) == 0
            for name, paid, got in (
                (f"spend without {channel.name}", spend, activity),
                (f"{channel.name} without spend", activity, spend),
            ):
                frame[name] = pd.Series(_unpaired_share(paid, got), rows.index).where(first)
    return frame


def robust_z(values: pd.Series) -> pd.Series:
    """Return the distance from the median in robust standard deviations; null if all are equal."""
    centred = values - values.median()
    spread = MAD_TO_SIGMA * centred.abs().median()
    return centred / spread if spread > 0 else centred * np.nan


def _gaps(rows: pd.DataFrame, grain: Grain) -> pd.Series:
    starts = rows[PERIOD_COLUMN].dt.date
    before = starts.groupby(rows[ENTITY_COLUMN]).shift()
    reported = [
        f"{steps - 1} missing after {earlier}"
        if isinstance(earlier, date) and (steps := n_periods_between(earlier, start, grain)) > 1
        else None
        for earlier, start in zip(before, starts, strict=True)
    ]
    return pd.Series(reported, rows.index, dtype="str")


def _off_grid(rows: pd.DataFrame, grain: Grain) -> pd.Series:
    starts = rows[PERIOD_COLUMN].dt.date
    anchor = common_anchor(list(starts), grain)
    reported = [
        None
        if is_on_grid(start, anchor=anchor, grain=grain)
        else f"{start:%A} {start}, the others start on {describe_anchor(anchor, grain)}"
        for start in starts
    ]
    return pd.Series(reported, rows.index, dtype="str")


def _brief(rows: pd.DataFrame, first_row: pd.Series, grain: Grain, gates: DataGates) -> pd.Series:
    """Entities with too few periods: of all, or of those that another one has.

    One entity at least has to show a season; those that opened later or closed earlier learn
    theirs from it.
    """
    size = rows[ENTITY_COLUMN].groupby(rows[ENTITY_COLUMN]).transform("size")
    limit = gates.history_limit(monthly=grain is Grain.MONTH)
    needed = min(limit, gates.min_entity_periods) if (size >= limit).any() else limit
    reported = size.astype(str) + f" periods, {needed} are needed"
    return reported.where((size < needed) & first_row)


def _unpaired_share(paid: pd.Series, got: pd.Series) -> float:
    """Share of one measure that fell on periods in which the other was zero."""
    total = float(paid.fillna(0).sum())
    alone = float(paid.where(got.fillna(0) <= 0, 0.0).fillna(0).sum())
    return alone / total if total > 0 else 0.0


def note_unpaired(panel: pd.DataFrame, roles: ColumnRoles, gates: DataGates) -> list[Finding]:
    """Note periods of a channel with activity and without spend, where they are few.

    Parameters
    ----------
    panel
        The panel with missing values as they are.
    roles, gates
        Where the share of activity is above ``max_unpaired_share``, the suite reports it.
    """
    notes = []
    for channel in roles.channels:
        if not (channel.spend_column and channel.activity_column):
            continue
        spend, activity = panel[channel.spend_column], panel[channel.activity_column]
        alone = (activity.fillna(0) > 0) & (spend.fillna(0) <= 0)
        share = _unpaired_share(activity, spend)
        if not alone.any() or share > gates.max_unpaired_share:
            continue
        first = panel.loc[alone].sort_values([PERIOD_COLUMN, ENTITY_COLUMN], kind="stable").iloc[0]
        notes.append(
            panel_finding(
                "activity_without_spend",
                Verdict.PASS,
                f"channel {channel.name!r}: {int(alone.sum())} row(s) have activity and no spend, "
                f"{share:.2%} of its activity, the first {first[ENTITY_COLUMN]}, "
                f"{first[PERIOD_COLUMN]:%Y-%m-%d}.",
                "Nothing to do where it trails what was paid before; else add the spend.",
                n_affected=int(alone.sum()),
            )
        )
    return notes


def judge_candidate(
    info: ColumnInfo,
    *,
    detected: Grain | None,
    wanted: Grain | None,
    max_missing_share: float,
    is_replay: bool = False,
) -> list[Finding]:
    """Judge the panel as a whole: grain, future periods, missing history."""
    findings = _judge_grain(detected, wanted)
    future = info.n_future_periods
    if future:
        findings.append(
            panel_finding(
                "future_periods",
                Verdict.PASS if is_replay else Verdict.REVIEW,
                f"{future} period(s) start after the as-of date {info.as_of} and were left out.",
                "Nothing to do: their date has not come in the replay."
                if is_replay
                else "Check the dates and --as-of; planned periods are not fitted.",
                n_affected=future,
            )
        )
    if running := info.running_periods:
        findings.append(
            panel_finding(
                "running_period",
                Verdict.PASS,
                f"the period(s) that began {', '.join(map(str, running))} had not ended at the "
                f"as-of date {info.as_of} and were left out.",
                "Nothing to do: the next file has them whole.",
                n_affected=len(running),
            )
        )
    findings += _note_planned(info)
    for column, facts in info.columns.items():
        share = facts.missing_rate
        if share > max_missing_share and facts.role != "kpi":
            findings.append(
                panel_finding(
                    "missing_history",
                    Verdict.FAIL,
                    f"column {column!r}: {share:.1%} of the panel's values are missing.",
                    "Give the column's history in the file, or drop it from the spec.",
                    column=column,
                )
            )
    return findings


def _note_planned(info: ColumnInfo) -> list[Finding]:
    """Say which rows were read as a plan; a KPI that has been missing for long is a review."""
    planned = info.planned
    if planned is None:
        return []
    message = (
        f"{planned.n_rows} row(s) after the last KPI have none, {planned.first} to {planned.last}, "
        "and are read as the plan of coming periods."
    )
    if planned.n_ended:
        message += f" {planned.n_ended} of these periods are over at the as-of date {info.as_of}."
    if planned.left_out:
        message += (
            " Left out are those of entities without a KPI in the last period that has any: "
            f"{', '.join(planned.left_out[:5])}."
        )
    return [
        panel_finding(
            "planned_rows",
            Verdict.REVIEW if planned.n_ended > MOST_LATE_PERIODS else Verdict.PASS,
            message,
            "Nothing to do where it is what the whole periods are to get; fill in the KPI of those "
            "that are over.",
            n_affected=planned.n_rows,
        )
    ]


def _judge_grain(detected: Grain | None, wanted: Grain | None) -> list[Finding]:
    if detected is None:
        return [
            panel_finding(
                "grain_undetectable",
                Verdict.FAIL if wanted is None else Verdict.REVIEW,
                "the dates are neither weekly nor monthly for the most part.",
                "Give one row per week or per month; daily data must be summed first.",
            )
        ]
    if wanted is not None and detected is not wanted:
        return [
            panel_finding(
                "wrong_grain",
                Verdict.FAIL,
                f"the spec says grain {wanted}, the dates are {detected}.",
                "Correct grain in the spec, or leave it out.",
            )
        ]
    return []
