"""Which files may go: hand-made histories, and laws that hold for every history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.answers.pruning import BatchFacts, DatasetFacts, PlanFacts, RunFacts
from schemas.documents.promotions import MadeBy, Promotion, PromotionAction
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict
from schemas.spec.retention import LandingPolicy, RetentionSpec
from tasks.prune import policy

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
STRICT = RetentionSpec(keep_runs=1, keep_days=0, keep_rollbacks=1, keep_rejected_days=1)


def run(number, *, days=None, **facts):
    """Week ``number`` of a history, the newest is 0; version counts up with time."""
    began = NOW - timedelta(days=7 * number if days is None else days)
    made = {
        "run_id": f"demo-{number:03d}", "status": RunStatus.OUTPUTS_READY, "verdict": Verdict.PASS,
        "version": 1000 - number, "created_at": began, "ended_at": began, **facts,
    }  # fmt: skip
    return RunFacts.model_validate(made)


def history(*versions):
    """Each version became champion after the one before."""
    return tuple(
        Promotion(
            dataset_id="demo", decided_at=NOW, version=version, run_id="r", from_version=before,
            action=PromotionAction.PROMOTE, reason="", made_by=MadeBy.REFIT,
        )
        for before, version in zip((None, *versions), versions, strict=False)
    )  # fmt: skip


def gone(runs, rules, *, champions=(), line=()):
    facts = DatasetFacts(
        dataset_id="demo", runs=runs, champions=frozenset(champions), history=history(*line)
    )
    return {r.item_id for r in policy.rule_on_runs(facts, rules, NOW) if r.goes}


def why(one, rules=STRICT, **facts):
    others = (run(0, days=0), one)
    made = DatasetFacts(dataset_id="demo", runs=others, **facts)
    return next(r for r in policy.rule_on_runs(made, rules, NOW) if r.item_id == one.run_id).reason


def test_after_a_year_of_weeks_the_default_keeps_half_a_year_and_what_rollback_needs():
    weeks = tuple(run(n) for n in range(52))
    line = sorted(w.version for w in weeks)
    kept = {w.run_id for w in weeks} - gone(weeks, RetentionSpec(), champions={1000}, line=line)
    assert kept == {f"demo-{n:03d}" for n in range(26)}


def test_a_champion_of_last_year_and_those_before_it_stay():
    weeks = tuple(run(n, verdict=Verdict.REVIEW) for n in range(80))
    kept_back = gone(weeks, RetentionSpec(), champions={930}, line=[927, 928, 929, 930])
    everyone = {w.run_id for w in weeks[26:]}
    assert everyone - kept_back == {"demo-070", "demo-071", "demo-072", "demo-073"}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"status": RunStatus.TRAINING, "verdict": None}, "not ended"),
        ({"status": RunStatus.CREATED, "verdict": None, "version": None}, "not ended"),
        ({"aliases": ("challenger",)}, "alias challenger in MLflow"),
        ({"aliases": ("shown-to-the-board",)}, "alias shown-to-the-board in MLflow"),
        ({"has_unscored": True}, policy.UNSCORED),
        ({}, "not among the newest 1, older than 0 days"),
        ({"verdict": Verdict.FAIL}, "rejected, older than 1 days"),
        ({"verdict": Verdict.NOT_EVALUATED}, "rejected, older than 1 days"),
        ({"status": RunStatus.ERROR, "verdict": None}, "failed, older than 1 days"),
    ],
)
def test_the_reason_of_an_old_run(facts, reason):
    assert why(run(90, **facts)) == reason


def test_young_rejected_runs_stay_and_do_not_count_as_accepted():
    runs = (run(0, verdict=Verdict.FAIL), run(1), run(2, verdict=Verdict.FAIL))
    rules = RetentionSpec(keep_runs=1, keep_days=0, keep_rejected_days=14)
    assert gone(runs, rules) == {"demo-002"}


@pytest.mark.parametrize(("days", "goes"), [(89, False), (90, True)])
def test_the_day_on_which_an_accepted_run_becomes_old(days, goes):
    rules = RetentionSpec(keep_runs=1)
    assert bool(gone((run(0), run(1, days=days)), rules)) is goes


@pytest.mark.parametrize(("days", "goes"), [(29, False), (30, True)])
def test_the_day_on_which_a_failed_run_becomes_old(days, goes):
    failed = run(1, days=days, status=RunStatus.ERROR, verdict=None)
    assert bool(gone((failed,), RetentionSpec())) is goes


def test_what_was_pruned_is_not_pruned_again():
    assert not gone((run(0), run(90, is_pruned=True)), STRICT)


def test_a_version_that_only_a_rollback_went_over_is_not_held_for_rollback():
    moves = history(1, 2, 3)
    back = moves[-1].model_copy(
        update={"action": PromotionAction.ROLLBACK, "version": 1, "from_version": 3}
    )
    facts = DatasetFacts(dataset_id="demo", champions=frozenset({1}), history=(*moves, back))
    assert policy.reachable_versions(facts, RetentionSpec()) == set()


def batch(batch_id, status="ACCEPTED", *, days=400, **facts):
    made = {
        "batch_id": batch_id, "status": status, "received_at": NOW - timedelta(days=days),
        "has_values": True, "is_newest": False, "has_file": True, **facts,
    }  # fmt: skip
    return BatchFacts.model_validate(made)


BATCHES = (
    batch("refused", "REFUSED"),
    batch("refused-lately", "REFUSED", days=89),
    batch("superseded", has_values=False),
    batch("superseded-newest", has_values=False, is_newest=True),
    batch("in-use"),
    batch("gone-already", has_values=False, has_file=False),
    batch("not-judged", "LANDED"),
    batch("of-a-later-version", "HELD"),
)


@pytest.mark.parametrize(
    ("landing", "gone"),
    [
        (LandingPolicy.KEEP, {"refused", "superseded"}),
        (LandingPolicy.EXPIRE, {"refused", "superseded", "in-use"}),
    ],
)
def test_landed_files_that_go(landing, gone):
    rules = RetentionSpec(landing=landing)
    assert {r.item_id for r in policy.rule_on_batches(BATCHES, rules, NOW)} == gone


def test_files_of_plans_go_by_age():
    plans = [
        PlanFacts(scenario_id=name, created_at=NOW - timedelta(days=days), has_files=there)
        for name, days, there in [("old", 365, True), ("new", 364, True), ("gone", 900, False)]
    ]
    ruled = policy.rule_on_plans(plans, RetentionSpec(), NOW)
    assert [(r.item_id, r.age_days) for r in ruled] == [("old", 365)]


def test_records_of_steps_go_once_their_run_has_been_over_for_long():
    runs = (
        run(9, status=RunStatus.ERROR), run(1, status=RunStatus.ERROR), run(8),
        run(7, status=RunStatus.TRAINING),
    )  # fmt: skip
    facts = DatasetFacts(dataset_id="demo", runs=runs)
    folders = ["demo-001", "demo-007", "demo-008", "demo-009", "other-1"]
    ruled = policy.rule_on_steps(facts, folders, RetentionSpec(), NOW)
    assert [r.item_id for r in ruled] == ["demo-008", "demo-009"]


RULES = st.builds(
    RetentionSpec,
    keep_runs=st.integers(1, 12),
    keep_days=st.integers(0, 200),
    keep_rollbacks=st.integers(1, 5),
    keep_rejected_days=st.integers(1, 200),
)


@st.composite
def datasets(draw):
    """Any history: runs of every fate, any champion, any line of champions."""
    n = draw(st.integers(0, 14))
    runs = tuple(
        run(
            number,
            days=draw(st.integers(0, 300)),
            status=draw(st.sampled_from(RunStatus)),
            verdict=draw(st.none() | st.sampled_from(Verdict)),
            version=draw(st.none() | st.just(1000 - number)),
            aliases=draw(st.sampled_from([(), (), (), ("challenger",), ("mine",)])),
            has_unscored=draw(st.booleans()),
        )
        for number in range(n)
    )
    versions = st.integers(1000 - 14, 1000)
    line = draw(st.lists(versions, max_size=8, unique=True))
    champions = draw(st.frozensets(versions, max_size=2)) | frozenset(line[-1:])
    return DatasetFacts(dataset_id="demo", runs=runs, champions=champions, history=history(*line))


def chosen(facts, rules):
    return {r.item_id for r in policy.rule_on_runs(facts, rules, NOW) if r.goes}


@given(datasets(), RULES)
def test_a_run_that_something_rests_on_never_goes(facts, rules):
    going = chosen(facts, rules)
    line = [p.version for p in facts.history]
    reachable = set(line[:-1][-rules.keep_rollbacks :])
    for one in facts.runs:
        rests = (
            one.status not in {RunStatus.OUTPUTS_READY, RunStatus.ERROR}
            or one.version in facts.champions
            or one.version in reachable
            or one.aliases
            or one.has_unscored
        )
        assert not (rests and one.run_id in going), one


@given(datasets(), RULES, st.integers(0, 8), st.integers(0, 100))
def test_whoever_keeps_more_loses_less(facts, rules, more_runs, more_days):
    wider = rules.model_copy(
        update={
            "keep_runs": rules.keep_runs + more_runs,
            "keep_days": rules.keep_days + more_days,
            "keep_rollbacks": rules.keep_rollbacks + more_runs,
            "keep_rejected_days": rules.keep_rejected_days + more_days,
        }
    )
    assert chosen(facts, wider) <= chosen(facts, rules)


@given(datasets(), RULES)
def test_the_newest_accepted_runs_stay_and_every_run_has_one_ruling_with_a_reason(facts, rules):
    rulings = policy.rule_on_runs(facts, rules, NOW)
    assert sorted(r.item_id for r in rulings) == sorted(one.run_id for one in facts.runs)
    assert all(r.reason for r in rulings)
    accepted = sorted(
        (one for one in facts.runs if one.is_accepted),
        key=lambda one: (one.created_at, one.run_id), reverse=True,
    )  # fmt: skip
    assert not {a.run_id for a in accepted[: rules.keep_runs]} & chosen(facts, rules)


@settings(max_examples=30)
@given(datasets(), RULES)
def test_deciding_again_after_pruning_finds_nothing(facts, rules):
    going = chosen(facts, rules)
    after = tuple(r.model_copy(update={"is_pruned": r.run_id in going}) for r in facts.runs)
    assert not chosen(facts.model_copy(update={"runs": after}), rules)
