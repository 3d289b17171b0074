"""The explanation of a refit is published with it: rows, nested fits, all or none of it."""

import logging

import pytest
from support.publishing import publish_run

from schemas.documents.changes import (
    ChannelChange,
    Explanation,
    ExplanationRef,
    Factor,
    FitTold,
    Part,
)
from schemas.names import Artifact
from tasks.publish import task
from tasks.store.files.artifacts import write_json
from tasks.store.tracking import experiments
from tasks.store.tracking.auxiliary_fits import FIT_TAG
from tasks.store.tracking.retries import PARENT_TAG
from tasks.store.warehouse.connection import reading

CHANNEL = "x'); DROP TABLE kpi;--"


@pytest.fixture
def explained(home, finished, monkeypatch):
    """A finished run and the reference of its explanation."""
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(task, "build_figures", lambda _: {})  # drawn in test_publish
    made = finished()
    fits = [
        FitTold(name=Factor.SPEC_OR_CODE, says="spec of now", seed=42, seconds=2.0, r_hat_max=1.01),
        FitTold(name=Factor.NOISE, says="again", seed=7, seconds=None, error="not begun"),
    ]
    row = ChannelChange(
        channel=CHANNEL, quantity="roas", before=1.0, after=1.5, main_cause="spec_or_code",
        parts={Factor.SPEC_OR_CODE: Part(value=0.5, mcse=0.01)}, sentence="It moved.",
    )  # fmt: skip
    explanation = Explanation(
        run_a="run-0", run_b=made.run_id, dataset_id="demo", channels=[row], fits=fits,
        is_complete=False,
    )  # fmt: skip
    path = home.run_dir(made.run_id) / Artifact.CHANGE
    file = write_json(home, path, explanation.model_dump(mode="json"))
    return made, ExplanationRef(file=file, is_complete=False)


def changes(home):
    with reading(home, "demo") as con:
        return con.execute(
            "select run_a, run_b, channel, after - before, noise, spec_or_code, main_cause "
            "from mart.changes"
        ).fetchall()


def test_rows_and_nested_fits_come_with_the_run(home, explained):
    made, ref = explained
    published = publish_run(made, ref)
    assert changes(home) == [("run-0", "run-1", CHANNEL, 0.5, None, 0.5, "spec_or_code")]
    client = experiments.open_store(home)
    experiment = client.get_experiment_by_name("demo").experiment_id
    (nested,) = client.search_runs(
        [experiment], f"tags.`{PARENT_TAG}` = '{published.mlflow_run_id}'"
    )
    assert nested.data.tags[FIT_TAG] == "run-0/spec_or_code", "what was not begun is no run"
    assert nested.data.metrics == {"seconds": 2.0, "r_hat_max": 1.01}
    assert experiments.RUN_TAG not in nested.data.tags


def test_a_run_that_could_not_be_published_leaves_no_rows(home, explained, monkeypatch):
    made, ref = explained

    def fail(*_args):
        raise OSError("disk full")

    monkeypatch.setattr(task, "write_promotion", fail)
    with pytest.raises(OSError, match="disk full"):
        publish_run(made, ref)
    assert changes(home) == []
