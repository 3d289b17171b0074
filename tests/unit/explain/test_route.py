"""The way from one fit to another: by hand, and laws that hold for any numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents.changes import STEPS, Factor
from tasks.explain.route import (
    AFTER,
    BEFORE,
    Estimate,
    choose_noise_state,
    name_main_cause,
    plan_route,
    split_change,
)

SPEC, RESTATED, NEW = STEPS
NOISE = Factor.NOISE
ESTIMATE = st.builds(Estimate, st.floats(-1e3, 1e3), st.floats(0, 10))
CHANGED = st.sets(st.sampled_from(STEPS)).map(lambda some: [f for f in STEPS if f in some])


def split(changed, values, noise_at=None, mcse=0.01):
    fits = {name: Estimate(value, mcse) for name, value in values.items()}
    own = {BEFORE, AFTER, *(factor.value for factor in changed)}
    repeats = [name for name in fits if name not in own]
    fitted = [factor for factor in changed if factor.value in fits]
    return split_change(plan_route(changed, fitted, repeats, noise_at), fits)


def values_of(found):
    return {factor: pytest.approx(part.value) for factor, part in found.parts.items()}


@given(changed=CHANGED, data=st.data())
def test_parts_add_up_whatever_was_fitted(changed, data):
    fitted = data.draw(st.lists(st.sampled_from(changed[:-1]), unique=True)) if changed[1:] else []
    n_repeats = data.draw(st.integers(0, 3))
    noise_at = data.draw(st.integers(0, len(changed))) if n_repeats else None
    repeats = [f"seed {i}" for i in range(n_repeats)]
    names = [BEFORE, AFTER, *fitted, *repeats]
    fits = {str(name): data.draw(ESTIMATE) for name in names}
    found = split_change(plan_route(changed, fitted, repeats, noise_at), fits)
    unsplit = [found.unsplit.value] if found.unsplit else []
    total = math.fsum([*(part.value for part in found.parts.values()), *unsplit])
    change = fits[AFTER].value - fits[BEFORE].value
    scale = max(1.0, *(abs(fit.value) for fit in fits.values()))
    assert abs(total - change) <= 1e-12 * scale
    told_apart = {*found.parts, *found.unsplit_of}
    assert told_apart - {NOISE} == set(changed), "every factor that changed is accounted for"


def test_one_factor_gets_what_a_repetition_does_not_explain():
    # Two fits of the same data give 2.0 and 2.2, so 2.1 stands for them: 0.1 is chance.
    found = split([NEW], {BEFORE: 2.0, "seed 1": 2.2, AFTER: 3.0}, noise_at=0)
    assert values_of(found) == {NOISE: 0.1, NEW: 0.9}
    assert found.parts[NOISE].mcse == pytest.approx(0.01 * math.sqrt(2) / 2)
    assert found.parts[NEW].mcse == pytest.approx(0.01 * math.sqrt(1 + 2 / 4))


def test_three_factors_are_let_in_one_after_another():
    fits = {BEFORE: 1.0, SPEC: 1.5, RESTATED: 1.2, AFTER: 2.0, "seed 1": 1.0}
    assert values_of(split(list(STEPS), fits, noise_at=0)) == {
        NOISE: 0.0,
        SPEC: 0.5,
        RESTATED: -0.3,
        NEW: 0.8,
    }


def test_the_later_run_is_repeated_where_only_it_can_be():
    found = split([SPEC], {BEFORE: 1.0, "seed 1": 2.2, AFTER: 2.0}, noise_at=1)
    assert values_of(found) == {SPEC: 1.1, NOISE: -0.1}


def test_a_fit_between_the_two_is_repeated_where_neither_can_be():
    fits = {BEFORE: 1.0, SPEC: 2.0, "seed 1": 2.2, AFTER: 3.0}
    found = split([SPEC, NEW], fits, noise_at=1)
    assert values_of(found) == {SPEC: 1.0, NOISE: 0.1, NEW: 0.9}


def test_where_nothing_changed_all_of_it_is_noise():
    found = split([], {BEFORE: 1.0, AFTER: 1.1})
    assert values_of(found) == {NOISE: 0.1}


def test_a_missing_fit_leaves_two_factors_together():
    fits = {BEFORE: 1.0, SPEC: 1.5, AFTER: 2.0}
    found = split(list(STEPS), fits)
    assert values_of(found) == {SPEC: 0.5}
    assert found.unsplit.value == pytest.approx(0.5)
    assert found.unsplit_of == (RESTATED, NEW)
    assert name_main_cause(found) == "unsplit"


def test_the_main_cause_is_the_largest_part_beyond_two_standard_errors():
    fits = {BEFORE: 1.0, SPEC: 1.05, AFTER: 1.25}
    assert name_main_cause(split([SPEC, NEW], fits, mcse=0.05)) == NEW
    assert name_main_cause(split([SPEC, NEW], fits, mcse=0.2)) == NOISE


@pytest.mark.parametrize(
    ("changed", "before", "after", "state"),
    [
        ([], True, True, None),
        ([NEW], True, True, 0),
        ([SPEC], False, True, 1),
        ([SPEC, NEW], False, True, 2),
        ([SPEC, NEW], False, False, 1),
        ([NEW], False, False, None),
    ],
    ids=[
        "nothing to tell apart", "the earlier run", "the later run", "the later run of two steps",
        "between them", "nowhere, both are of older code",
    ],
)  # fmt: skip
def test_another_seed_is_tried_where_todays_code_can_repeat_a_fit(changed, before, after, state):
    assert choose_noise_state(changed, before_is_current=before, after_is_current=after) == state
