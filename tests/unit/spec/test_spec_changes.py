"""What of a spec decides a fit."""

import pytest

from schemas.spec.differences import BESIDE_THE_FIT, changed_keys, fit_settings
from schemas.spec.run_spec import RunSpec

TV = {"name": "tv", "spend": "spend_tv"}
SPEC = {"dataset_id": "acme", "channels": [TV]}
ROLES = {"entity": "geo", "period": "date", "kpi_name": "sales", "controls": [{"name": "price"}]}


def settings(roles=ROLES, **changes):
    spec = RunSpec.model_validate(SPEC | changes)
    return fit_settings(spec, spec.sampler, roles)


def test_changed_keys_are_named_with_their_path():
    now = {"a": 1, "b": {"c": 2, "d": [1]}, "new": 0}
    then = {"a": 1, "b": {"c": 3, "d": [1]}}
    assert changed_keys(now, then) == ["b.c", "new"]


@pytest.mark.parametrize(
    "changes",
    [
        {"gates": {"fit": {"min_contraction": 0.2}}},
        {"optimizer": {"horizon": 4}},
        {"budget_groups": [{"name": "g", "channels": ["tv"], "max_share": 0.5}]},
        {"channels": [TV | {"bounds": {"low": 0.5}}]},
        {"kpi": {"name": "revenue"}},
        {"data": "other.csv"},
        {"explain": {"in_refit": False}},
        {"retention": {"keep_runs": 5}},
        {"random_seed": 7},
        {"sampler": {"timeout_minutes": 5, "escalation": {"max_retries": 0}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_cannot_change_a_posterior_is_no_change(changes):
    assert changed_keys(settings(**changes), settings()) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"draws": 2000}, "sampler.draws"),
        ({"model": {"trend": False}}, "model.trend.kind"),
        ({"channels": [TV | {"prior": {"median": 0.1}}]}, "channels.tv.prior"),
        ({"windows": {"estimation_months": 24}}, "windows"),
        ({"kpi": {"kind": "count"}}, "kpi.kind"),
        ({"level": "brand"}, "level"),
    ],
)
def test_what_can_is_named(changes, key):
    assert changed_keys(settings(**changes), settings()) == [key]


def test_a_control_that_a_file_has_and_no_spec_names_is_a_change():
    more = ROLES | {"controls": [{"name": "price"}, {"name": "promo"}]}
    assert changed_keys(settings(more), settings()) == ["roles.controls.promo"]


def test_names_of_key_columns_are_none():
    renamed = ROLES | {"entity": "market", "period": "week"}
    assert changed_keys(settings(renamed), settings()) == []


def test_every_key_beside_the_fit_is_a_key_of_the_spec():
    assert set(RunSpec.model_fields) >= BESIDE_THE_FIT
