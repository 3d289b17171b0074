"""Runs side by side: what is refused, what is shown, a page that holds hostile texts."""

import json
import shutil

import pytest
from support.forged_runs import end_run, forge_run
from support.worlds import build_world, make_rows, make_spec

from flows.cli import app
from flows.cli.render.comparison import build_blocks, render_comparison
from flows.cli.render.comparison_page import render_page
from schemas.answers.comparison import CurveInComparison, RunsCompared
from schemas.errors import CorruptArtifactError, SpecError, UnknownRunError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from tasks.query.comparison import compare_any_runs
from tasks.store.files.artifacts import write_json
from tasks.store.home import Home


@pytest.fixture(scope="module")
def forged(tmp_path_factory):
    """Two accepted runs of one dataset with different specs, and one that was rejected."""
    home = Home(tmp_path_factory.mktemp("forged").resolve())
    rows = make_rows()
    for run_id, lags in (("run-a", 4), ("run-b", 8)):
        world = build_world(rows, make_spec(model={"adstock": {"l_max": lags}}))
        forge_run(home, run_id, world)
        returns = {
            name: {
                "spend": 100.0, "contribution_mean": 150.0, "contribution_low": 100.0,
                "contribution_high": 210.0, "roas_mean": 1.5, "roas_low": 1.0,
                "roas_high": 2.0 + lags, "mroas_mean": 0.9, "evidence": "effect",
            }
            for name in ("tv", "search")
        }  # fmt: skip
        write_json(home, home.run_dir(run_id) / Artifact.ROI_METRICS, returns)
    end_run(home, "run-failed", Verdict.FAIL)
    return home


@pytest.fixture
def runs(home, forged):
    """Those runs in a home of this test's own."""
    shutil.copytree(forged.root, home.root, dirs_exist_ok=True)
    return home


def test_what_each_run_says_and_what_differs(runs):
    found = compare_any_runs(["run-a", "run-b", "run-failed"])
    assert (found.dataset_id, found.kpi_name) == ("world", "sales")
    assert [run.verdict for run in found.runs] == ["PASS", "PASS", "FAIL"]
    assert [run.model_kind for run in found.runs] == ["mmm", "mmm", None]
    assert found.channels["tv"]["run-b"].roas_high == 10.0
    assert set(found.channels["tv"]) == {"run-a", "run-b"}
    assert [d.key for d in found.differences] == ["model.adstock.l_max"]
    assert found.differences[0].values == {"run-a": 4, "run-b": 8}
    assert found.same_snapshot
    text = render_comparison(found)
    assert "1.50 (1.00 to 6.00)" in text
    assert "model.adstock.l_max" in text
    assert "cannot choose between causal explanations" in text


def test_the_answer_is_one_json_object(runs, capsys):
    assert app.main(["compare", "run-a", "run-b", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert RunsCompared.model_validate(answer).runs[1].run_id == "run-b"


def test_a_page_is_written_once_and_replaced_only_when_asked(runs, tmp_path):
    page = tmp_path / "out" / "runs.html"
    asked = ["compare", "run-a", "run-b", "--html", str(page)]
    assert app.main(asked) == 0
    assert "<svg" in page.read_text(encoding="utf-8")
    assert app.main(asked) == 2
    assert app.main([*asked, "--force"]) == 0
    assert app.main(["compare", "run-a", "run-b", "--html", str(tmp_path)]) == 2


def test_texts_of_runs_and_specs_are_escaped(runs):
    found = compare_any_runs(["run-a", "run-b"])
    hostile = '<script>alert("x")</script>'
    curve = CurveInComparison(
        unit="spend", x=[0, 1, 2], median=[0, 1, 1.5], low_90=[0, 0.5, 1], high_90=[0, 2, 3],
        current=1.0,
    )  # fmt: skip
    run = found.runs[0].model_copy(update={"run_id": hostile, "reasons": [hostile]})
    channels = {hostile: {hostile: found.channels["tv"]["run-a"]}}
    curves = {hostile: {hostile: curve}}
    changed = {"runs": [run], "channels": channels, "curves": curves, "kpi_name": hostile}
    page = render_page(found.model_copy(update=changed))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<polyline" in page


def test_a_page_names_the_kind_beside_every_run(runs):
    found = compare_any_runs(["run-a", "run-b"])
    named = [run.model_copy(update={"model_kind": "ridge"}) for run in found.runs]
    page = render_page(found.model_copy(update={"runs": named}))
    assert page.count('<th scope="col">ridge<small>run-b</small></th>') == len(build_blocks(found))
    assert "</i>ridge run-a</span>" in page


def test_fewer_than_two_and_one_named_twice_are_refused(runs):
    with pytest.raises(SpecError, match="at least two runs"):
        compare_any_runs(["run-a"])
    with pytest.raises(SpecError, match="run run-a is named twice"):
        compare_any_runs(["run-a", "run-a"])
    with pytest.raises(UnknownRunError, match="run-b"):
        compare_any_runs(["run-a", "run-c"])


def test_runs_of_several_datasets_are_refused(runs, capsys):
    end_run(runs, "run-other", Verdict.PASS, "elsewhere")
    assert app.main(["compare", "run-a", "run-other"]) == 2
    said = capsys.readouterr().err
    assert "several datasets" in said
    assert "run-other is of elsewhere" in said


def test_runs_of_several_kpis_are_refused(runs):
    path = runs.run_dir("run-b") / Artifact.RUN_SPEC
    spec = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**spec, "target_col": "orders"}), encoding="utf-8")
    with pytest.raises(SpecError, match=r"several KPIs.*run-b is of orders"):
        compare_any_runs(["run-a", "run-b"])


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_spec_that_is_not_whole_is_reported(runs, text):
    (runs.run_dir("run-b") / Artifact.RUN_SPEC).write_text(text, encoding="utf-8")
    with pytest.raises(CorruptArtifactError, match=r"run_spec\.json"):
        compare_any_runs(["run-a", "run-b"])
