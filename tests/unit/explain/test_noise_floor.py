"""Repetitions in the warehouse and in MLflow: each once, and found again by what made them."""

import json
from datetime import UTC, datetime

import pytest

from schemas.answers.stability import FloorRow, Repeated, Repetition, Repetitions
from schemas.documents.changes import FitReturns
from schemas.documents.diagnostics import StabilityReport
from schemas.documents.results import RunStatus
from schemas.errors import UnknownRunError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.refs import FeaturesRef
from schemas.spec.run_spec import RunSpec
from tasks.explain import task_stability as task
from tasks.store.files.artifacts import write_json
from tasks.store.fingerprint import fit_fingerprint
from tasks.store.runs.status import advance_run, start_run
from tasks.store.tracking import experiments
from tasks.store.tracking.auxiliary_fits import FIT_TAG
from tasks.store.tracking.retries import PARENT_TAG
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.stability import (
    read_floor_returns,
    read_noise_floor,
    write_noise_floor,
    write_stability,
)

ENDS = ("median", "low_50", "high_50", "low_90", "high_90")


def quantiles(median):
    values = (median, median - 0.5, median + 0.5, median - 1.645, median + 1.645)
    row = {f"roas_{end}": value for end, value in zip(ENDS, values, strict=True)}
    return {"tv": {**row, "roas_mean": median, "roas_mcse": 0.02}}


@pytest.fixture
def champion_run(home):
    """An accepted run with its MLflow run."""
    client = experiments.open_store(home)
    experiment = experiments.open_experiment(client, home, "acme")
    parent = client.create_run(experiment).info.run_id
    start_run(home, "run-1", "acme")
    for status in list(RunStatus)[1:-1]:
        facts = {"verdict": Verdict.PASS, "mlflow_run_id": parent}
        advance_run(home, "run-1", status, **facts)
    spec = RunSpec(dataset_id="acme").model_dump(mode="json")
    write_json(home, home.run_dir("run-1") / Artifact.RUN_SPEC, spec)
    return parent


def repeat(home, medians, *, own=2.0):
    folder = home.steps / "noise"
    file = write_json(home, folder / "own.json", quantiles(own))
    features = FeaturesRef(snapshot_id="s", features=file, metadata=file, scaler=file)
    made = []
    for name, median in medians.items():
        seed = 42 if name == task.OWN else int(name)
        fit = Repetition(name=name, spec=RunSpec(dataset_id="acme", sampler={"random_seed": seed}))
        ref = write_json(home, folder / f"{name}.json", quantiles(median))
        made.append(Repeated(fit=fit, returns=FitReturns(file=ref, seconds=1.0)))
    repetitions = Repetitions(
        run_id="run-1", dataset_id="acme", steps="noise", features=features, own=file,
        fits=[m.fit for m in made],
    )  # fmt: skip
    return task.answer_noise.fn(repetitions, made)


def test_repetitions_are_the_floor_and_nested_runs_each_once(home, champion_run):
    for _ in range(2):
        report = repeat(home, {"7": 2.0, "8": 2.25})
    (floor,) = report.floor
    assert (floor.channel, floor.n_seeds, floor.min_overlap) == ("tv", 2, pytest.approx(0.75))
    client = experiments.open_store(home)
    experiment = client.get_experiment_by_name("acme").experiment_id
    nested = client.search_runs([experiment], f"tags.`{PARENT_TAG}` = '{champion_run}'")
    assert sorted(run.data.tags[FIT_TAG] for run in nested) == ["noise/7", "noise/8"]
    assert sorted(run.data.metrics["overlap/tv"] for run in nested) == pytest.approx([0.75, 1.0])
    assert all(run.data.tags.get(experiments.RUN_TAG) is None for run in nested)


def test_other_code_than_the_champions_is_compared_with_its_own_repetition(home, champion_run):
    report = repeat(home, {task.OWN: 3.0, "7": 3.0})
    assert (report.floor[0].n_seeds, report.floor[0].min_overlap) == (1, 1.0)


def test_an_explanation_finds_the_returns_of_the_same_run_and_code(home, champion_run):
    repeat(home, {"7": 2.5})
    today = fit_fingerprint()
    assert read_floor_returns(home, "run-1", today) == {
        7: {"tv": {"roas_mean": 2.5, "roas_mcse": 0.02}}
    }
    assert read_floor_returns(home, "run-1", "older") == {}
    assert read_floor_returns(home, "run-2", today) == {}


def test_the_same_run_and_seed_once_more_replaces_the_row(home):
    row = FloorRow(
        run_id="r", dataset_id="acme", seed=1, channel="tv", quantity="roas", mean=1.0, mcse=0.1,
        overlap=0.9, change_sd=None, fingerprint="f", measured_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    for overlap in (0.9, 0.8):
        with writing(home, "acme") as con:
            write_noise_floor(con, [row.model_copy(update={"overlap": overlap})])
    assert [r.overlap for r in read_noise_floor(home, "acme")] == [0.8]


def test_the_trend_is_that_of_accepted_refits_with_the_limit_of_the_newest(home, champion_run):
    shift = {
        "channel": "tv", "quantity": "roas", "overlap": 0.6, "change_sd": 0.2,
        "planned_share_change": None,
    }  # fmt: skip
    with writing(home, "acme") as con:
        champion = {"name": "acme@1", "run_id": "run-0", "last_period": None, "age_days": None}
        document = StabilityReport.model_validate(
            {"champion": champion, "channels": [shift], "allocation_churn": None}
        )
        write_stability(con, "run-1", "acme", document)
    report = task.read_trend("acme")
    assert (report.runs[0].min_overlap, report.rows[0].champion_run_id) == (0.6, "run-0")
    assert (report.min_overlap_review, report.floor) == (0.2, [])
    json.dumps(report.model_dump(mode="json"), allow_nan=False)


def test_a_dataset_without_runs_or_champion_is_reported(home, champion_run):
    with pytest.raises(UnknownRunError, match="did you mean 'acme'"):
        task.read_trend("acem")
    with pytest.raises(UnknownRunError, match="no champion"):
        task.plan_repetitions.fn(task.NoiseRequest(dataset_id="acme", n_seeds=1))
