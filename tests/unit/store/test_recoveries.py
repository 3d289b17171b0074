"""What of a spec is another question, and what is the same one."""

import pytest

from schemas.spec.run_spec import RunSpec
from tasks.store.runs.recoveries import question_of

SPEC = {
    "dataset_id": "d",
    "channels": [{"name": "tv", "spend": "s"}],
    "model": {"adstock": {"l_max": 8}},
}


def question(**changes):
    return question_of(RunSpec.model_validate({**SPEC, **changes}))


def test_a_spec_that_is_written_out_with_all_defaults_asks_the_same():
    whole = RunSpec.model_validate(SPEC).model_dump(mode="json")
    assert question_of(RunSpec.model_validate(whole)) == question()


@pytest.mark.parametrize(
    "changes",
    [
        {"random_seed": 9},
        {"data": "other.csv"},
        {"optimizer": {"horizon": 4}},
        {"channels": [{"name": "tv", "spend": "s", "bounds": {"low": 1, "high": 2}}]},
    ],
    ids=["seed", "file", "horizon", "budget bounds"],
)
def test_what_does_not_touch_the_model_is_no_other_question(changes):
    assert question(**changes) == question()


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"adstock": {"l_max": 4}}},
        {"channels": [{"name": "tv", "activity": "s"}]},
        {"controls": ["price"]},
        {"target_col": "orders"},
    ],
    ids=["carryover", "input", "control", "KPI"],
)
def test_another_model_is_another_question(changes):
    assert question(**changes) != question()
