"""What columns are, as a run spec says it, and a run spec from what a person says."""

import pytest

from flows.web.mapping import ColumnRole, apply_roles, read_roles
from schemas.answers.datasets import ColumnUse
from schemas.errors import SpecError

COLUMNS = ["geo", "week", "revenue", "act_tv", "spend_tv", "price", "note"]
DOCUMENT = {
    "dataset_id": "d",
    "columns": {"entity_id": "geo", "period_start": "week"},
    "target_col": "revenue",
    "channels": [{"name": "tv", "spend": "spend_tv", "prior": {"median": 0.1}}],
    "controls": [{"name": "price", "sign": "negative"}],
    "model": {"trend": False},
}


def role(column, use, channel=""):
    return ColumnRole(column, ColumnUse(use), channel)


def test_every_column_has_the_role_that_a_refit_takes_it_for():
    found = {r.column: (r.use, r.channel) for r in read_roles(DOCUMENT, COLUMNS)}
    assert found == {
        "geo": ("entity", ""), "week": ("period", ""), "revenue": ("kpi", ""),
        "act_tv": ("ignored", ""), "spend_tv": ("spend", "tv"), "price": ("control", ""),
        "note": ("ignored", ""),
    }  # fmt: skip


def test_what_is_read_and_applied_is_the_same():
    roles = read_roles(DOCUMENT, COLUMNS)
    assert apply_roles(DOCUMENT, roles) == DOCUMENT


def test_a_channel_keeps_its_prior_and_gets_its_activity():
    roles = [
        role("geo", "entity"), role("week", "period"), role("revenue", "kpi"),
        role("act_tv", "activity", "tv"), role("spend_tv", "spend", "tv"),
        role("price", "control"), role("note", "control"),
    ]  # fmt: skip
    changed = apply_roles(DOCUMENT, roles)
    assert changed["channels"] == [
        {"name": "tv", "prior": {"median": 0.1}, "activity": "act_tv", "spend": "spend_tv"}
    ]
    assert changed["controls"] == [{"name": "price", "sign": "negative"}, "note"]
    assert changed["model"] == {"trend": False}


def test_every_fault_is_named_at_once():
    roles = [
        role("geo", "kpi"), role("revenue", "kpi"), role("act_tv", "activity"),
        role("spend_tv", "spend", "tv"), role("price", "spend", "tv"),
    ]  # fmt: skip
    with pytest.raises(SpecError) as refused:
        apply_roles(DOCUMENT, roles)
    said = "\n".join(refused.value.problems)
    assert len(refused.value.problems) == 4
    for part in ("'geo' and 'revenue'", "date of the period", "'act_tv'", "spend in two columns"):
        assert part in said


def test_a_value_of_the_kpi_that_is_a_number_stays():
    roles = read_roles(DOCUMENT, COLUMNS)
    document = DOCUMENT | {"kpi": {"kind": "count", "value_per_unit": 20}}
    assert apply_roles(document, roles)["kpi"] == {"kind": "count", "value_per_unit": 20}
    named = DOCUMENT | {"kpi": {"kind": "count", "value_per_unit": "price"}}
    assert apply_roles(named, roles)["kpi"] == {"kind": "count"}
