"""The watch over residuals: by hand, on noise, on shifts, and what becomes of alarms."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from schemas.documents.forecast_scores import SCORE_COLUMNS, Alarm, AlarmKind
from tasks.forecast.cusum import Excursion, find_excursions, pick_residuals, update_alarms
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.scores import alarms_of, find_alarms, write_alarms

ABOVE, BELOW = AlarmKind.KPI_ABOVE_FORECAST, AlarmKind.KPI_BELOW_FORECAST
NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


def weeks(n, first=date(2024, 1, 1)):
    return [first + timedelta(days=7 * i) for i in range(n)]


def excursions(z):
    return find_excursions(weeks(len(z)), list(z))


def test_a_drift_by_hand():
    # Sums less 0.5 each: 0, 0.7, 0 (leaves zero again with 2.0), 1.5, 3.5, 5.5.
    (found,) = excursions([0.2, 1.2, -0.5, 2.0, 2.5, 2.5])
    assert found == Excursion(ABOVE, weeks(6)[3], weeks(6)[5], 5.5, is_over=False)
    (mirrored,) = excursions([-0.2, -1.2, 0.5, -2.0, -2.5, -2.5])
    assert mirrored == found._replace(kind=BELOW)


def test_five_is_not_past_five():
    assert excursions([2.0, 2.0, 2.0, 2.0])[0].raised_period == weeks(4)[3]
    assert excursions([3.0, 3.0]) == []


def test_an_excursion_is_one_alarm_and_ends_ten_quiet_periods_after_it():
    (lasting,) = excursions([4.0] * 5 + [0.0] * 9)
    assert not lasting.is_over
    (over,) = excursions([4.0] * 5 + [0.0] * 10)
    assert over == lasting._replace(is_over=True)
    twice = excursions([4.0] * 5 + [0.0] * 10 + [4.0] * 3)
    assert [e.is_over for e in twice] == [True, False]
    assert twice[1].first_period == weeks(18)[15]


def test_noise_of_a_right_model_is_quiet_for_years():
    """Montgomery's table gives a mean of 465 periods to a false alarm."""
    alarms = sum(
        len(excursions(np.random.default_rng(seed).standard_normal(52))) for seed in range(200)
    )
    assert 200 * 52 / alarms > 350
    assert excursions(np.random.default_rng(1).standard_normal(104)) == []


@pytest.mark.parametrize(("shift", "within"), [(1.0, 15), (2.0, 6), (-2.0, 6), (3.0, 4)])
def test_a_shift_is_found_within_a_few_periods(shift, within):
    delays = []
    for seed in range(40):
        z = np.random.default_rng(seed).standard_normal(70)
        z[30:] += shift
        side = ABOVE if shift > 0 else BELOW
        raised = [e.raised_period for e in excursions(z) if e.kind is side]
        after = [weeks(70).index(p) - 29 for p in raised if p >= weeks(70)[30]]
        delays.append(after[0] if after else 99)
    assert np.median(delays) <= within
    assert np.quantile(delays, 0.9) <= 2.5 * within


def score_table(*rows):
    """Rows of run, basis, scope, period, periods ahead, z."""
    names = ["forecast_run_id", "basis", "scope", "period_start", "periods_ahead", "z"]
    table = pd.DataFrame(rows, columns=names)
    table["period_start"] = pd.to_datetime(table["period_start"])
    return table.reindex(columns=list(SCORE_COLUMNS))


def test_one_residual_per_period_is_watched():
    table = score_table(
        ("r1", "published", "all", "2024-01-01", 1, 9.0),
        ("r1", "deployed", "all", "2024-01-01", 1, 1.0),
        ("r1", "deployed", "entity", "2024-01-01", 1, 9.0),
        ("r1", "deployed", "all", "2024-01-08", 2, 9.0),
        ("r2", "published", "all", "2024-01-08", 1, 2.0),
        ("r1", "deployed", "all", "2024-01-15", 3, 9.0),
        ("r2", "deployed", "all", "2024-01-15", 2, 3.0),
        ("r3", "deployed", "all", "2024-01-22", 1, 9.0),
        ("r4", "deployed", "all", "2024-01-22", 1, 4.0),
        ("r4", "deployed", "all", "2024-01-29", 2, np.nan),
    )
    got = pick_residuals(table)
    assert got["z"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert got["period_start"].is_monotonic_increasing


def test_without_scores_there_is_nothing_to_watch():
    got = pick_residuals(score_table())
    assert got.empty
    assert find_excursions(list(got["period_start"].dt.date), got["z"].tolist()) == []


def excursion(first=3, raised=5, *, kind=ABOVE, is_over=False):
    return Excursion(kind, weeks(20)[first], weeks(20)[raised], 6.25, is_over)


def test_an_alarm_is_raised_once_and_cleared_once():
    first = update_alarms("demo", [], [excursion()], now=NOW)
    assert first.changed == first.raised
    alarm = first.raised[0]
    assert (alarm.kind, alarm.first_period, alarm.cleared_at) == (ABOVE, weeks(20)[3], None)
    assert "above" in alarm.detail
    assert "6.2" in alarm.detail
    again = update_alarms("demo", [alarm], [excursion()], now=NOW + timedelta(days=7))
    assert (again.changed, again.raised) == ([], [])
    later = NOW + timedelta(days=70)
    over = update_alarms("demo", [alarm], [excursion(is_over=True)], now=later)
    assert over.raised == []
    assert over.changed == [alarm.model_copy(update={"cleared_at": later})]
    assert update_alarms("demo", over.changed, [excursion(is_over=True)], now=NOW).changed == []


def test_a_restated_kpi_moves_an_alarm_and_does_not_raise_it_again():
    alarm = update_alarms("demo", [], [excursion(3, 5)], now=NOW).raised[0]
    moved = update_alarms("demo", [alarm], [excursion(4, 7)], now=NOW)
    assert (moved.changed, moved.raised) == ([], [])
    other_side = update_alarms("demo", [alarm], [excursion(3, 5, kind=BELOW)], now=NOW)
    assert [a.kind for a in other_side.raised] == [BELOW]


def test_an_alarm_that_a_restated_kpi_takes_back_is_cleared():
    alarm = update_alarms("demo", [], [excursion()], now=NOW).raised[0]
    gone = update_alarms("demo", [alarm], [], now=NOW)
    assert gone.changed == [alarm.model_copy(update={"cleared_at": NOW})]


def test_a_second_drift_is_a_second_alarm():
    first = update_alarms("demo", [], [excursion(3, 5, is_over=True)], now=NOW)
    assert first.raised == [], "it was over before anybody looked"
    second = update_alarms(
        "demo", first.changed, [excursion(3, 5, is_over=True), excursion(15, 17)], now=NOW
    )
    assert [a.first_period for a in second.raised] == [weeks(20)[15]]


def test_alarms_come_back_as_they_were_written(home):
    raised = update_alarms("demo", [], [excursion(), excursion(9, 12, kind=BELOW)], now=NOW).raised
    other = Alarm(**raised[0].model_dump() | {"dataset_id": "x'; drop table ops.alarms; --"})
    cleared = raised[0].model_copy(update={"cleared_at": NOW})
    with writing(home, "demo") as con:
        write_alarms(con, raised)
        write_alarms(con, [cleared])
    with writing(home, other.dataset_id) as con:
        write_alarms(con, [other])
    assert alarms_of(home, "demo") == [raised[1]]
    assert alarms_of(home, "demo", is_open=False) == [raised[1], cleared]
    assert {a.dataset_id for a in alarms_of(home)} == {"demo", other.dataset_id}
    with writing(home, other.dataset_id) as con:
        assert find_alarms(con, other.dataset_id, is_open=True) == [other]
