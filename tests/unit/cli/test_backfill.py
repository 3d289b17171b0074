"""``mmm backfill``: what reaches the flow, one JSON object, the exit code of the worst week."""

import json
import sys
import types
from datetime import date

import pytest

from flows.cli import app
from flows.services import servers
from schemas.answers.backfill import BackfillReport, ReplayedPeriod, ReplayOutcome


@pytest.fixture
def replay(home, monkeypatch, tmp_path):
    """Replace the flow by a report, and Prefect's API by none; a spec lies there."""
    (tmp_path / "spec.yaml").write_text("dataset_id: demo\ndata: nowhere.csv\n")
    (tmp_path / "panel.csv").write_text("x")
    asked = []

    def call(outcome, *argv):
        def backfill(request):
            asked.append(request)
            period = ReplayedPeriod(as_of=request.first_date, outcome=outcome)
            return BackfillReport(dataset_id="demo", periods=[period])

        module = types.ModuleType("flows.backfill")
        module.backfill = backfill
        monkeypatch.setitem(sys.modules, "flows.backfill", module)
        monkeypatch.setattr("flows.engines.import_engines", lambda _names: None)
        monkeypatch.setattr(servers, "start_ephemeral_api", lambda: None)
        monkeypatch.setattr(servers, "require_prefect_api", lambda _service: None)
        return app.main(["backfill", "--spec", str(tmp_path / "spec.yaml"), *argv]), asked

    return call


def test_the_dates_the_file_and_the_switch_reach_the_flow(replay, tmp_path):
    dates = ("--from", "2026-11-02", "--to", "2026-11-16")
    code, asked = replay(ReplayOutcome.ACCEPTED, *dates)
    assert code == 0
    replay(ReplayOutcome.ACCEPTED, *dates, "--data", str(tmp_path / "panel.csv"), "--again")
    plain, full = asked
    assert (plain.first_date, plain.last_date) == (date(2026, 11, 2), date(2026, 11, 16))
    assert (plain.data, plain.again) == (None, False)
    assert (full.data, full.again) == (str(tmp_path / "panel.csv"), True)
    assert full.spec_file == str(tmp_path / "spec.yaml")


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(ReplayOutcome.DONE, 0), (ReplayOutcome.REJECTED, 3), (ReplayOutcome.INVALID, 2)],
)
def test_the_answer_is_one_json_object_with_the_exit_code(replay, capsys, outcome, code):
    got, _ = replay(outcome, "--from", "2026-11-02", "--to", "2026-11-02", "--json")
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    document = json.loads(out)
    assert (got, document["exit_code"]) == (code, code)
    assert document["periods"][0]["outcome"] == outcome


@pytest.mark.parametrize(
    ("argv", "reported"),
    [
        (("--from", "2026-11-09", "--to", "2026-11-02"), "is before the first"),
        (("--from", "last week", "--to", "2026-11-02"), "--from"),
        (("--from", "2026-11-02"), "--to"),
        (("--from", "2026-11-02", "--to", "2026-11-02", "--data", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_a_wrong_call_is_reported_before_anything_starts(replay, capsys, argv, reported):
    code, asked = replay(ReplayOutcome.DONE, *argv)
    captured = capsys.readouterr()
    assert (code, captured.out, asked) == (2, "", [])
    assert reported in captured.err
