"""Numbers of months given as weeks, a last week not yet whole, units that change: all are told."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from schemas.outcomes import Verdict
from tasks.validate.units import change_of_unit

N = 150
DAYS = [date(2022, 1, 3) + timedelta(days=7 * t) for t in range(N)]


def series(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "sales": (rng.gamma(60, 150, N)).round(2),
        "spend_tv": (rng.gamma(2, 500, N) * (rng.random(N) > 0.4)).round(2),
        "spend_web": rng.gamma(6, 90, N).round(2),
    }


def rows_of(columns):
    header = ",".join(["period_start", *columns])
    cells = zip(DAYS, *columns.values(), strict=True)
    return [header, *(",".join(map(str, row)) for row in cells)]


def by_month(values, how="mean"):
    month = pd.Series(pd.to_datetime(DAYS)).dt.to_period("M")
    return pd.Series(values).groupby(month).transform(how).round(2).to_numpy()


def found(outcome, *verdicts):
    wanted = verdicts or (Verdict.REVIEW, Verdict.FAIL)
    return [f.rule for f in outcome.findings if f.verdict in wanted]


@pytest.mark.parametrize("seed", range(10))
def test_numbers_of_weeks_are_passed(world, seed):
    assert world.canonical(rows_of(series(seed))).findings == []


def test_a_kpi_of_months_is_a_review_and_rows_of_months_are_read(world):
    own = series()
    spread = own | {"sales": by_month(own["sales"])}
    assert found(world.canonical(rows_of(spread))) == ["kpi_by_month"]
    frame = pd.DataFrame(own, index=pd.to_datetime(DAYS)).resample("MS").sum().round(2)[:-1]
    months = [",".join(["period_start", *own])]
    months += [f"{day:%Y-%m-%d}," + ",".join(map(str, row)) for day, *row in frame.itertuples()]
    assert found(world.canonical(months)) == []


def test_media_of_months_are_noted(world):
    own = series()
    spread = own | {"spend_tv": by_month(own["spend_tv"])}
    outcome = world.canonical(rows_of(spread))
    assert (found(outcome), found(outcome, Verdict.PASS)) == ([], ["media_by_month"])


def test_a_last_week_that_is_not_whole_is_a_review_until_it_is_left_out(world):
    own = series()
    own["sales"][-1] *= 0.3
    outcome = world.canonical(rows_of(own))
    assert "incomplete_last_period" in found(outcome)
    assert str(DAYS[-1]) in outcome.findings[0].message
    assert found(world.canonical(rows_of(own)[:-1])) == []


@pytest.mark.parametrize("column", ["sales", "spend_web", "spend_tv"])
def test_a_unit_that_changes_is_a_review_and_one_unit_is_none(world, column):
    own = series()
    changed = own | {column: np.where(np.arange(N) < 50, own[column] * 1000, own[column]).round(2)}
    rules = found(world.canonical(rows_of(changed)))
    assert "change_of_unit" in rules
    assert found(world.canonical(rows_of(own))) == []


@pytest.mark.parametrize("unit", [100, 1000, 1e6])
@pytest.mark.parametrize("at", [8, 40, 142])
def test_a_step_by_a_unit_is_found_where_it_is(unit, at):
    values = np.random.default_rng(1).gamma(20, 10, N)
    assert change_of_unit(np.where(np.arange(N) < at, values / unit, values)) == (at, unit)
    assert change_of_unit(np.where(np.arange(N) < at, values * unit, values)) == (at, unit)


@pytest.mark.parametrize("times", [3, 10, 30])
def test_a_channel_that_was_scaled_up_changes_no_unit(times):
    values = np.random.default_rng(1).gamma(20, 10, N)
    assert change_of_unit(np.where(np.arange(N) < 50, values, values * times)) is None


@pytest.mark.parametrize("times", [0.1, 3])
def test_contacts_that_are_counted_otherwise_are_a_review_and_spend_alone_is_none(world, times):
    own = series()
    seen = np.round(own["spend_web"] * 120 * np.where(np.arange(N) < 60, 1, times))
    outcome = world.canonical(rows_of(own | {"act_web": seen}))
    (told,) = [f for f in outcome.findings if f.verdict is Verdict.REVIEW]
    assert (told.rule, told.column) == ("change_of_cost_per_unit", "act_web")
    assert str(DAYS[60]) in told.message
    assert found(world.canonical(rows_of(own))) == []


def test_a_price_that_rises_over_years_is_no_change_of_contacts(world):
    own = series()
    contacts = np.round(own["spend_web"] * 120 / 4 ** (np.arange(N) / N))
    assert found(world.canonical(rows_of(own | {"act_web": contacts}))) == []


def test_a_discount_that_is_a_share_and_then_per_cent_is_a_review(world):
    own = series()
    share = 0.2 * (np.random.default_rng(4).random(N) < 0.12)
    mixed = share * np.where(np.arange(N) < N // 2, 1, 100)
    outcome = world.canonical(rows_of(own | {"ctrl_discount": mixed.round(2)}))
    assert found(outcome) == ["change_of_unit"]
    assert found(world.canonical(rows_of(own | {"ctrl_discount": share}))) == []


MONEY = ["sales", "spend_tv", "spend_web"]


@pytest.mark.parametrize("rate", [7.5, 1.95583, 1 / 7.5, 25])
def test_a_currency_that_changes_is_a_review_and_one_currency_is_none(world, rate):
    own = series()
    own["sales"] = np.random.default_rng(2).gamma(400, 22, N).round(2)
    late = np.arange(N) >= 90
    changed = {c: np.where(late, v / rate, v).round(2) for c, v in own.items()}
    outcome = world.canonical(rows_of(changed))
    (told,) = [f for f in outcome.findings if f.rule.startswith("change_of")]
    assert (told.rule, told.verdict) == ("change_of_currency", Verdict.REVIEW)
    assert str(DAYS[90]) in told.message
    converted = {c: np.where(late, v * rate, v).round(2) for c, v in changed.items()}
    assert found(world.canonical(rows_of(converted))) == []


def test_a_kpi_that_is_another_from_a_day_on_is_a_review(world):
    own = series()
    own["sales"] = np.where(np.arange(N) < 70, own["sales"], own["sales"] / 12).round(2)
    assert "change_of_unit" in found(world.canonical(rows_of(own)))


@pytest.mark.parametrize("times", [2, 10, 40])
def test_a_business_that_grows_changes_no_unit(world, times):
    grown = {c: (v * times ** (np.arange(N) / N)).round(2) for c, v in series().items()}
    assert found(world.canonical(rows_of(grown))) == []


def to_date(values, freq):
    """Totals since the month, quarter, year, fiscal year or the file began."""
    days = pd.to_datetime(pd.Series(DAYS))
    if freq == "all":
        return np.cumsum(values).round(2)
    return pd.Series(values).groupby(days.dt.to_period(freq)).cumsum().round(2).to_numpy()


@pytest.mark.parametrize("freq", ["all", "M", "Q", "Y", "Y-JUN"])
@pytest.mark.parametrize("column", ["sales", "spend_web"])
def test_a_total_to_date_is_a_review_and_its_differences_are_none(world, freq, column):
    own = series()
    outcome = world.canonical(rows_of(own | {column: to_date(own[column], freq)}))
    (told,) = [f for f in outcome.findings if f.rule == "running_total"]
    assert told.verdict is Verdict.REVIEW
    assert repr(column) in told.message
    assert found(world.canonical(rows_of(own))) == []


def test_a_fee_that_is_raised_now_and_then_is_no_total(world):
    own = series() | {"spend_web": 500.0 + 50 * (np.arange(N) // 26)}
    assert "running_total" not in found(world.canonical(rows_of(own)))
