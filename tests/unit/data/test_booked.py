"""Money booked in another way than it worked (bills, totals, commissions) is told before a fit."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from schemas.outcomes import Verdict
from tasks.store.files.artifacts import read_parquet
from tasks.store.home import current_home

RNG_SEED = 5
N = 104


def spends(n=N, seed=RNG_SEED):
    rng = np.random.default_rng(seed)
    return {"tv": rng.gamma(2, 500, n).round(2), "web": rng.gamma(6, 90, n).round(2)}


def table(channels, n=N, kpi=None, entities=("north",)):
    rng = np.random.default_rng(1)
    sales = rng.gamma(30, 300, n).round(2) if kpi is None else kpi
    first = date(2023, 1, 2)
    rows = [",".join(["entity_id", "period_start", "sales", *(f"spend_{c}" for c in channels)])]
    for factor, entity in enumerate(entities, start=1):
        for t in range(n):
            cells = [entity, str(first + timedelta(days=7 * t)), sales[t] * factor]
            cells += [(c[t] * factor).round(2) for c in channels.values()]
            rows.append(",".join(map(str, cells)))
    return rows


def rules(outcome):
    return [f.rule for f in outcome.findings if f.verdict is not Verdict.PASS]


def months(n=N):
    return pd.Series(pd.date_range("2023-01-02", periods=n, freq="7D")).dt.to_period("M")


def billed(spend, at):
    """One bill a month, in its first or last week."""
    month = months(len(spend))
    total = pd.Series(spend).groupby(month).transform("sum").to_numpy()
    other = month.shift(1 if at == "first" else -1)
    return np.where(month != other, total, 0.0).round(2)


def test_a_total_beside_its_channels_is_refused_and_leaving_it_out_is_enough(world):
    own = spends()
    radio = np.linspace(400, 10, N).round(2)
    whole = table({**own, "radio": radio, "total": sum(own.values()) + radio})
    outcome = world.canonical(whole)
    assert rules(outcome) == ["total_of_channels"]
    (found,) = [f for f in outcome.findings if f.rule == "total_of_channels"]
    assert found.verdict is Verdict.FAIL
    assert found.column == "spend_total"
    assert "'radio', 'tv', 'web'" in found.message
    left = table({**own, "radio": radio})
    assert world.canonical(left).verdict is Verdict.PASS


def test_a_total_of_some_channels_is_found_among_others(world):
    own = spends()
    rounded = np.round(own["tv"] + own["web"])
    outcome = world.canonical(table({**own, "mail": spends(seed=9)["tv"], "digital": rounded}))
    assert rules(outcome) == ["total_of_channels"]


@pytest.mark.parametrize("at", ["first", "last"])
@pytest.mark.parametrize("entities", [("north",), ("north", "south")])
def test_bills_are_a_review_and_money_spread_over_its_month_is_none(world, at, entities):
    own = spends()
    outcome = world.canonical(table({**own, "tv": billed(own["tv"], at)}, entities=entities))
    assert rules(outcome) == ["spend_as_billed"]
    (found,) = [f for f in outcome.findings if f.rule == "spend_as_billed"]
    assert f"the {at} of them" in found.message
    spread = pd.Series(own["tv"]).groupby(months()).transform("mean").round(2).to_numpy()
    assert world.canonical(table({**own, "tv": spread}, entities=entities)).verdict is Verdict.PASS


def test_bills_of_a_channel_whose_contacts_are_known_are_no_matter(world):
    own = spends()
    rows = table({**own, "tv": billed(own["tv"], "first")})
    contacts = np.round(own["tv"] * 20) + 1
    rows = [f"{row},{'act_tv' if i == 0 else contacts[i - 1]}" for i, row in enumerate(rows)]
    assert "spend_as_billed" not in [f.rule for f in world.canonical(rows).findings]


@pytest.mark.parametrize(("unit", "words"), [("Q", "one week a quarter"), ("Y", "one week a year")])
def test_bills_of_a_quarter_or_a_year_are_a_review(world, unit, words):
    own = spends()
    span = pd.Series(pd.date_range("2023-01-02", periods=N, freq="7D")).dt.to_period(unit)
    total = pd.Series(own["tv"]).groupby(span).transform("sum")
    at_once = np.where(span != span.shift(1), total, 0.0).round(2)
    outcome = world.canonical(table({**own, "tv": at_once}))
    assert rules(outcome) == ["spend_as_billed"]
    assert words in outcome.findings[0].message
    assert world.canonical(table(own)).verdict is Verdict.PASS


def test_bills_of_every_second_week_are_a_review_and_their_halves_are_none(world):
    own = spends()
    pairs = pd.Series(own["tv"]).groupby(np.arange(N) // 2)
    at_once = np.where(np.arange(N) % 2 == 1, pairs.transform("sum"), 0.0).round(2)
    outcome = world.canonical(table({**own, "tv": at_once}))
    assert rules(outcome) == ["spend_as_billed"]
    assert "every second period" in outcome.findings[0].message
    halves = pairs.transform("mean").round(2).to_numpy()
    assert rules(world.canonical(table({**own, "tv": halves}))) == []


@pytest.mark.parametrize("seed", range(20))
def test_flights_of_a_channel_are_no_bills(world, seed):
    rng = np.random.default_rng(seed)
    own = spends(seed=seed)
    bursts = np.where(rng.random(N) < 0.23, own["tv"], 0.0)
    assert rules(world.canonical(table({**own, "tv": bursts}))) == []


def test_a_commission_is_a_review_and_its_clicks_are_read(world):
    rng = np.random.default_rng(3)
    sales = rng.gamma(30, 300, N).round(2)
    fee = (0.1 * sales * rng.normal(1, 0.01, N)).round(2)
    rows = table({**spends(), "affiliate": fee}, kpi=sales)
    assert rules(world.canonical(rows)) == ["spend_follows_kpi"]
    clicks = rng.poisson(300, N)
    rows = [f"{row},{'act_affiliate' if i == 0 else clicks[i - 1]}" for i, row in enumerate(rows)]
    assert world.canonical(rows).verdict is Verdict.PASS
    wide = read_parquet(current_home(), world.candidate(rows).wide)
    assert list(wide["act_affiliate"]) == list(clicks)


def test_weeks_of_the_calendar_and_times_at_midnight_are_dates(world):
    plain = table(spends())
    expected = read_parquet(current_home(), world.candidate(plain).wide)
    weeks = (lambda d: f"{d:%G-W%V}", lambda d: f"{d}T00:00:00Z", lambda d: f"{d} 00:00:00+01:00")
    for written in weeks:
        rows = [plain[0]]
        for row in plain[1:]:
            entity, day, rest = row.split(",", 2)
            rows.append(f"{entity},{written(date.fromisoformat(day))},{rest}")
        pd.testing.assert_frame_equal(
            read_parquet(current_home(), world.candidate(rows).wide), expected
        )


def test_national_money_that_stands_in_every_market_is_a_review_and_divided_it_is_none(world):
    own = spends()
    north = table(own)
    same = [*north, *(row.replace("north", "south") for row in north[1:])]
    assert rules(world.canonical(same)) == ["same_spend_everywhere"] * 2
    north, south = (table({c: (s * part).round(2) for c, s in own.items()}) for part in (0.7, 0.3))
    divided = [*north, *(row.replace("north", "south") for row in south[1:])]
    assert world.canonical(divided).verdict is Verdict.PASS


def test_a_control_that_sales_make_is_a_review_and_without_it_there_is_none(world):
    rng = np.random.default_rng(4)
    rows = table(spends())
    sales = [float(row.split(",")[2]) for row in rows[1:]]
    visits = [round(0.2 * s * rng.normal(1, 0.02)) for s in sales]
    temperature = rng.normal(12, 8, N).round(1)
    for name, values, expected in (
        ("ctrl_visits", visits, ["control_follows_kpi"]),
        ("ctrl_temperature", temperature, []),
    ):
        content = [f"{row},{name if i == 0 else values[i - 1]}" for i, row in enumerate(rows)]
        assert rules(world.canonical(content)) == expected


@pytest.mark.parametrize("lag", [1, 4])
def test_sales_of_earlier_periods_as_a_control_are_a_review(world, lag):
    rows = table(spends())
    sales = [float(row.split(",")[2]) for row in rows[1:]]
    earlier = [*sales[:lag], *sales[:-lag]]
    content = [f"{row},{'ctrl_lag' if i == 0 else earlier[i - 1]}" for i, row in enumerate(rows)]
    outcome = world.canonical(content)
    assert rules(outcome) == ["control_follows_kpi"]
    (found,) = [f for f in outcome.findings if f.rule == "control_follows_kpi"]
    assert f"{lag} period(s) later" in found.message


def test_a_market_that_is_the_sum_of_others_is_refused_and_leaving_it_out_is_enough(world):
    rng = np.random.default_rng(8)
    header, *south = table(spends(seed=6), kpi=rng.gamma(30, 200, N).round(2), entities=("south",))
    north = table(spends())[1:]

    def added(a, b):
        one, other = a.split(","), b.split(",")
        sums = [str(round(float(x) + float(y), 2)) for x, y in zip(one[2:], other[2:], strict=True)]
        return ",".join(["Gesamt", one[1], *sums])

    whole = [added(a, b) for a, b in zip(north, south, strict=True)]
    outcome = world.canonical([header, *north, *south, *whole])
    (found,) = [f for f in outcome.findings if f.rule == "total_of_entities"]
    assert found.verdict is Verdict.FAIL
    assert "'Gesamt': its KPI is the sum of 'north', 'south'" in found.message
    assert "total_of_entities" not in rules(world.canonical([header, *north, *south]))


@pytest.mark.parametrize("week", [0, 13])
def test_one_campaign_in_many_markets_is_no_row_of_bills(world, week):
    once = np.where(np.arange(N) == week, 9000.0, 0.0)
    lines = table(spends() | {"social": once}, entities=("north", "south", "east", "west"))
    assert "spend_as_billed" not in rules(world.canonical(lines))
