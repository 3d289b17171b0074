"""Runs of which one thing is known to have changed: the explanation finds it.

Every run is really sampled, on a small panel with few draws.
"""

from datetime import date

import pytest
from support.small_runs import explain, make_run, small_rows, small_spec

from schemas.documents.changes import ExplainRequest, Factor
from schemas.errors import IncomparableRunsError
from schemas.names import Artifact
from tasks.explain.task_known import find_answer
from tasks.store.home import Home
from tasks.store.warehouse.changes import write_changes
from tasks.store.warehouse.connection import reading, writing

pytestmark = pytest.mark.slow

SPEC, RESTATED, NEW, NOISE = (
    Factor.SPEC_OR_CODE, Factor.RESTATED, Factor.NEW_PERIODS, Factor.NOISE,
)  # fmt: skip
THEN, NOW = date(2024, 1, 1), date(2024, 1, 8)


def restate(rows):
    """More sales in the weeks with tv, as if the first file had missed some."""
    return rows.assign(sales=rows["sales"] + 0.8 * rows["act_tv"])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("causes")
        patch.setenv("MMM_HOME", str(root))
        yield Home(root.resolve())


@pytest.fixture(scope="module")
def explained(home):
    """Explanations of later runs by what they changed."""
    rows, spec = small_rows(), small_spec()
    known = rows.iloc[:-16]
    tighter = small_spec(model={"media_share": 0.6, "share_spread": 0.2})
    later = {
        "new periods": (rows, spec),
        "restated": (restate(known), spec),
        "spec": (known, tighter),
        "seed": (known, spec.model_copy(update={"sampler": _seeded(spec, 7)})),
        "everything": (restate(rows), tighter),
    }
    make_run(home, "then", known, spec, THEN)
    return {
        name: explain(home, "then", make_run(home, name.replace(" ", "_"), *made, NOW))
        for name, made in later.items()
    }


def test_the_same_question_is_answered_from_record(explained):
    known = find_answer(ExplainRequest(run_a="then", run_b="restated"))
    assert known.is_on_record
    assert known.model_copy(update={"is_on_record": False}) == explained["restated"]
    assert find_answer(ExplainRequest(run_a="restated", run_b="spec")) is None


def _seeded(spec, seed):
    return spec.sampler.model_copy(update={"random_seed": seed})


@pytest.mark.parametrize(
    ("name", "factor"), [("new periods", NEW), ("restated", RESTATED), ("spec", SPEC)]
)
def test_what_alone_changed_gets_all_but_the_noise(explained, name, factor):
    reported = explained[name]
    assert reported.changed == [factor]
    sizes = {f: sum(abs(row.parts[f].value) for row in reported.channels) for f in Factor}
    assert sizes[factor] >= 0.9 * (sum(sizes.values()) - sizes[NOISE])
    assert sizes[factor] > sizes[NOISE]
    assert any(row.main_cause == factor for row in reported.channels)
    tv = next(row for row in reported.channels if row.channel == "tv")
    assert tv.parts[factor].is_clear


def test_where_nothing_changed_there_is_only_noise_and_no_auxiliary_fit(explained):
    reported = explained["seed"]
    assert (reported.changed, reported.fits) == ([], [])
    for row in reported.channels:
        assert row.change == pytest.approx(row.parts[NOISE].value)
        assert abs(row.change) < 4 * row.parts[NOISE].mcse
        assert {f for f in Factor if row.parts[f].value != 0} <= {NOISE}


def test_three_factors_take_a_fit_of_every_state_and_add_up(explained):
    reported = explained["everything"]
    assert reported.changed == [SPEC, RESTATED, NEW]
    assert len(reported.fits) == 7
    assert reported.n_orders == 6
    assert reported.is_complete
    for row in reported.channels:
        assert row.total_of_parts() == pytest.approx(row.after - row.before, abs=1e-12)
    tv = next(row for row in reported.channels if row.channel == "tv")
    assert tv.parts[RESTATED].value > 0, "tv sold more in the restated history"


def test_channels_without_spend_are_reported_by_their_share(explained):
    quantities = {row.channel: row.quantity for row in explained["new periods"].channels}
    assert quantities == {"tv": "roas", "search": "roas", "email": "share", "rival": "share"}


def test_the_same_explanation_twice_is_one_set_of_rows(home, explained):
    for _ in range(2):
        with writing(home, "acme") as con:
            write_changes(con, explained["new periods"])
    with reading(home, "acme") as con:
        rows = con.execute(
            "select channel, after - before, noise + new_periods + restated + spec_or_code, "
            "unsplit, main_cause from mart.changes"
        ).fetchall()
    assert len(rows) == 4
    for row in rows:
        assert row[1] == pytest.approx(row[2], abs=1e-12)
        assert row[3] is None


def test_files_that_are_gone_are_named(home, explained):
    posterior = home.run_dir("seed") / Artifact.POSTERIOR
    away = posterior.rename(posterior.with_suffix(".away"))
    try:
        with pytest.raises(IncomparableRunsError, match=r"run seed.*posterior\.nc"):
            explain(home, "then", "seed")
    finally:
        away.rename(posterior)
