"""Controls of the coming periods: a promotion or a feast that was elsewhere a year before.

A forecast that is not told otherwise repeats controls from a year ago. That is right for weather
and prices, and wrong for what moves in the calendar: Easter, a sale, a launch.
"""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate, repeat

import pandas as pd

from schemas.documents.features import FeatureMetadata
from schemas.names import PERIOD_COLUMN
from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.planned import PlannedPeriod
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import PERIODS_PER_YEAR, next_start

MOSTLY_OFF = 0.8
"""Share of periods at zero from which on a control is an occasion, not a quantity."""
MOVES_FROM = 0.5
"""Share of occasions that were not there a year before, from which on it moves."""
AROUND = {Grain.WEEK: 5, Grain.MONTH: 1}
"""Periods by which a feast moves at most from one year to the next."""
_MOST_LISTED = 5


def judge_coming_controls(
    features: pd.DataFrame,
    metadata: FeatureMetadata,
    *,
    horizon: int,
    planned: Sequence[PlannedPeriod] = (),
) -> list[Finding]:
    """Note controls whose occasions move, where the coming periods are to repeat last year's.

    Parameters
    ----------
    features
        ``features.parquet``: ``period_start`` and the columns of the controls, every entity.
    metadata
        Names the columns and the grain.
    horizon
        Periods that are forecast.
    planned
        What the run spec says of coming periods: a control that it states is not repeated.

    Returns
    -------
    list of Finding
        One note per control, rule ``moving_control``.
    """
    grain = metadata.grain
    stated = {column for row in planned for column in row.values}
    columns = [c for c in metadata.control_columns if c not in stated]
    if not columns:
        return []
    table = features[columns].abs().groupby(features[PERIOD_COLUMN]).max().sort_index() > 0
    year = PERIODS_PER_YEAR[grain]
    if len(table) <= year:
        return []
    last = pd.Timestamp(table.index[-1]).date()
    coming = list(
        accumulate(repeat(grain, horizon - 1), next_start, initial=next_start(last, grain))
    )
    return [
        _note(column, coming, table[column], grain)
        for column in columns
        if _moves(table[column], year) and _is_near(table[column], year, horizon, AROUND[grain])
    ]


def _moves(is_on: pd.Series, year: int) -> bool:
    """Whether most occasions with a known year before them were elsewhere in it."""
    if 1 - is_on.mean() < MOSTLY_OFF:
        return False
    occasions = is_on.iloc[year:][is_on.iloc[year:]].index
    elsewhere = ~is_on.shift(year, fill_value=False).loc[occasions]
    return bool(len(occasions)) and float(elsewhere.mean()) >= MOVES_FROM


def _is_near(is_on: pd.Series, year: int, horizon: int, around: int) -> bool:
    """Whether an occasion of last year was, or may come to be, in the coming periods."""
    first = len(is_on) - year
    return bool(is_on.iloc[max(first - around, 0) : first + horizon + around].any())


def _note(column: str, coming: Sequence[date], is_on: pd.Series, grain: Grain) -> Finding:
    known = is_on.iloc[-PERIODS_PER_YEAR[grain] :].to_numpy()
    repeated = [str(day) for place, day in enumerate(coming) if known[place % len(known)]]
    listed = ", ".join(repeated[:_MOST_LISTED]) + " …" * (len(repeated) > _MOST_LISTED)
    words = f"{grain.word}s" if len(repeated) > 1 else grain.word
    where = f"in the {words} from {listed}" if repeated else f"in none of these {grain.word}s"
    return Finding(
        layer=Layer.FEATURES,
        rule="moving_control",
        verdict=Verdict.PASS,
        message=f"control {column!r} was at other times of the year in earlier years, and the "
        f"forecast of the next {len(coming)} {grain.word}s has it where it was a year ago: "
        f"{where}.",
        remedy="State its coming values in `planned` of the run spec, or its days as an event "
        "(`model.events`).",
        column=column,
    )
