"""In a home of an earlier release: plans on its champion, explains its runs, refits on top."""

import json
from pathlib import Path

import pandas as pd
import pytest
from support.old_home import DATASET, FIRST, KILLED, SECOND, unpack_old_home

from schemas.documents.changes import ExplainRequest
from schemas.documents.plan import Plan
from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.plan_request import PlannedModel, PlanRequest
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.plans import read_plan
from tasks.store.warehouse.runs import read_run

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]


@pytest.fixture
def old(prefect_env, home):
    return unpack_old_home(home.root)


def published_of(home, run_id, name):
    return json.loads((home.run_dir(run_id) / name).read_text(encoding="utf-8"))


def test_its_champion_is_planned_with(old):
    from flows.plan_budget import plan_budget

    models = [PlannedModel(dataset_id=DATASET)]
    report = plan_budget(PlanRequest(models=models, what_if=[{"channel": "tv", "change": -0.1}]))
    assert report.run_ids == [SECOND]
    plan = Plan.model_validate_json(Path(report.plan_file).read_text(encoding="utf-8"))
    assert read_plan(old, report.scenario_id) == plan


def test_a_change_between_its_runs_is_explained(old):
    from flows.explain_change import explain_change

    explained = explain_change(ExplainRequest(run_a=FIRST, run_b=SECOND))
    published = published_of(old, SECOND, Artifact.ROI_METRICS)
    after = {row.channel: row.after for row in explained.channels}
    assert after == {name: pytest.approx(row["roas_mean"]) for name, row in published.items()}
    assert explained.changed == ["new_periods"]


def test_the_refit_that_was_killed_is_made_and_follows_its_champion(old):
    from flows.refit_weekly import refit_weekly

    written = published_of(old, KILLED, Artifact.RUN_SPEC)
    spec = RunSpec.model_validate(written)
    data = old.root / "incoming" / "week3.csv"
    report = refit_weekly(RefitRequest(spec=spec, data=str(data)))
    assert report.status is RunStatus.OUTPUTS_READY
    assert report.verdict is not Verdict.FAIL
    assert find_champion(old, DATASET).run_id == report.run_id
    # What the first refits forecast of these weeks stands beside what came.
    due = pd.read_parquet(old.run_dir(report.run_id) / Artifact.FORECAST_ACTUALS)
    assert set(due["forecast_run_id"]) <= {FIRST, SECOND}
    assert not due.empty
    assert report.run_id == KILLED or read_run(old, KILLED).status is RunStatus.ERROR
