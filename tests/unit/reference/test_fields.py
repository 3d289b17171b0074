"""How the reference puts a model into words: by hand, on models that have one thing each."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, RootModel

from schemas.reference.documents import list_fields
from schemas.reference.fields import meanings, nested, say_allowed, say_default, say_kind, table
from schemas.reference.warehouse import render_warehouse

Money = Annotated[float, Field(json_schema_extra={"unit": "currency of the file"})]


class Base(BaseModel):
    """What both have."""

    channel: str
    """Below the field, of a base class: ``tv``."""


class Row(Base):
    """One channel."""

    spend: Money = Field(ge=0, description="Money spent.")
    planned: Money | None = None
    """Two lines
    of text."""


class Rows[T](RootModel[dict[str, T]]):
    """A row per name."""


class Returns(Rows[Row]):
    """A file whose top level is a row per channel."""


class Nested(BaseModel):
    """Models in models."""

    one: Row | None = None
    many: list[Row] = []
    named: dict[str, Row] = {}


def test_a_meaning_is_the_description_or_the_string_below_the_field():
    assert meanings(Row) == {
        "channel": "Below the field, of a base class: `tv`.",
        "spend": "Money spent.",
        "planned": "Two lines of text.",
    }


def test_a_number_has_its_unit_and_says_whether_it_may_be_absent():
    kinds = {name: say_kind(field) for name, field in Row.model_fields.items()}
    assert kinds == {
        "channel": "text",
        "spend": "number, currency of the file",
        "planned": "number, currency of the file or null",
    }


def test_rows_by_name_are_listed_without_a_name_of_their_own():
    assert [path for path, _, _ in list_fields(Returns)] == [
        "`*.channel`",
        "`*.spend`",
        "`*.planned`",
    ]


def test_inner_models_follow_the_field_that_holds_them():
    paths = [path.strip("`") for path, _, _ in list_fields(Nested)]
    assert paths[:2] == ["one", "one.channel"]
    assert "many[].spend" in paths
    assert "named.*.planned" in paths


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Row, (Row, ".")),
        (Row | None, (Row, ".")),
        (list[Row], (Row, "[].")),
        (dict[str, Row] | None, (Row, ".*.")),
        (dict[str, Any], (None, "")),
    ],
    ids=str,
)
def test_a_key_goes_on_as_its_container_says(annotation, expected):
    assert nested(annotation) == expected


def test_bounds_and_defaults_are_written_as_in_a_spec():
    class Settings(BaseModel):
        draws: int = Field(1000, ge=20, le=20_000)
        share: float = Field(gt=0, lt=1)
        name: str | None = None

    fields = Settings.model_fields
    assert say_allowed(fields["draws"]) == "whole number, ≥ 20, ≤ 20 000"
    assert say_allowed(fields["share"]) == "number, > 0, < 1"
    assert [say_default(f) for f in fields.values()] == ["`1000`", "required", ""]


def test_a_cell_cannot_break_its_table():
    assert table(("A",), ("a | b\nc",)) == "| A |\n|---|\n| a \\| b c |"


def test_a_table_of_the_warehouse_is_its_ddl_and_its_comments():
    ddl = (
        "-- What was done,\n-- and when.\ncreate table if not exists ops.steps (\n"
        "    run_id varchar not null,\n"
        "    state varchar check (state in ('A', 'B')),   -- how far it got\n"
        "    primary key (run_id)\n);\n"
    )
    assert render_warehouse(ddl).splitlines() == [
        "### `ops.steps`",
        "",
        "What was done, and when.",
        "",
        "| Column | Type | Meaning |",
        "|---|---|---|",
        "| `run_id` | varchar | Run. |",
        "| `state` | varchar or null | How far it got: `A`, `B`. |",
    ]
