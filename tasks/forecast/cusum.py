"""A watch over residuals: whether forecasts miss to one side for longer than chance does.

The tabular CUSUM of Page (1954), two-sided, as Montgomery's *Introduction to Statistical Quality
Control* has it: residuals in standard deviations, ``k`` of half a standard deviation, ``h`` of
five. Of a model that is right, it gives a false alarm about once in 465 periods; a shift of one
standard deviation is found after about ten.

One rule is our own: while an alarm lasts, the sum is held at the limit, so that an alarm ends about
ten periods after its cause, however large that was. It ends when the sum is back at zero.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import pandas as pd

from schemas.documents.forecast_scores import Alarm, AlarmKind, Basis
from schemas.names import PERIOD_COLUMN, ForecastScope

REFERENCE = 0.5
"""``k``: half the shift, in standard deviations, that is to be found."""
LIMIT = 5.0
"""``h``: the sum above which there is an alarm."""
_SIDES = {AlarmKind.KPI_ABOVE_FORECAST: 1.0, AlarmKind.KPI_BELOW_FORECAST: -1.0}


class Excursion(NamedTuple):
    """One alarm, from the period where the sum left zero."""

    kind: AlarmKind
    first_period: date
    raised_period: date
    level: float
    """The sum in ``raised_period``."""
    is_over: bool


def pick_residuals(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one standardized residual per period, the oldest first.

    Parameters
    ----------
    scores
        ``schemas.documents.forecast_scores.SCORE_COLUMNS``, the oldest run first.

    Returns
    -------
    pd.DataFrame
        ``period_start, z``: of scope ``all``, one period ahead or as near to it as there is; of
        the model as deployed where it was evaluated, else of the published forecast; of the newest
        run among equals.
    """
    table = scores[(scores["scope"] == ForecastScope.ALL.value) & scores["z"].notna()]
    ranked = table.assign(
        is_published=table["basis"] == Basis.PUBLISHED.value, age=-pd.RangeIndex(len(table))
    ).sort_values([PERIOD_COLUMN, "periods_ahead", "is_published", "age"])
    return ranked.drop_duplicates(PERIOD_COLUMN)[[PERIOD_COLUMN, "z"]].reset_index(drop=True)


def find_excursions(periods: Sequence[date], z: Sequence[float]) -> list[Excursion]:
    """Run the CUSUM over standardized residuals in order, and return every alarm it gives."""
    found = [e for kind in _SIDES for e in _one_side(kind, periods, z)]
    return sorted(found, key=lambda e: (e.raised_period, e.kind))


def watch_scores(scores: pd.DataFrame) -> list[Excursion]:
    """Return every alarm that the scores of a dataset give."""
    residuals = pick_residuals(scores)
    return find_excursions(list(residuals[PERIOD_COLUMN].dt.date), residuals["z"].tolist())


def _one_side(kind: AlarmKind, periods: Sequence[date], z: Sequence[float]) -> list[Excursion]:
    found: list[Excursion] = []
    level, first, lasts = 0.0, None, False
    for period, value in zip(periods, z, strict=True):
        level = max(0.0, level + _SIDES[kind] * value - REFERENCE)
        if level == 0.0:
            if lasts:
                found[-1] = found[-1]._replace(is_over=True)
            first, lasts = None, False
            continue
        first = first or period
        if level > LIMIT and not lasts:
            found.append(Excursion(kind, first, period, level, is_over=False))
            lasts = True
        level = min(level, LIMIT) if lasts else level
    return found


class Watch(NamedTuple):
    """Alarms to be written, and which of them are news."""

    changed: list[Alarm]
    raised: list[Alarm]


def update_alarms(
    dataset_id: str, known: Sequence[Alarm], excursions: Sequence[Excursion], *, now: datetime
) -> Watch:
    """Compare excursions with the alarms that were raised before.

    An excursion and an alarm of one kind whose periods overlap are the same: a restated KPI may
    move its ends by some periods. An alarm whose excursion is over, or is gone because the KPI was
    restated, is cleared. An excursion that was over before anybody looked is written as cleared.
    """
    changed, raised, matched = [], [], set()
    for excursion in excursions:
        same = next((a for a in known if _is_same(a, excursion)), None)
        if same is None:
            alarm = _raise(dataset_id, excursion, now)
            changed.append(alarm)
            raised += [] if excursion.is_over else [alarm]
            continue
        matched.add(same)
        if (same.cleared_at is not None) != excursion.is_over:
            changed.append(
                same.model_copy(update={"cleared_at": now if excursion.is_over else None})
            )
    gone = [a for a in known if a not in matched and a.cleared_at is None]
    changed += [alarm.model_copy(update={"cleared_at": now}) for alarm in gone]
    return Watch(changed, raised)


def _is_same(alarm: Alarm, excursion: Excursion) -> bool:
    return (
        alarm.kind is excursion.kind
        and alarm.first_period <= excursion.raised_period
        and excursion.first_period <= alarm.raised_period
    )


def _raise(dataset_id: str, excursion: Excursion, now: datetime) -> Alarm:
    side = "above" if excursion.kind is AlarmKind.KPI_ABOVE_FORECAST else "below"
    return Alarm(
        dataset_id=dataset_id,
        kind=excursion.kind,
        first_period=excursion.first_period,
        raised_period=excursion.raised_period,
        raised_at=now,
        detail=(
            f"The KPI has been {side} what the model expects since {excursion.first_period}: the "
            f"CUSUM of residuals came to {excursion.level:.1f} in the period of "
            f"{excursion.raised_period}, past its limit of {LIMIT:g}."
        ),
        cleared_at=now if excursion.is_over else None,
    )
