"""Canonical rules: what the panel's rows must be judged on, computed as plain columns.

Belongs here: grid, balance, history, pairing and outlier columns; grain, drift and future rules.
Does not: expectations (``schemas/suites/canonical.json``), reading files.
"""

from datetime import date

import numpy as np
import pandas as pd

from schemas.documents.data import ColumnInfo
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import common_anchor, describe_anchor, is_on_grid, n_periods_between

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution."""


def paired_channels(roles: ColumnRoles) -> list[str]:
    """Return the channels that have both spend and activity."""
    return [c.name for c in roles.channels if c.spend_column and c.activity_column]


def canonical_frame(panel: pd.DataFrame, roles: ColumnRoles, grain: Grain) -> pd.DataFrame:
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
            "unbalanced": _unbalanced(rows, first_row),
            "periods of entity": by_entity.transform("size").where(first_row),
            "kpi robust z": by_entity.transform(robust_z),
        }
    )
    for channel in roles.channels:
        if channel.spend_column and channel.activity_column:
            frame[f"unpaired {channel.name}"] = _unpaired(
                rows[channel.spend_column], rows[channel.activity_column]
            )
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


def _unbalanced(rows: pd.DataFrame, first_row: pd.Series) -> pd.Series:
    starts = rows[PERIOD_COLUMN]
    first = starts.groupby(rows[ENTITY_COLUMN]).transform("min")
    last = starts.groupby(rows[ENTITY_COLUMN]).transform("max")
    differs = ((first != starts.min()) | (last != starts.max())) & first_row
    reported = (
        first.dt.strftime("%Y-%m-%d")
        + " to "
        + last.dt.strftime("%Y-%m-%d")
        + f" of {starts.min():%Y-%m-%d} to {starts.max():%Y-%m-%d}"
    )
    return reported.where(differs)


def _unpaired(spend: pd.Series, activity: pd.Series) -> pd.Series:
    spends, acts = spend.fillna(0) > 0, activity.fillna(0) > 0
    reported = pd.Series(None, spend.index, dtype="str")
    reported[spends & ~acts] = "spend without activity"
    reported[acts & ~spends] = "activity without spend"
    return reported


def judge_candidate(
    info: ColumnInfo,
    *,
    detected: Grain | None,
    wanted: Grain | None,
    max_drift_ratio: float,
    max_missing_share: float,
    is_replay: bool = False,
) -> list[Finding]:
    """Judge the panel as a whole: grain, future periods, missing history, drift."""
    findings = _judge_grain(detected, wanted)
    future = info.n_future_periods
    if future:
        findings.append(
            _finding(
                "future_periods",
                Verdict.PASS if is_replay else Verdict.REVIEW,
                f"{future} period(s) start after the as-of date {info.as_of} and were left out.",
                "Nothing to do: their date has not come in the replay."
                if is_replay
                else "Check the dates and --as-of; planned periods are not fitted.",
                n_affected=future,
            )
        )
    for column, facts in info.columns.items():
        share = facts.missing_rate
        if share > max_missing_share and facts.role != "kpi":
            findings.append(
                _finding(
                    "missing_history",
                    Verdict.FAIL,
                    f"column {column!r}: {share:.1%} of the panel's values are missing.",
                    "Give the column's history in the file, or drop it from the spec.",
                    column=column,
                )
            )
        ratio = facts.drift_ratio
        if ratio is not None and not 1 / max_drift_ratio <= ratio <= max_drift_ratio:
            findings.append(
                _finding(
                    "drift",
                    Verdict.REVIEW,
                    f"column {column!r}: its median is {ratio:.3g} times that known before.",
                    "Check the unit of the column (thousands, currency) in this file.",
                    column=column,
                )
            )
    return findings


def _judge_grain(detected: Grain | None, wanted: Grain | None) -> list[Finding]:
    if detected is None:
        return [
            _finding(
                "grain_undetectable",
                Verdict.FAIL if wanted is None else Verdict.REVIEW,
                "the dates are neither weekly nor monthly for the most part.",
                "Give one row per week or per month; daily data must be summed first.",
            )
        ]
    if wanted is not None and detected is not wanted:
        return [
            _finding(
                "wrong_grain",
                Verdict.FAIL,
                f"the spec says grain {wanted}, the dates are {detected}.",
                "Correct grain in the spec, or leave it out.",
            )
        ]
    return []


def _finding(
    rule: str,
    verdict: Verdict,
    message: str,
    remedy: str,
    *,
    column: str | None = None,
    n_affected: int | None = None,
) -> Finding:
    return Finding(
        layer=Layer.CANONICAL,
        rule=rule,
        verdict=verdict,
        message=message,
        remedy=remedy,
        column=column,
        n_affected=n_affected,
    )
