"""What a column is, from its name and its values: tables of names that vendors use."""

import re

import pytest

from schemas.column_profile import ColumnProfile
from schemas.errors import SpecError
from schemas.spec.channels import ChannelKind
from schemas.spec.kpi import KpiKind
from tasks.guess.columns import guess_decimal, guess_roles
from tasks.guess.vocabulary import read_name, split_words

N = 104


def column(name, **changes):
    plain = {
        "n_given": N, "n_distinct": N, "share_numbers": 1.0, "share_comma_numbers": 0.0,
        "share_dates": 0.0, "share_negative": 0.0, "share_whole": 0.0, "share_marked": 0.0,
        "odd": "", "values": (),
    }  # fmt: skip
    return ColumnProfile(name=name, **(plain | changes))


def text(name, n_distinct=N, values=(), **changes):
    return column(name, share_numbers=0.0, n_distinct=n_distinct, values=values, **changes)


DATES = text("week", share_dates=1.0)


def guessed(*names, kpi=None):
    """One series of periods with columns of numbers of these names."""
    return guess_roles([DATES, *(column(n) for n in names)], lambda _: N, decimal=".", kpi=kpi)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Channel0_impression", ["channel0", "impression"]),
        ("TvSpend", ["tv", "spend"]),
        ("tvspend", ["tv", "spend"]),
        ("Social Media Ausgaben", ["social", "media", "ausgaben"]),
        ("search_clicks_P", ["search", "clicks", "p"]),
        ("spend", ["spend"]),
        ("", []),
    ],
)
def test_a_name_is_split_at_signs_and_capitals(name, words):
    assert split_words(name) == words


def test_a_last_letter_counts_only_where_the_file_marks_money_so():
    assert read_name("tv_S", has_letters=True).is_spend
    assert not read_name("tv_S", has_letters=False).is_spend
    assert read_name("facebook_I", has_letters=True).is_activity


PAIRS = [
    (("facebook_I", "facebook_S", "tv_S"), "facebook", ("facebook_I", "facebook_S")),
    (("search_clicks_P", "search_S", "tv_S"), "search", ("search_clicks_P", "search_S")),
    (("Channel0_impression", "Channel0_spend"), "channel0",
     ("Channel0_impression", "Channel0_spend")),
    (("act_tv", "spend_tv"), "tv", ("act_tv", "spend_tv")),
    (("TV GRPs", "TV Kosten"), "tv", ("TV GRPs", "TV Kosten")),
    (("Google Ads Cost", "Google Ads Clicks"), "google_ads",
     ("Google Ads Clicks", "Google Ads Cost")),
    (("x1_Search-Ads",), "search_ads", (None, "x1_Search-Ads")),
    (("x1", "y"), "x1", (None, "x1")),
]  # fmt: skip


@pytest.mark.parametrize(("names", "channel", "columns"), PAIRS)
def test_spend_and_activity_of_one_thing_are_one_channel(names, channel, columns):
    found = {c.name: c for c in guessed("revenue", *names).channels}
    assert (found[channel].activity, found[channel].spend) == columns
    assert found[channel].kind is ChannelKind.PAID


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("newsletter", ChannelKind.OWNED),
        ("Organic_channel0_impression", ChannelKind.OWNED),
        ("email_spend", ChannelKind.PAID),
        ("competitor_tv_spend", ChannelKind.COMPETITOR),
    ],
)
def test_who_pays_for_a_channel(name, kind):
    assert {c.kind for c in guessed("revenue", name).channels} == {kind}


@pytest.mark.parametrize(
    "name", ["competitor_sales_B", "sentiment_score_control", "Promo", "ctrl_price", "event_1"]
)
def test_what_is_not_media_is_a_control(name):
    guess = guessed("revenue", "tv_spend", name)
    assert guess.controls == [name]
    assert guess.reasons[name]


@pytest.mark.parametrize(
    ("names", "kpi", "kind", "value"),
    [
        (["revenue", "orders"], "revenue", KpiKind.REVENUE, None),
        (["conversions", "revenue_per_conversion"], "conversions", KpiKind.COUNT,
         "revenue_per_conversion"),
        (["Umsatz"], "Umsatz", KpiKind.REVENUE, None),
        (["y"], "y", KpiKind.REVENUE, None),
        (["competitor_sales", "sales"], "sales", KpiKind.REVENUE, None),
        (["sales", "price_per_sales"], "sales", KpiKind.REVENUE, None),
    ],
)  # fmt: skip
def test_the_kpi_and_whether_it_is_money(names, kpi, kind, value):
    guess = guessed(*names, "tv_spend")
    assert (guess.kpi, guess.kpi_kind, guess.value_per_unit) == (kpi, kind, value)


def test_another_kpi_never_explains_the_kpi():
    guess = guessed("revenue", "orders", "tv_spend")
    assert "orders" in guess.unused
    assert not guess.controls


def test_a_person_may_name_the_kpi():
    assert guessed("footfall", "tv_spend", kpi="footfall").kpi == "footfall"
    with pytest.raises(SpecError, match="'none' is no column of numbers"):
        guessed("footfall", "tv_spend", kpi="none")


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ([column("sales"), column("tv_spend")], "No column of dates"),
        (
            [text("Week", odd="01.01.2024 - 07.01.2024"), column("sales")],
            r"In column 'Week' stands '01\.01\.2024 - 07\.01\.2024'",
        ),
        ([column("Week"), column("sales")], "Column 'Week' counts periods"),
        ([DATES, column("foo"), column("tv_spend")], "name it with --kpi, one of 'foo'"),
        ([DATES], "no column is a number"),
        ([DATES, column("sales"), column("foo")], "No column looks like media"),
    ],
)
def test_what_is_missing_is_said_with_a_way_out(columns, says):
    with pytest.raises(SpecError, match=says):
        guess_roles(columns, lambda _: N, decimal=".")


def markets(extra=(), distinct=None):
    shop = text("shop", 3, ("a", "b", "c"))
    columns = [text("week", share_dates=1.0), shop, column("sales"), column("tv_spend"), *extra]
    tells = {("week",): N // 2, ("week", "shop"): N, ("shop",): 3, **(distinct or {})}
    return guess_roles(columns, lambda names: tells.get(tuple(names), N), decimal=".")


def test_the_column_that_tells_markets_apart_is_the_entity():
    assert markets().entity == "shop"


def test_one_number_per_market_is_not_used_and_population_says_why():
    guess = markets([column("population")], {("shop", "population"): 3})
    assert "its size is not needed" in guess.unused["population"]


def test_a_row_per_channel_is_to_be_pivoted():
    columns = [DATES, text("channel", 2, ("tv", "search")), column("revenue"), column("spend")]
    tells = {("week",): N // 2, ("week", "channel"): N}
    with pytest.raises(SpecError, match="Pivot it"):
        guess_roles(columns, lambda names: tells.get(tuple(names), N), decimal=".")


def test_rows_that_nothing_tells_apart_are_reported():
    columns = [DATES, text("a", 3), text("b", 3), column("revenue"), column("tv_spend")]
    with pytest.raises(SpecError, match="tried: 'a', 'b'"):
        guess_roles(columns, lambda _: N // 2, decimal=".")


def test_a_text_that_mostly_says_nothing_is_events():
    columns = [DATES, column("sales"), column("tv_spend"), text("occasion", 3, ("na", "sale"))]
    guess = guess_roles(columns, lambda _: N, decimal=".")
    assert guess.events == "occasion"


def test_every_column_has_one_place():
    names = ["sales", "tv_spend", "tv_grps", "price", "dayofyear", "whatever", "orders"]
    guess = guessed(*names)
    placed = [guess.period, guess.kpi, *guess.controls, *guess.unused]
    placed += [c for ch in guess.channels for c in (ch.activity, ch.spend) if c]
    assert sorted(placed) == sorted(["week", *names])


def test_the_decimal_mark_is_that_of_columns_which_are_numbers_with_it_alone():
    comma = column("a", share_numbers=0.1, share_comma_numbers=1.0)
    both = column("b", share_numbers=1.0, share_comma_numbers=1.0)
    assert guess_decimal([comma, both]) == ","
    assert guess_decimal([both, column("c")]) == "."


def test_a_total_of_the_channels_is_none_of_them():
    guess = guessed("sales", "tv", "search", "total_spend")
    assert [c.name for c in guess.channels] == ["tv", "search"]
    assert guess.unused["total_spend"] == "is a total of other channels, by its name"
    assert [c.name for c in guessed("sales", "tv", "total_media_spend").channels] == [
        "tv",
        "total_media",
    ], "beside one channel it may be all that is known of the rest"


def test_a_credit_note_makes_spend_no_other_thing():
    few, many = column("search", share_negative=0.02), column("price_gap", share_negative=0.4)
    guess = guess_roles([DATES, column("sales"), column("tv"), few, many], lambda _: N, decimal=".")
    assert [c.name for c in guess.channels] == ["tv", "search"]
    assert "negative cells" in guess.channels[1].reason


def test_a_kpi_that_is_written_as_text_is_named():
    with pytest.raises(SpecError, match="'sales' has the name of a KPI, and its values are no"):
        guess_roles([DATES, text("sales"), text("tv")], lambda _: N, decimal=".")


@pytest.mark.parametrize("name", ["tv_spend", "Radio", "search clicks", "price", "sales"])
@pytest.mark.parametrize("odd", ["$1,234.50", "1 234 €", "12%"])
def test_numbers_with_signs_are_refused_where_the_name_says_that_they_matter(name, odd):
    columns = [DATES, column("revenue"), column("print_spend"), text(name, share_marked=1, odd=odd)]
    with pytest.raises(SpecError, match=f"Column {name!r}.*{re.escape(odd)}.*write them as 80000"):
        guess_roles(columns, lambda _: N, decimal=".")


def test_numbers_with_signs_in_a_column_without_a_known_name_are_only_not_used():
    columns = [DATES, column("revenue"), column("tv_spend"), text("note", share_marked=1)]
    assert guess_roles(columns, lambda _: N, decimal=".").unused == {"note": "is no number"}


@pytest.mark.parametrize("share", [0.6, 0.94])
def test_a_medium_with_cells_that_are_no_number_is_used_for_a_check_to_name_them(share):
    media = column("tv_spend", share_numbers=share, odd="n/a")
    price = column("price", share_numbers=share, odd="?")
    guess = guess_roles([DATES, column("sales"), media, price], lambda _: N, decimal=".")
    assert [c.spend for c in guess.channels] == ["tv_spend"]
    assert "'n/a'" in guess.channels[0].reason
    assert "'?'" in guess.reasons["price"]
    assert guess.unused == {}


def test_a_medium_that_mostly_rests_is_no_column_of_events():
    rests = column("tv_spend", share_numbers=0.1, share_marked=1, odd="-", values=("-", "10", "20"))
    with pytest.raises(SpecError, match="0 where there was none"):
        guess_roles([DATES, column("sales"), rests], lambda _: N, decimal=".")


def test_a_second_column_of_events_says_how_to_use_it():
    days = [text(name, 2, ("-", "Xmas")) for name in ("holiday", "sale day")]
    guess = guess_roles(
        [DATES, column("sales"), column("tv_spend"), *days], lambda _: N, decimal="."
    )
    assert guess.events == "holiday"
    assert "model.events" in guess.unused["sale day"]
