"""Files as people send them: other spellings, a week that runs, months, padded markets.

Hand-made panels; what is read and what is said of it are both checked.
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from schemas.errors import SpecError
from schemas.outcomes import Verdict
from tasks.store.files.artifacts import read_json, read_parquet
from tasks.store.home import current_home


def rules(outcome, verdict=None):
    return [f.rule for f in outcome.findings if verdict is None or f.verdict is verdict]


def with_header(lines, old, new):
    return [lines[0].replace(old, new), *lines[1:]]


def wide(world, content, **spec):
    return read_parquet(current_home(), world.with_spec(**spec).candidate(content).wide)


@pytest.mark.parametrize(
    ("spelled", "channel"),
    [
        ("Spend_TV", "TV"),
        ("SPEND_tv", "tv"),
        ("spend tv", "tv"),
        ("Spend-tv", "tv"),
        ("  spend_tv ", "tv"),
        ("\u200bspend_tv", "tv"),
    ],
)
def test_a_prefix_in_another_spelling_is_read_and_told(world, lines, spelled, channel):
    content = with_header(with_header(lines(), "act_tv", "ignored"), "spend_tv", spelled)
    assert f"spend_{channel}" in wide(world, content)
    outcome = world.raw(content)
    assert rules(outcome, Verdict.REVIEW) == []
    assert rules(outcome) == ["column_spelling", "ignored_columns"]
    assert repr(spelled) in outcome.findings[0].message


@pytest.mark.parametrize("slip", ["sepnd_radio", "spendRadio", "radio_spend", "spnd_radio"])
def test_what_comes_close_to_a_prefix_is_a_review_that_names_it(world, lines, slip):
    content = [f"{row},{slip if i == 0 else 7}" for i, row in enumerate(lines())]
    outcome = world.raw(content)
    (found,) = [f for f in outcome.findings if f.verdict is Verdict.REVIEW]
    assert found.rule == "near_miss_column"
    assert found.column == slip
    renamed = [f"{row},{'spend_radio' if i == 0 else i % 7}" for i, row in enumerate(lines())]
    assert world.raw(renamed).verdict is Verdict.PASS
    assert "spend_radio" in wide(world, renamed)


def test_a_spec_that_names_its_channels_has_decided(world, lines):
    content = [f"{row},{'sepnd_radio' if i == 0 else 7}" for i, row in enumerate(lines())]
    spec = {"channels": [{"name": "tv", "activity": "ACT_TV", "spend": "spend_tv"}]}
    outcome = world.with_spec(**spec).raw(content)
    assert rules(outcome) == ["ignored_columns"]
    assert outcome.verdict is Verdict.PASS


def test_the_size_of_a_market_is_said_not_to_matter_and_events_have_a_place(world, lines):
    content = [f"{row},{'Population' if i == 0 else 7}" for i, row in enumerate(lines())]
    (found,) = [f for f in world.raw(content).findings if f.rule == "size_column"]
    assert (found.column, found.verdict) == ("Population", Verdict.PASS)
    assert "does not matter" in found.message
    content = [f"{row},{'holiday' if i == 0 else 'easter'}" for i, row in enumerate(lines())]
    (found,) = [f for f in world.raw(content).findings if f.rule == "ignored_columns"]
    assert "model.events" in found.remedy


def test_a_control_in_words_is_pointed_to_events(world, lines):
    content = [f"{row},{'ctrl_event' if i == 0 else 'easter'}" for i, row in enumerate(lines())]
    (found,) = [f for f in world.raw(content).findings if f.rule == "not_a_number"]
    assert "model.events" in found.remedy


def test_a_second_spelling_of_a_column_that_is_read_is_a_review(world, lines):
    content = [f"{row},{'Spend-TV' if i == 0 else 7}" for i, row in enumerate(lines())]
    outcome = world.raw(content)
    assert rules(outcome, Verdict.REVIEW) == ["near_miss_column"]


def test_keys_and_kpi_are_found_in_another_case(world, lines):
    content = ["Entity ID,Period-Start,SALES,Act_tv,Spend_tv,Ctrl_price", *lines()[1:]]
    pd.testing.assert_frame_equal(wide(world, content), wide(world, lines()))


def test_two_columns_for_one_channel_are_refused(world, lines):
    content = [f"{row},{'Spend-TV' if i == 0 else 7}" for i, row in enumerate(lines())]
    content = with_header(content, "act_tv", "other")
    with pytest.raises(SpecError, match="'Spend-TV' and 'spend_tv'"):
        world.raw(content)


def test_another_case_next_week_is_the_same_channel(world, lines):
    world.snapshot(lines())
    later = [with_header(lines(), "act_tv", "Act-TV")[0].replace("spend_tv", "SPEND_TV")]
    later += ["north,2024-02-26,1100,5,9,11"]
    assert wide(world, later)["act_tv"].iloc[-1] == 5.0
    assert [c for c in wide(world, later) if c.casefold() == "act_tv"] == ["act_tv"]


@pytest.mark.parametrize("other", ["NORTH", "North ", "no\u200brth", "\uff4eorth", " north\u00a0"])
def test_two_spellings_of_one_market_are_one_and_told(world, lines, other):
    content = lines()
    content[40:] = [row.replace("north", other) for row in content[40:]]
    assert wide(world, content)["entity_id"].unique().tolist() == ["north"]
    outcome = world.raw(content)
    assert outcome.verdict is Verdict.PASS
    told = rules(outcome)
    assert told == ["entity_spelling"] or other.strip() == "north"
    assert world.canonical(content).verdict is Verdict.PASS


def test_spellings_that_overlap_are_duplicates_not_gaps(world, lines):
    content = lines(60, ("north", "NORTH"))
    outcome = world.raw(content)
    assert outcome.verdict is Verdict.FAIL
    assert set(rules(outcome)) == {"duplicate_key", "entity_spelling"}


def test_a_market_keeps_the_spelling_it_has(world, lines):
    world.snapshot(lines())
    later = wide(world, [lines()[0], "NORTH,2024-02-26,1100,5,9,11"])
    assert later["entity_id"].unique().tolist() == ["north"]


@pytest.mark.parametrize(
    ("as_of", "left_out"),
    [(date(2024, 2, 24), 1), (date(2024, 2, 25), 0), (date(2024, 2, 19), 1)],
    ids=["saturday", "sunday", "monday"],
)
def test_a_week_that_runs_is_left_out_and_told(world, lines, as_of, left_out):
    outcome = world.canonical(lines(), as_of=as_of)
    assert outcome.verdict is Verdict.PASS
    assert ("running_period" in rules(outcome)) is bool(left_out)
    panel = read_parquet(current_home(), world.candidate(lines(), as_of=as_of).wide)
    assert len(panel) == 60 - left_out


def months(n=36, *, day=None):
    rows = ["period_start,sales,spend_tv"]
    for t in range(n):
        first = date(2022 + t // 12, t % 12 + 1, 1)
        following = date(2022 + (t + 1) // 12, (t + 1) % 12 + 1, 1)
        shown = following - timedelta(days=1) if day is None else first.replace(day=day)
        rows.append(f"{shown},{1000 + 13 * ((t * 7) % 17)},{(t * 37) % 11 + 1}")
    return rows


def test_month_ends_are_read_as_their_months(world):
    outcome = world.raw(months())
    assert rules(outcome) == ["month_end_dates"]
    pd.testing.assert_frame_equal(wide(world, months()), wide(world, months(day=1)))
    assert world.canonical(months()).verdict is Verdict.PASS


def test_a_single_month_end_continues_the_months_it_follows(world):
    world.snapshot(months())
    assert wide(
        world,
        [months()[0], "2025-01-31,900,4"],
    )["period_start"].iloc[-1] == (pd.Timestamp("2024-12-01"))
    later = read_parquet(
        current_home(), world.candidate([months()[0], "2025-01-31,9,4"], date(2025, 2, 3)).wide
    )
    assert later["period_start"].iloc[-1] == pd.Timestamp("2025-01-01")


def test_a_running_month_is_left_out(world):
    panel = read_parquet(
        current_home(), world.candidate(months(day=1), as_of=date(2024, 12, 30)).wide
    )
    assert len(panel) == 35


@pytest.mark.parametrize(("n", "verdict"), [(36, Verdict.PASS), (23, Verdict.FAIL)])
def test_three_years_of_months_are_enough(world, n, verdict):
    assert world.canonical(months(n, day=1)).verdict is verdict


def test_brand_values_are_weighted_by_the_kpi(world):
    content = [
        "entity_id,period_start,orders,value,spend_tv",
        *(f"{e},{d},{k},{v},1" for d in ("2023-01-02", "2023-01-09")
          for e, k, v in (("big", 300, 10), ("tiny", 100, 200))),
    ]  # fmt: skip
    spec = {"level": "brand", "target_col": "orders"}
    spec["kpi"] = {"kind": "count", "value_per_unit": "value"}
    panel = wide(world, content, **spec)
    assert panel["value_per_unit"].tolist() == [(300 * 10 + 100 * 200) / 400] * 2


@pytest.mark.parametrize(("at_start", "value"), [(True, 0), (False, 0), (True, 5)])
def test_a_padded_market_is_a_review(world, lines, at_start, value):
    content = lines(70)
    rows = range(1, 11) if at_start else range(61, 71)
    for i in rows:
        fields = content[i].split(",")
        content[i] = ",".join([*fields[:2], str(value), "0", "0", fields[5]])
    outcome = world.canonical(content)
    found = next(f for f in outcome.findings if f.rule == "padded_history")
    assert found.verdict is Verdict.REVIEW
    assert "in its first 10 periods" in found.message or "in its last 10" in found.message
    followed = [row for i, row in enumerate(content) if i not in rows]
    assert "padded_history" not in rules(world.canonical(followed))


@pytest.mark.parametrize(
    ("spend_without", "activity_without", "expected"),
    [
        (0.01, 0.0, None),
        (0.1, 0.0, "spend_without_activity"),
        (0.4, 0.0, "unpaired_media"),
        (0.0, 0.2, "a note"),
        (0.0, 0.5, "activity_without_spend"),
    ],
)
def test_unpaired_media_are_judged_by_money_and_activity(
    world, lines, spend_without, activity_without, expected
):
    paired = lines(80)
    total = sum(float(row.split(",")[4]) for row in paired[1:])
    activity = sum(float(row.split(",")[3]) for row in paired[1:])
    more = spend_without / (1 - spend_without) * total
    trailing = activity_without / (1 - activity_without) * activity
    content = [*paired, f"north,2022-12-26,1010,{trailing},{more},11"]
    odd = {"kpi_outlier", "input_spike"}  # So much in one week is that as well.
    findings = [f for f in world.canonical(content).findings if f.rule not in odd]
    if expected == "a note":
        (note,) = findings
        assert (note.rule, note.verdict) == ("activity_without_spend", Verdict.PASS)
        assert "1 row(s) have activity and no spend" in note.message
        assert "north, 2022-12-26" in note.message
    else:
        assert [f.rule for f in findings] == ([expected] if expected else [])


@pytest.mark.parametrize(("factor", "expected"), [(1, []), (1000, ["units_of_money"])])
def test_money_in_another_unit_is_a_review(world, lines, factor, expected):
    content = [lines()[0]]
    for row in lines()[1:]:
        entity, day, kpi, act, spend, price = row.split(",")
        content.append(f"{entity},{day},{kpi},{act},{float(spend) * factor},{price}")
    assert rules(world.canonical(content), Verdict.REVIEW) == expected


def test_spend_in_thousands_is_a_review_where_the_effect_shows(world, lines):
    content = [lines()[0]]
    for t, row in enumerate(lines()[1:]):
        entity, day, _, act, spend, price = row.split(",")
        kpi = 500000 + 20000 * float(spend) + 100 * ((t * 7) % 17)
        content.append(f"{entity},{day},{kpi},{act},{spend},{price}")
    assert rules(world.canonical(content), Verdict.REVIEW) == ["implied_return"]


@pytest.mark.parametrize(("cost", "expected"), [(1.0, ["kpi_net_of_media"]), (0.0, [])])
def test_a_kpi_that_media_were_taken_off_is_a_review(world, lines, cost, expected):
    content = [lines()[0]]
    rng = np.random.default_rng(1)
    for row in lines()[1:]:
        entity, day, _, act, spend, price = row.split(",")
        # Media bring 0.4 for a unit of money, and cost it.
        kpi = 500 + (0.4 - cost) * float(spend) + 2 * rng.normal()
        content.append(f"{entity},{day},{kpi:.3f},{act},{spend},{price}")
    outcome = world.canonical(content)
    assert rules(outcome, Verdict.REVIEW) == expected


@pytest.mark.parametrize(("is_given", "expected"), [(False, ["kpi_net_of_media"]), (True, [])])
def test_money_that_is_spent_in_bad_times_needs_what_made_them_bad(
    world, lines, is_given, expected
):
    content = [lines()[0]]
    rng = np.random.default_rng(3)
    for row in lines()[1:]:
        entity, day, _, act, *_ = row.split(",")
        rivals = rng.normal()
        spend = 200 + 40 * rivals + 5 * rng.normal()
        kpi = 5000 + 0.5 * spend - 60 * rivals + 25 * rng.normal()
        control = 10 + rivals if is_given else 10 + rng.normal()
        content.append(f"{entity},{day},{kpi:.3f},{act},{spend:.3f},{control:.4f}")
    assert rules(world.canonical(content), Verdict.REVIEW) == expected


def test_a_level_that_wanders_is_no_cost_of_media(world, lines):
    content, level = [lines()[0]], 5000.0
    rng = np.random.default_rng(7)
    for t, row in enumerate(lines(140)[1:]):
        entity, day, _, act, _, price = row.split(",")
        level += 100 * rng.normal()
        content.append(f"{entity},{day},{level:.2f},{act},{200 + t + 5 * (t % 7)},{price}")
    assert "kpi_net_of_media" not in rules(world.canonical(content))


def test_column_info_says_which_periods_ran(world, lines):
    candidate = world.candidate(lines(), as_of=date(2024, 2, 22))
    info = read_json(current_home(), candidate.column_info)
    assert info["running_periods"] == ["2024-02-19"]
