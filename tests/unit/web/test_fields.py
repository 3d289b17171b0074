"""Forms made from models: what is shown, what is read, what stays out."""

from enum import StrEnum

import pytest
from pydantic import BaseModel, Field

from flows.web.fields import Widget, faults_of, list_fields, read_fields


class Taste(StrEnum):
    SWEET = "sweet"
    SOUR = "very_sour"


class Inner(BaseModel):
    a: int = 1


class Meal(BaseModel):
    name: str = Field(description="What `it` is called.")
    weight: float | None = None
    guests: int = 2
    taste: Taste = Taste.SWEET
    is_hot: bool = True
    days: list[str] = []
    either: float | str | None = None
    inner: Inner = Inner()


def test_each_key_of_a_single_value_has_a_field():
    fields = {f.name: f for f in list_fields(Meal, {"guests": 3}, prefix="meal.")}
    assert {name: f.widget for name, f in fields.items()} == {
        "meal.name": Widget.TEXT, "meal.weight": Widget.NUMBER, "meal.guests": Widget.NUMBER,
        "meal.taste": Widget.CHOICE, "meal.is_hot": Widget.CHECK, "meal.days": Widget.LINES,
        "meal.either": Widget.TEXT,
    }  # fmt: skip
    assert (fields["meal.guests"].value, fields["meal.guests"].placeholder) == ("3", "2")
    assert fields["meal.name"].help == "What it is called."
    assert fields["meal.taste"].choices == [("", "sweet (default)"), ("very_sour", "very sour")]
    assert fields["meal.is_hot"].value == "true"


def test_what_is_empty_or_the_default_stays_out():
    form = {"name": [""], "guests": [""], "taste": [""], "is_hot": ["true"],
            "is_hot.present": ["1"], "days": [" \n"]}  # fmt: skip
    assert read_fields(Meal, form) == {}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("guests", "4", 4), ("guests", "four", "four"), ("weight", "1.5", 1.5),
        ("taste", "very_sour", "very_sour"), ("days", "a\n\n b ", ["a", "b"]),
        ("either", "20", 20.0), ("either", "price", "price"),
    ],
)  # fmt: skip
def test_a_text_becomes_what_its_type_reads(name, text, value):
    assert read_fields(Meal, {name: [text]}) == {name: value}


def test_a_box_that_is_not_ticked_is_read_where_the_form_had_it():
    assert read_fields(Meal, {"is_hot.present": ["1"]}) == {"is_hot": False}
    assert read_fields(Meal, {}) == {}


def test_faults_stand_by_their_key():
    found = faults_of(["meal.guests: too many", "meal.guests: and odd", "all: wrong so", "What?"])
    assert found == {"meal.guests": "too many; and odd", "all": "wrong so", "": "What?"}
    fields = {f.name: f.fault for f in list_fields(Meal, {}, prefix="meal.", faults=found)}
    assert fields["meal.guests"] == "too many; and odd"
