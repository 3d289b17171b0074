"""Numbers as people read them."""

import pytest

from schemas.words import (
    format_change,
    format_compact,
    format_interval,
    format_ratio,
    format_share,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7_994_000, "7.99 M"), (999.6, "1.00 k"), (489_900, "490 k"), (999_600, "1.00 M"),
        (944.12, "944.1"), (0, "0"),
        (-12_345, "-12.3 k"), (2.5e12, "2,500 bn"), (None, "–"), (1_000_000_000, "1.00 bn"),
    ],
)  # fmt: skip
def test_compact_numbers(value, expected):
    assert format_compact(value).replace("\N{NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.2684, "26.8 %"), (1.0, "100 %"), (-0.00001, "0.0 %"), (0.9951, "100 %"), (None, "–")],
)
def test_shares(value, expected):
    assert format_share(value).replace("\N{NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.657, "1.66"), (0.0123, "0.0123"), (0, "0.00"), (12345.6, "12,346"), (None, "–")],
)
def test_returns(value, expected):
    assert format_ratio(value) == expected


def test_an_interval_without_an_end_is_a_dash():
    assert format_interval(1.406, 1.894) == "1.41 to 1.89"
    assert format_interval(None, 2.0) == "–"


def test_a_tiny_end_beside_a_large_one_has_no_more_digits():
    assert format_interval(0.00573, 8.13) == "0.01 to 8.13"
    assert format_interval(0.0411, 10.81) == "0.04 to 10.81"
    assert format_interval(-0.0001, 1.5) == "0.00 to 1.50"
    assert format_interval(0.0123, 0.0456) == "0.0123 to 0.0456"
    assert format_interval(0.0112, 0.13) == "0.0112 to 0.13"


def test_a_change_from_nothing_has_no_percentage():
    assert format_change(110, 100).replace("\N{NO-BREAK SPACE}", " ") == "+10.0 %"
    assert format_change(5, 0) is None
