"""What a history cannot report is refused before any sampling, with the key and the way out."""

from datetime import date

import holidays
import numpy as np
import pandas as pd
import pytest
from support.worlds import CHANNELS, build_world, log_world, make_rows, make_spec, mmm_world

from schemas.errors import SpecError
from schemas.spec.run_spec import Grain
from tasks.features.public_holidays import holidays_event

GERMANY = type(holidays.country_holidays("DE"))


def refusal(n_periods=60, grain=Grain.WEEK, **model):
    rows = make_rows(1, n_periods)
    if grain is Grain.MONTH:
        rows["period_start"] = pd.date_range("2021-01-01", periods=n_periods, freq="MS")
    with pytest.raises(SpecError) as caught:
        build_world(rows, make_spec(model=model), grain=grain)
    return str(caught.value)


def test_less_than_a_year_cannot_carry_a_yearly_season():
    message = refusal(51, yearly_seasonality=1)
    assert "yearly_seasonality = 1 needs a full year of 52 fitted periods, there are 51" in message


def test_one_year_can():
    assert mmm_world(n_periods=52).metadata.harmonics == 1


def test_less_than_a_year_without_season_is_fine():
    assert mmm_world(n_periods=40, model={"yearly_seasonality": 0}).metadata.harmonics == 0


def test_the_year_must_be_in_the_fitted_window():
    with pytest.raises(SpecError, match="there are 48"):
        mmm_world(windows={"carryover_months": 2, "estimation_months": 11})


@pytest.mark.parametrize(
    ("grain", "harmonics", "limit"), [(Grain.WEEK, 26, 25), (Grain.MONTH, 6, 5)]
)
def test_more_waves_than_periods_can_show_are_refused(grain, harmonics, limit):
    message = refusal(104, grain, yearly_seasonality=harmonics)
    assert f"yearly_seasonality = {harmonics} needs more than {2 * harmonics} periods" in message
    assert f"write {limit} or fewer" in message


def test_as_many_waves_as_periods_can_show_are_accepted():
    rows = make_rows(1, 36)
    rows["period_start"] = pd.date_range("2021-01-01", periods=36, freq="MS")
    world = build_world(rows, make_spec(model={"yearly_seasonality": 5}), grain=Grain.MONTH)
    assert world.metadata.harmonics == 5


def test_an_event_that_was_never_seen_is_refused_by_name():
    message = refusal(events=[{"name": "olympics", "dates": ["2028-07-14"]}])
    assert "event 'olympics' has no day in the fitted periods 2022-01-03 to 2023-02-20" in message


def test_an_event_seen_only_while_the_carryover_warms_up_is_refused():
    events = [{"name": "opening", "dates": ["2022-01-05"]}]
    with pytest.raises(SpecError, match="'opening' has no day in the fitted periods 2022-02-28"):
        mmm_world(carryover_months=2, model={"events": events})


def test_an_event_that_never_ends_is_refused():
    events = [{"name": "always", "start": "2021-01-01", "end": "2025-01-01"}]
    assert "'always' covers every fitted period alike" in refusal(events=events)


@pytest.mark.parametrize("name", ["price", "trend", "sin_1", "tv"])
def test_an_event_may_not_take_the_name_of_another_term(name):
    events = [{"name": name, "dates": ["2022-05-05"]}]
    assert f"event {name!r} has the name of another term" in refusal(events=events)


def test_all_problems_are_reported_together():
    message = refusal(51, events=[{"name": "olympics", "dates": ["2028-07-14"]}])
    assert "yearly_seasonality" in message
    assert "olympics" in message


def test_kind_log_student_t_keeps_its_published_formula():
    assert log_world(n_periods=40).metadata.harmonics == 2


def test_a_roas_prior_on_a_channel_that_spent_nothing_is_refused():
    rows = make_rows(1).assign(spend_tv=0.0)
    channels = [CHANNELS[0] | {"prior": {"quantity": "roas", "median": 2.0}}, CHANNELS[1]]
    with pytest.raises(SpecError, match="'tv' has a ROAS prior but spent nothing"):
        build_world(rows, make_spec(channels=channels))


def test_public_holidays_of_a_state():
    event = holidays_event("US-CA", date(2024, 1, 1), date(2024, 12, 30))
    assert date.fromisoformat("2024-03-31") in event.dates, "Cesar Chavez Day is California's"
    assert date.fromisoformat("2024-07-04") in event.dates
    assert event.dates == sorted(set(event.dates))
    of_the_country = holidays_event("US", date(2024, 1, 1), date(2024, 12, 30))
    assert date(2024, 3, 31) not in of_the_country.dates


def test_holidays_are_known_for_five_years_of_forecasts():
    event = holidays_event("DE", date(2022, 1, 3), date(2024, 12, 30))
    assert event.known_until == date(2029, 12, 31)
    assert date.fromisoformat("2029-12-25") in event.dates
    assert not any(day < date(2022, 1, 1) for day in event.dates)


def test_holidays_are_known_no_further_than_the_calendar_of_the_country(monkeypatch):
    monkeypatch.setattr(GERMANY, "end_year", 2025)
    event = holidays_event("DE", date(2022, 1, 3), date(2024, 12, 30))
    assert event.known_until == date(2025, 12, 31)
    assert event.dates[-1] == date(2025, 12, 26)


@pytest.mark.parametrize("ends", [{"start_year": 2023}, {"end_year": 2023}])
def test_a_panel_outside_the_calendar_of_the_country_is_refused(monkeypatch, ends):
    for name, year in ends.items():
        monkeypatch.setattr(GERMANY, name, year)
    with pytest.raises(SpecError, match=r"model\.holidays: the days of DE are known from .*2023"):
        holidays_event("DE", date(2022, 1, 3), date(2024, 12, 30))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("XQ", "no holidays are known of the country 'XQ'"),
        ("us", "did you mean 'US'"),
        ("US-XX", "US has no subdivision 'XX'; it has: AK, AL"),
        ("", "the country ''"),
    ],
)
def test_an_unknown_country_is_refused_by_name(code, says):
    with pytest.raises(SpecError) as caught:
        holidays_event(code, date(2024, 1, 1), date(2024, 12, 30))
    assert "model.holidays" in str(caught.value)
    assert says in str(caught.value)


def test_an_unknown_country_stops_the_features_stage():
    assert "country 'Germany'" in refusal(holidays="Germany")


def test_holidays_reach_the_frame_as_counts():
    world = mmm_world(model={"holidays": "US"})
    new_year_2023 = world.frame.set_index("period_start").loc["2022-12-26", "event_holidays"]
    assert new_year_2023 == 2, "Christmas observed on Monday, New Year's Day on Sunday"
    assert (world.frame["event_holidays"] == np.round(world.frame["event_holidays"])).all()
