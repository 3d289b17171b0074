"""``mmm explain`` and ``mmm stability``: what is refused at once, tables, one JSON object."""

import json
import shutil
import sys
import types
from datetime import UTC, datetime

import pytest

from flows.cli import app
from flows.cli.render.changes import render_explanation, render_stability
from flows.services import servers
from schemas.answers.stability import Floor, StabilityReport, TrendRow, TrendRun
from schemas.documents.changes import ChannelChange, Explanation, Factor, FitTold, Part
from schemas.documents.results import RunStatus
from schemas.outcomes import Verdict
from tasks.store.home import Home
from tasks.store.runs.status import advance_run, start_run

NOTHING = Part(value=0.0, mcse=0.0)
TV = ChannelChange(
    channel="tv", quantity="roas", before=1.5, after=2.0, main_cause="new_periods",
    parts={
        Factor.NOISE: Part(value=0.01, mcse=0.012), Factor.NEW_PERIODS: Part(value=0.49, mcse=0.02),
        Factor.RESTATED: NOTHING, Factor.SPEC_OR_CODE: NOTHING,
    },
    sentence="tv: ROAS 1.50 to 2.00 (+0.50). Mainly new periods.",
)  # fmt: skip
EMAIL = ChannelChange(
    channel="email", quantity="share", before=0.1, after=0.15, main_cause="unsplit",
    parts={Factor.SPEC_OR_CODE: NOTHING}, unsplit=Part(value=0.05, mcse=0.001), sentence="email.",
)  # fmt: skip


def explanation(**facts):
    fit = FitTold(name=Factor.NOISE, says="a, with another seed", seed=7, seconds=2.0)
    return Explanation(
        **{
            "run_a": "a", "run_b": "b", "dataset_id": "acme", "changed": [Factor.NEW_PERIODS],
            "facts": {"new_periods": "1 row(s), 2024-01-08"}, "channels": [TV], "fits": [fit],
            "is_complete": True, **facts,
        }
    )  # fmt: skip


def report(**facts):
    rows = [
        TrendRow(
            run_id=f"r{i}", champion_run_id="r0", channel="tv", quantity="roas", overlap=0.7,
            change_sd=-0.5, planned_share_change=0.02,
        )
        for i in range(1, 16)
    ]  # fmt: skip
    runs = [
        TrendRun(
            run_id=row.run_id, champion_run_id="r0", created_at=datetime(2026, 1, 1, tzinfo=UTC),
            last_period=None, verdict="PASS", min_overlap=0.7, min_overlap_channel="tv",
            allocation_churn=0.05,
        )
        for row in rows
    ]  # fmt: skip
    return StabilityReport(
        **{
            "dataset_id": "acme", "runs": runs, "rows": rows, "floor": [],
            "min_overlap_review": 0.2, **facts,
        }
    )  # fmt: skip


@pytest.fixture
def flow(home, monkeypatch):
    """Replace a flow by its answer, and Prefect's API by none."""
    asked = []

    def install(name, attribute, answer):
        module = types.ModuleType(name)
        setattr(module, attribute, lambda request: asked.append(request) or answer)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(servers, "start_ephemeral_api", lambda: None)
        monkeypatch.setattr(servers, "require_prefect_api", lambda _service: None)
        return asked

    return install


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Accepted runs ``a`` and ``b``, a rejected one, one that never ended, one of another brand."""
    template = Home(tmp_path_factory.mktemp("ended").resolve())

    def end(run_id, dataset_id, verdict):
        start_run(template, run_id, dataset_id)
        for status in list(RunStatus)[1:-1]:
            advance_run(template, run_id, status, verdict=verdict)

    end("a", "acme", Verdict.PASS)
    end("b", "acme", Verdict.REVIEW)
    end("rejected", "acme", Verdict.FAIL)
    end("other", "brand", Verdict.PASS)
    start_run(template, "begun", "acme")
    return template.root


@pytest.fixture
def runs(home, ended):
    """A home of its own with the runs that have ended."""
    shutil.copytree(ended, home.root, dirs_exist_ok=True)


def call(capsys, *argv):
    code = app.main(list(argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def on_record(monkeypatch, answer):
    monkeypatch.setattr("tasks.explain.task_known.find_answer", lambda _request: answer)


def test_two_runs_reach_the_flow_and_come_back_as_one_json_object(flow, monkeypatch, capsys):
    on_record(monkeypatch, None)
    asked = flow("flows.explain_change", "explain_change", explanation())
    code, out, _ = call(capsys, "explain", "a", "b", "--json")
    assert (code, out.count("\n")) == (0, 1)
    assert (asked[0].run_a, asked[0].run_b) == ("a", "b")
    reported = json.loads(out)["channels"][0]
    assert set(reported["parts"]) == {"noise", "new_periods", "restated", "spec_or_code"}
    assert reported["main_cause"] == "new_periods"


@pytest.mark.parametrize(
    ("run_a", "run_b", "message"),
    [
        ("a", "c", "No run 'c'"),
        ("a", "a", "is both runs"),
        ("a", "other", "'brand'"),
        ("a", "rejected", "rejected by a gate"),
        ("begun", "b", "it is CREATED"),
    ],
)
def test_what_cannot_be_compared_is_reported_before_anything_starts(
    flow, runs, capsys, run_a, run_b, message
):
    asked = flow("flows.explain_change", "explain_change", explanation())
    code, out, err = call(capsys, "explain", run_a, run_b)
    assert (code, out, asked) == (2, "", [])
    assert message in err


def test_the_table_has_the_four_parts_and_the_cause():
    page = render_explanation(explanation())
    row = next(line for line in page.splitlines() if line.strip().startswith("tv  "))
    assert " ".join(row.split()) == (
        "tv 1.500 2.000 +0.500 +0.010 ±0.012 +0.490 ±0.02 0 0 new periods"
    )
    assert "- new periods: 1 row(s), 2024-01-08" in page
    assert TV.sentence in page
    assert page.splitlines()[-1] == "1 auxiliary fit(s), 2.0 s"


def test_what_could_not_be_told_apart_has_a_column_of_its_own():
    page = render_explanation(explanation(channels=[EMAIL], notes=["no time"], is_complete=False))
    row = next(line for line in page.splitlines() if "email (share)" in line)
    assert " ".join(row.split()).endswith("+5.00 pt – – – 0 +5.00 pt ±0.1 several together")
    assert "note: no time" in page


def test_the_trend_alone_starts_no_flow(home, flow, monkeypatch, capsys):
    monkeypatch.setattr("tasks.explain.task_stability.read_trend", lambda _dataset: report())
    asked = flow("flows.measure_noise", "measure_noise", report())
    code, out, _ = call(capsys, "stability", "--dataset", "acme")
    assert (code, asked) == (0, [])
    assert "refits compared with a champion: 15; an overlap below 0.2 is a REVIEW" in out
    assert "No noise floor on record" in out
    assert "2 older refit(s) are left out" in out


def test_noise_seeds_reach_the_flow(home, flow, monkeypatch, capsys):
    monkeypatch.setattr("tasks.explain.task_stability.read_trend", lambda _dataset: report())
    asked = flow("flows.measure_noise", "measure_noise", report())
    code, out, _ = call(capsys, "stability", "--dataset", "acme", "--noise-seeds", "3", "--json")
    assert (code, asked[0].dataset_id, asked[0].n_seeds) == (0, "acme", 3)
    assert len(json.loads(out)["rows"]) == 15


@pytest.mark.parametrize("seeds", ["0", "21", "many"])
def test_a_number_of_seeds_that_makes_no_sense_is_refused(home, capsys, seeds):
    code, out, err = call(capsys, "stability", "--dataset", "acme", "--noise-seeds", seeds)
    assert (code, out) == (2, "")
    assert err.startswith("mmm: ")


def test_an_unknown_dataset_is_reported(home, runs, capsys):
    code, _, err = call(capsys, "stability", "--dataset", "acne")
    assert code == 2
    assert "did you mean 'acme'" in err


def test_the_floor_stands_beside_the_overlap_of_its_channel():
    floor = Floor(
        run_id="r9", channel="tv", quantity="roas", n_seeds=4, min_overlap=0.93, mean_overlap=0.95,
        max_change_sd=0.04,
    )  # fmt: skip
    page = render_stability(report(floor=[floor]))
    row = next(line for line in page.splitlines() if "r15" in line and "roas" in line)
    assert " ".join(row.split()) == "r15 tv roas 0.70 0.93 -0.50 +2.0 pt"
    assert "noise floor of r9" in page


def test_an_answer_from_record_starts_no_flow(flow, monkeypatch, capsys):
    on_record(monkeypatch, explanation(is_on_record=True))
    asked = flow("flows.explain_change", "explain_change", explanation())
    code, out, _ = call(capsys, "explain", "a", "b")
    assert (code, asked) == (0, [])
    assert "answered from record" in out


def test_an_answer_from_record_says_so():
    assert "answered from record" in render_explanation(explanation(is_on_record=True))
    assert "answered from record" not in render_explanation(explanation())
