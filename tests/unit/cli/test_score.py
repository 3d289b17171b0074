"""``mmm score``: one JSON object, a table for people, alarms are answers, a typo is reported."""

import json
import sys
import types
from datetime import UTC, date, datetime

import pytest

from flows.cli import app
from flows.cli.render.scores import render_scoring
from flows.services import servers
from schemas.documents.forecast_scores import (
    Alarm,
    AlarmKind,
    Basis,
    LedgerReport,
    ScoreSummary,
    ScoringReport,
)
from schemas.names import ForecastScope
from tasks.query.runs import all_runs
from tasks.store.runs.status import start_run

ALARM = Alarm(
    dataset_id="demo",
    kind=AlarmKind.KPI_BELOW_FORECAST,
    first_period=date(2026, 1, 5),
    raised_period=date(2026, 1, 19),
    raised_at=datetime(2026, 1, 26, tzinfo=UTC),
    detail="The KPI has been below what the model expects since 2026-01-05.",
)


def summary(scope=ForecastScope.ALL, basis=Basis.DEPLOYED, **facts):
    return ScoreSummary(
        **{
            "basis": basis, "scope": scope, "periods_ahead": "2-4", "n": 3, "crps": 1234.5,
            "coverage_50": 0.5, "coverage_90": 1.0, "mape": 0.031, "skill": None, **facts,
        }
    )  # fmt: skip


def ledger(**facts):
    return LedgerReport(
        **{
            "dataset_id": "demo", "n_runs": 2, "n_new": 6, "n_changed": 1, "notes": [],
            "summaries": [summary(), summary(ForecastScope.ENTITY, n=77)],
            "alarms": [], "new_alarms": [], **facts,
        }
    )  # fmt: skip


def _known_datasets(dataset_id, **_):
    all_runs(dataset_id)
    return ["demo"]


@pytest.fixture
def scoring(home, monkeypatch):
    """Replace the flow by a report, and Prefect's API by none."""
    asked = []

    def install(report):
        def score_forecasts(dataset_id):
            asked.append(dataset_id)
            return report

        module = types.ModuleType("flows.score_forecasts")
        module.score_forecasts = score_forecasts
        monkeypatch.setitem(sys.modules, "flows.score_forecasts", module)
        monkeypatch.setattr("flows.settled.read_settled", lambda _dataset: None)
        monkeypatch.setattr("flows.settled.select_datasets", _known_datasets)
        monkeypatch.setattr(servers, "start_ephemeral_api", lambda: None)
        monkeypatch.setattr(servers, "require_prefect_api", lambda _service: None)
        start_run(home, "run-1", "demo")
        return asked

    return install


def call(capsys, *argv):
    code = app.main(list(argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_an_alarm_is_an_answer_and_no_failure(scoring, capsys):
    asked = scoring(ScoringReport(datasets=[ledger(alarms=[ALARM], new_alarms=[ALARM])]))
    code, out, _ = call(capsys, "score", "--dataset", "demo", "--json")
    assert (code, asked, out.count("\n")) == (0, ["demo"], 1)
    reported = json.loads(out)["datasets"][0]
    assert reported["alarms"][0]["kind"] == "kpi_below_forecast"
    assert reported["summaries"][0]["skill"] is None


def test_without_a_dataset_all_are_scored(scoring, capsys):
    asked = scoring(ScoringReport(datasets=[]))
    code, out, _ = call(capsys, "score")
    assert (code, asked) == (0, [None])
    assert "No forecasts yet" in out


def test_an_unknown_dataset_is_reported_before_anything_starts(scoring, capsys):
    asked = scoring(ScoringReport(datasets=[]))
    code, out, err = call(capsys, "score", "--dataset", "dmo")
    assert (code, out, asked) == (2, "", [])
    assert "did you mean 'demo'" in err


def test_the_table_is_of_all_entities_together():
    page = render_scoring(ScoringReport(datasets=[ledger()]))
    row = next(line for line in page.splitlines() if "deployed" in line)
    assert " ".join(row.split()) == "deployed 2-4 3 1,234 2 of 3 3 of 3 3.1 % –"
    assert "77" not in page
    assert "6 new, 1 changed" in page
    assert page.splitlines()[-1] == "no alarm"


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (1, "1 1,234 0 of 1 1 of 1 – –"),
        (9, "9 1,234 4 of 9 9 of 9 3.1 % 20.0 %"),
        (10, "10 1,234 50.0 % 100 % 3.1 % 20.0 %"),
    ],
)
def test_few_weeks_have_counts_and_one_has_no_percentage(n, shown):
    few = ledger(summaries=[summary(n=n, skill=0.2)])
    page = render_scoring(ScoringReport(datasets=[few]))
    row = next(line for line in page.splitlines() if "deployed" in line)
    assert " ".join(row.split()) == f"deployed 2-4 {shown}"


def test_alarms_and_what_was_left_out_are_reported():
    old = ALARM.model_copy(update={"detail": "An older one."})
    reported = ledger(alarms=[ALARM, old], new_alarms=[ALARM], notes=["r1: no KPI of north."])
    lines = render_scoring(ScoringReport(datasets=[reported])).splitlines()
    assert lines[-3:] == [
        f"ALARM (new): {ALARM.detail}",
        "ALARM (open): An older one.",
        "- r1: no KPI of north.",
    ]


def test_a_ledger_of_which_nothing_is_due_says_so():
    page = render_scoring(ScoringReport(datasets=[ledger(summaries=[])]))
    assert page.splitlines()[1:] == ["Nothing that was forecast has happened yet."]
