"""One rule for names: no two things share a key, and no key means something else."""

import pytest

from schemas.errors import SpecError
from schemas.spec.name_rule import KEPT_FOR_COMPONENTS, name_fault
from schemas.spec.roles import resolve_roles
from schemas.spec.run_spec import RunSpec
from tasks.validate.names import judge_entities

COLUMNS = ["period_start", "sales"]


@pytest.mark.parametrize("name", ["baseline", "trend", "Seasonality", "a\nb", "a\x00b", " a", ""])
def test_a_name_that_cannot_be_a_key_has_a_fault(name):
    assert name_fault(name, kept=KEPT_FOR_COMPONENTS)


@pytest.mark.parametrize(
    "name",
    ["tv", "Paid Search (DE)", "Émission télé", "电视", "a.b-c_d:e", "a/b", "a\\b", "trend 2"],
)
def test_a_name_of_the_field_has_none(name):
    assert name_fault(name, kept=KEPT_FOR_COMPONENTS) is None


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["spend_baseline"], "channel 'baseline' is kept"),
        (["spend_trend"], "channel 'trend' is kept"),
        (["spend_tv", "ctrl_seasonality"], "control 'seasonality' is kept"),
        (["spend_price", "ctrl_price"], "'price' names a channel and a control"),
    ],
)
def test_names_that_collide_are_refused_before_anything_is_fitted(columns, said):
    with pytest.raises(SpecError, match=said):
        resolve_roles(RunSpec(dataset_id="shop"), [*COLUMNS, *columns])


def test_entities_are_judged():
    findings = judge_entities(["north", "all", "a/b", "a\nb", "All"])
    assert [finding.places for finding in findings] == [["all"], ["a\nb"], ["All"]]
    assert "kept for the product's own 'all'" in findings[0].message
