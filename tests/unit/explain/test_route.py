"""The way from one fit to another: by hand, and laws that hold for any numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.documents.changes import STEPS, Factor
from tasks.explain.orders import fitted_orders, name_state, states_between
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
    fits = {str(name): Estimate(value, mcse) for name, value in values.items()}
    states = states_between(changed)
    own = {BEFORE, AFTER, *map(name_state, states)}
    repeats = [name for name in fits if name not in own]
    fitted = [state for state in states if name_state(state) in fits]
    orders = fitted_orders(changed, fitted)
    at = None if noise_at is None else frozenset(noise_at)
    return split_change([plan_route(o, fitted, repeats, at) for o in orders], fits)


def both(*factors):
    return name_state(factors)


def values_of(found):
    return {factor: pytest.approx(part.value) for factor, part in found.parts.items()}


@given(changed=CHANGED, data=st.data())
def test_parts_add_up_whatever_was_fitted(changed, data):
    """Efficiency: the parts are the whole change, over all orders, over some, or over one."""
    states = states_between(changed)
    fitted = data.draw(st.lists(st.sampled_from(states), unique=True)) if states else []
    n_repeats = data.draw(st.integers(0, 3))
    n_let_in = data.draw(st.integers(0, len(changed)))
    noise_at = frozenset(changed[:n_let_in]) if n_repeats else None
    repeats = [f"seed {i}" for i in range(n_repeats)]
    names = [BEFORE, AFTER, *map(name_state, fitted), *repeats]
    fits = {str(name): data.draw(ESTIMATE) for name in names}
    orders = fitted_orders(changed, fitted)
    found = split_change([plan_route(o, fitted, repeats, noise_at) for o in orders], fits)
    unsplit = [found.unsplit.value] if found.unsplit else []
    total = math.fsum([*(part.value for part in found.parts.values()), *unsplit])
    change = fits[AFTER].value - fits[BEFORE].value
    scale = max(1.0, *(abs(fit.value) for fit in fits.values()))
    assert abs(total - change) <= 1e-11 * scale
    told_apart = {*found.parts, *found.unsplit_of}
    assert told_apart - {NOISE} == set(changed), "every factor that changed is accounted for"


ALL_STATES = st.tuples(*[st.floats(-100, 100)] * 8)


@given(values=ALL_STATES)
def test_parts_are_the_formula_of_shapley(values):
    """Independent route: the weighted sum over subsets, n! in the denominator."""
    subsets = [frozenset(), *states_between(STEPS), frozenset(STEPS)]
    worth = dict(zip(subsets, values, strict=True))
    found = split(list(STEPS), named(worth))
    for factor in STEPS:
        expected = math.fsum(
            math.factorial(len(some)) * math.factorial(2 - len(some)) / 6
            * (worth[some | {factor}] - worth[some])
            for some in subsets
            if factor not in some
        )  # fmt: skip
        assert found.parts[factor].value == pytest.approx(expected, abs=1e-9)


def named(worth):
    names = {frozenset(): BEFORE, frozenset(STEPS): AFTER}
    return {names.get(state, name_state(state)): value for state, value in worth.items()}


@given(values=ALL_STATES)
def test_factors_that_do_the_same_get_the_same(values):
    """Symmetry: swap two factors in every state, and their parts are swapped."""
    subsets = [frozenset(), *states_between(STEPS), frozenset(STEPS)]
    worth = dict(zip(subsets, values, strict=True))
    swap = {SPEC: RESTATED, RESTATED: SPEC, NEW: NEW}
    swapped = {frozenset(swap[f] for f in state): value for state, value in worth.items()}
    one, other = split(list(STEPS), named(worth)), split(list(STEPS), named(swapped))
    assert one.parts[SPEC].value == pytest.approx(other.parts[RESTATED].value, abs=1e-9)
    assert one.parts[NEW].value == pytest.approx(other.parts[NEW].value, abs=1e-9)


def test_a_spec_change_and_a_restated_history_share_what_they_do_together():
    # Alone the spec does 1.0 and the history 0.2; together 3.0, so 1.8 is due to both.
    fits = {BEFORE: 0.0, SPEC: 1.0, RESTATED: 0.2, AFTER: 3.0}
    found = split([SPEC, RESTATED], fits)
    assert values_of(found) == {SPEC: 1.9, RESTATED: 1.1}
    assert found.ranges == {SPEC: (1.0, 2.8), RESTATED: (pytest.approx(0.2), 2.0)}
    assert found.parts[SPEC].mcse == pytest.approx(0.01 * math.sqrt(4 * 0.25))


def test_without_the_fit_of_one_order_the_other_one_counts():
    found = split([SPEC, RESTATED], {BEFORE: 0.0, SPEC: 1.0, AFTER: 3.0})
    assert values_of(found) == {SPEC: 1.0, RESTATED: 2.0}
    assert found.ranges == {}


def test_one_factor_gets_what_a_repetition_does_not_explain():
    # Two fits of the same data give 2.0 and 2.2, so 2.1 stands for them: 0.1 is chance.
    found = split([NEW], {BEFORE: 2.0, "seed 1": 2.2, AFTER: 3.0}, noise_at=())
    assert values_of(found) == {NOISE: 0.1, NEW: 0.9}
    assert found.parts[NOISE].mcse == pytest.approx(0.01 * math.sqrt(2) / 2)
    assert found.parts[NEW].mcse == pytest.approx(0.01 * math.sqrt(1 + 2 / 4))


def test_three_factors_are_let_in_one_after_another():
    fits = {BEFORE: 1.0, SPEC: 1.5, both(SPEC, RESTATED): 1.2, AFTER: 2.0, "seed 1": 1.0}
    assert values_of(split(list(STEPS), fits, noise_at=())) == {
        NOISE: 0.0,
        SPEC: 0.5,
        RESTATED: -0.3,
        NEW: 0.8,
    }


def test_the_later_run_is_repeated_where_only_it_can_be():
    found = split([SPEC], {BEFORE: 1.0, "seed 1": 2.2, AFTER: 2.0}, noise_at=(SPEC,))
    assert values_of(found) == {SPEC: 1.1, NOISE: -0.1}


def test_a_fit_between_the_two_is_repeated_where_neither_can_be():
    fits = {BEFORE: 1.0, SPEC: 2.0, "seed 1": 2.2, AFTER: 3.0}
    found = split([SPEC, NEW], fits, noise_at=(SPEC,))
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
        ([NEW], True, True, ()),
        ([SPEC], False, True, (SPEC,)),
        ([SPEC, NEW], False, True, (SPEC, NEW)),
        ([SPEC, NEW], False, False, (SPEC,)),
        ([NEW], False, False, None),
    ],
    ids=[
        "nothing to tell apart", "the earlier run", "the later run", "the later run of two steps",
        "between them", "nowhere, both are of older code",
    ],
)  # fmt: skip
def test_another_seed_is_tried_where_todays_code_can_repeat_a_fit(changed, before, after, state):
    found = choose_noise_state(changed, before_is_current=before, after_is_current=after)
    assert found == (None if state is None else frozenset(state))
