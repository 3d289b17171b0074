"""Which fits tell two runs apart, and for how long they may run."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from support.worlds import FILE

from schemas.documents.changes import Comparison, CounterfactualFit, Factor, TriedFit
from schemas.errors import IncomparableRunsError
from schemas.refs import FeaturesRef, SnapshotRef
from schemas.spec.run_spec import Grain, RunSpec
from tasks.explain.budget import choose_fit
from tasks.explain.orders import name_state, states_between
from tasks.explain.panels import SideBySide
from tasks.explain.plan import (
    RunFacts,
    feasible_states,
    find_differences,
    plan_fits,
    require_order,
)

SPEC, RESTATED, NEW, NOISE = (
    Factor.SPEC_OR_CODE, Factor.RESTATED, Factor.NEW_PERIODS, Factor.NOISE,
)  # fmt: skip
TODAY = "code of today"
WEEK = pd.Timestamp("2024-01-01")
SNAPSHOT = SnapshotRef(
    dataset_id="acme", snapshot_id="s1", wide=FILE, column_info=FILE, grain=Grain.WEEK,
    as_of=date(2024, 1, 8),
)  # fmt: skip
FEATURES = FeaturesRef(snapshot_id="s1", features=FILE, metadata=FILE, scaler=FILE)


def run(run_id, *, fingerprint=TODAY, as_of=date(2024, 1, 8), **spec):
    settings = RunSpec(dataset_id="acme", **spec)
    return RunFacts(
        run_id=run_id, dataset_id="acme", created_at=datetime(2024, 1, 9, tzinfo=UTC),
        spec=settings, sampler=settings.sampler, roles={}, fingerprint=fingerprint,
        snapshot=SNAPSHOT.model_copy(update={"as_of": as_of}), features=FEATURES,
    )  # fmt: skip


def panels(*, n_new=0, n_restated=0):
    rows = pd.DataFrame()
    more = [(SPEC, NEW), (RESTATED,), (NEW,), (RESTATED, NEW)]
    return SideBySide(
        as_known_then=rows, as_known_now=rows, n_new_rows=n_new, new_periods=[WEEK] * n_new,
        n_restated=n_restated, restated_periods=[WEEK] * n_restated, n_gone=0, is_comparable=True,
        more={frozenset(state): rows for state in more},
    )  # fmt: skip


def plan(earlier, later, rows, *, is_noise_known=False):
    found = find_differences(earlier, later, rows, today=TODAY)
    states = feasible_states(earlier, found.changed, rows, today=TODAY)
    snapshots = dict.fromkeys(states, SNAPSHOT)
    fits, noise_at = plan_fits(
        earlier, later, found.changed, snapshots, today=TODAY, is_noise_known=is_noise_known
    )
    return found, {fit.name: fit for fit in fits}, noise_at


def test_a_week_of_new_data_takes_one_fit_of_the_run_before():
    found, fits, noise_at = plan(run("a"), run("b"), panels(n_new=1))
    assert (found.changed, list(fits), noise_at) == ([NEW], [NOISE], frozenset())
    assert fits[NOISE].features == FEATURES
    assert fits[NOISE].spec.sampler.random_seed != 42
    assert found.facts == {NEW: "1 row(s), 2024-01-01"}


def test_no_fit_where_the_noise_is_on_record():
    assert plan(run("a"), run("b"), panels(n_new=1), is_noise_known=True)[1] == {}


def test_no_fit_where_only_the_seed_is_another_one():
    found, fits, _ = plan(run("a"), run("b", random_seed=7), panels())
    assert (found.changed, fits) == ([], {})


def test_one_changed_factor_needs_no_fit_between_the_two():
    assert list(plan(run("a"), run("b", draws=500), panels())[1]) == [NOISE]
    assert list(plan(run("a"), run("b"), panels(n_restated=2))[1]) == [NOISE]


def test_everything_changed_takes_a_fit_of_every_state_and_no_more():
    later = run("b", draws=500, random_seed=7)
    found, fits, _ = plan(run("a"), later, panels(n_new=1, n_restated=2))
    first = name_state((SPEC, RESTATED))
    assert list(fits)[:3] == [SPEC, first, NOISE], "one order is whole before the others begin"
    assert set(fits) == {NOISE, *map(name_state, states_between(found.changed))}
    assert len(fits) == 7
    assert found.facts[SPEC] == "run spec: sampler.draws"
    settings = {name: fit.spec.sampler for name, fit in fits.items()}
    assert (settings[SPEC].draws, settings[SPEC].random_seed) == (500, 42)
    assert (settings[first].draws, settings[first].random_seed) == (500, 7)
    assert settings[NOISE].draws == 1000, "the earlier run is repeated as it was"
    assert settings[name_state((RESTATED, NEW))].draws == 1000, "its spec on the data of now"
    assert fits[name_state((RESTATED, NEW))].says == "spec of then on the data of now"


def test_restated_history_and_new_periods_are_told_apart_in_both_orders():
    _, fits, _ = plan(run("a"), run("b"), panels(n_new=1, n_restated=2))
    assert list(fits) == [RESTATED, NOISE, NEW]


def test_other_code_counts_as_a_change_and_the_later_run_is_repeated():
    found, fits, noise_at = plan(run("a", fingerprint="older"), run("b"), panels(n_new=1))
    assert (found.changed, list(fits), noise_at) == ([SPEC, NEW], [SPEC, NOISE], {SPEC, NEW})
    assert found.facts[SPEC] == "other code or libraries"
    assert fits[NOISE].says.startswith("b,")


def test_older_code_is_let_in_first_in_every_order():
    older = run("a", fingerprint="older")
    _, fits, _ = plan(older, run("b"), panels(n_new=1, n_restated=1))
    states = [(SPEC,), (SPEC, RESTATED), (SPEC, NEW)]
    assert set(fits) == {NOISE, *map(name_state, states)}


def test_a_later_run_of_older_code_says_so():
    earlier, later = (run(name, fingerprint="older") for name in "ab")
    found, fits, _ = plan(earlier, later, panels(n_new=1))
    assert (found.changed, fits) == ([NEW], {})
    assert "b was made by other code" in found.notes[0]
    assert "no part for sampling noise" in found.notes[1]


def test_code_that_is_not_known_counts_as_other_code():
    found, _, _ = plan(run("a", fingerprint=None), run("b"), panels())
    assert found.changed == [SPEC]
    assert "counts as other code" in found.notes[-1]


def test_what_was_known_first_is_not_explained_by_what_was_known_later():
    later = run("b", as_of=date(2024, 1, 15))
    require_order(run("a"), later)
    with pytest.raises(IncomparableRunsError, match="mmm explain a b"):
        require_order(later, run("a"))
    again = replace(run("c"), created_at=datetime(2024, 1, 10, tzinfo=UTC))
    with pytest.raises(IncomparableRunsError):
        require_order(again, run("a"))


def comparison(**facts):
    fits = [
        CounterfactualFit(name=name, says="", spec=run("a").spec, snapshot=SNAPSHOT)
        for name in (SPEC, RESTATED, NOISE)
    ]
    return Comparison(
        **{
            "run_a": "a", "run_b": "b", "dataset_id": "acme", "key": "k", "changed": [SPEC],
            "facts": {}, "notes": [], "before": FILE, "after": FILE, "noise_at": [], "fits": fits,
            "expected_seconds": 30.0, **facts,
        }
    )  # fmt: skip


def tried(*seconds):
    names = (SPEC, RESTATED, NOISE)
    return [TriedFit(name=name, seconds=s) for name, s in zip(names, seconds, strict=False)]


def test_without_a_limit_each_fit_has_the_time_of_its_spec():
    step = choose_fit(comparison(), tried(4000.0))
    assert (step.fit.name, step.limit_seconds) == (RESTATED, 3600)
    assert choose_fit(comparison(), tried(1.0, 1.0, 1.0)) is None


def test_a_fit_is_begun_only_if_it_ends_in_time():
    limited = comparison(max_seconds=100.0)
    assert choose_fit(limited, []).limit_seconds == 100.0
    assert choose_fit(limited, tried(40.0)).limit_seconds == 60.0
    assert choose_fit(limited, tried(40.0, 40.0)) is None, "20 s are left, the last one took 40"
    assert choose_fit(comparison(max_seconds=20.0), []) is None, "the refit's own took 30"
