"""Answers of verbs as they were published: a later release says the same under the same keys.

``demo_answers/`` holds what ``--json`` printed of refits of the demo panel before the answers were
typed, lists cut short.
"""

import json
from pathlib import Path

import pytest

from schemas.answers.checked_file import CheckedFile
from schemas.answers.decisions import DecidedChampion
from schemas.answers.plans import MadePlan, PlanComparison, ScenarioList, ShownPlan
from schemas.answers.runs import ExportedRun, RunList, RunSummary
from schemas.answers.stability import StabilityReport
from schemas.documents.changes import Explanation
from schemas.documents.forecast_scores import ScoringReport
from schemas.documents.results import RefitReport

DEMO_ANSWERS = Path(__file__).parent / "demo_answers"
ANSWERS = {
    "compare": PlanComparison,
    "export": ExportedRun,
    "plan": MadePlan,
    "refit": RefitReport,
    "runs": RunList,
    "scenario": ShownPlan,
    "scenarios": ScenarioList,
    "score": ScoringReport,
    "show": RunSummary,
    "stability": StabilityReport,
    "validate": CheckedFile,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_published_answer_is_read_and_written_byte_for_byte(name):
    published = json.loads((DEMO_ANSWERS / f"{name}.json").read_text(encoding="utf-8"))
    answer = ANSWERS[name].model_validate(published)
    assert json.dumps(answer.model_dump(mode="json")) == json.dumps(published)


def test_an_explanation_answers_without_the_version_of_its_file():
    published = json.loads((DEMO_ANSWERS / "explain.json").read_text(encoding="utf-8"))
    answer = Explanation.model_validate(published)
    written = answer.model_dump(mode="json", exclude={"schema_version"})
    assert "schema_version" not in published
    assert without_added(written, published) == published


def without_added(written, published):
    """What is written, without fields that later releases added; they have defaults."""
    if isinstance(written, dict) and isinstance(published, dict):
        return {k: without_added(v, published[k]) for k, v in written.items() if k in published}
    if isinstance(written, list) and isinstance(published, list):
        return [without_added(*pair) for pair in zip(written, published, strict=True)]
    return written


def test_every_published_answer_has_a_model():
    assert {path.stem for path in DEMO_ANSWERS.glob("*.json")} == {*ANSWERS, "explain"}


def test_a_run_that_wrote_nothing_answers_with_empty_parts():
    now = "2026-11-29T06:00:00Z"
    record = {"run_id": "run-1", "dataset_id": "demo", "status": "ERROR", "reason": "no file",
              "created_at": now, "updated_at": now}  # fmt: skip
    nothing = {"pruned": None, "reasons": [], "notes": [], "champion": None, "roas": {},
               "diagnostics": None, "fit": None, "gates": [], "artifacts_dir": "/srv/run-1",
               "artifacts": []}  # fmt: skip
    written = RunSummary.model_validate({**record, **nothing}).model_dump(mode="json")
    assert (written["diagnostics"], written["fit"], written["pruned"]) == ({}, {}, None)


def test_a_decision_says_who_is_champion_now():
    row = {"dataset_id": "demo", "decided_at": "2026-11-29T06:00:00Z", "version": 2,
           "run_id": "run-1", "from_version": 3, "action": "rollback", "reason": "",
           "made_by": "person", "champion": "demo@2"}  # fmt: skip
    assert json.dumps(DecidedChampion.model_validate(row).model_dump(mode="json")) == json.dumps(
        row
    )


@pytest.mark.parametrize("model", [*ANSWERS.values(), DecidedChampion])
def test_an_answer_is_frozen(model):
    assert model.model_config["frozen"]
