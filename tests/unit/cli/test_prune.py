"""``mmm prune``: one JSON object, a table for people, whose policy it is, wrong options."""

import json
from datetime import UTC, datetime

import pytest

from flows import prune_now as pruning
from flows.cli import app
from flows.cli.render.prunings import render_pruning
from schemas.answers.pruning import DatasetPruning, ItemKind, PruneItem, PruneReport
from schemas.spec.retention import RetentionSpec
from schemas.words import format_bytes
from tasks.store.runs.status import fail_run, start_run
from tasks.store.warehouse.connection import writing

ITEM = PruneItem(
    kind=ItemKind.RUN, item_id="demo-1", dataset_id="demo", age_days=140, n_bytes=12_096_004,
    reason="not among the newest 26, older than 90 days",
)  # fmt: skip


def part(**facts):
    made = {"dataset_id": "demo", "items": [ITEM], "kept": {"champion": 1, "not ended": 2}, **facts}
    return DatasetPruning.model_validate(made)


def call(capsys, *argv):
    code = app.main(list(argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def asked(monkeypatch):
    """Stand in for the pruning; collect what it was asked."""
    found = []

    def prune_now(dataset_id, retention, *, dry_run):
        found.append((dataset_id, retention, dry_run))
        return PruneReport(dry_run=dry_run, datasets=[part()])

    monkeypatch.setattr(pruning, "prune_now", prune_now)
    return found


def test_one_json_object_says_what_went(home, asked, capsys):
    code, out, _ = call(capsys, "prune", "--json")
    reported = json.loads(out)
    assert (code, out.count("\n"), asked) == (0, 1, [(None, None, False)])
    assert (reported["n_bytes"], reported["busy"], reported["dry_run"]) == (12_096_004, [], False)
    assert reported["datasets"][0]["items"][0]["reason"] == ITEM.reason


def test_a_spec_names_its_dataset_and_its_policy(home, asked, capsys, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("dataset_id: acme\nretention: {keep_runs: 5, landing: expire}\n")
    assert call(capsys, "prune", "--spec", str(spec), "--dry-run")[0] == 0
    ((dataset_id, retention, dry_run),) = asked
    assert (dataset_id, dry_run) == ("acme", True)
    assert retention == RetentionSpec(keep_runs=5, landing="expire")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("keep_runs: 0", "retention.keep_runs"),
        ("keep_rollback: 3", "did you mean 'keep_rollbacks'"),
        ("landing: delete", "retention.landing"),
    ],
)
def test_a_policy_that_cannot_be_used_is_reported_by_its_key(
    home, asked, capsys, tmp_path, text, said
):
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"dataset_id: acme\nretention: {{{text}}}\n")
    code, _, err = call(capsys, "prune", "--spec", str(spec))
    assert (code, asked) == (2, [])
    assert said in err


def test_two_policies_at_once_are_refused(home, asked, capsys, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("dataset_id: acme\n")
    code, _, err = call(capsys, "prune", "--dataset", "demo", "--spec", str(spec))
    assert (code, asked) == (2, [])
    assert "give one of them" in err


def test_an_unknown_dataset_is_reported(home, capsys):
    start_run(home, "run-1", "demo")
    code, _, err = call(capsys, "prune", "--dataset", "dmo")
    assert code == 2
    assert "did you mean 'demo'" in err


def test_a_home_without_anything_has_nothing_to_prune(home, capsys):
    assert call(capsys, "prune")[:2] == (0, "Nothing to prune.\n")


def test_without_prefect_and_mlflow_a_dead_run_of_last_year_goes(home, capsys, monkeypatch):
    monkeypatch.setattr(
        "flows.services.servers.start_ephemeral_api", lambda: pytest.fail("Prefect")
    )
    start_run(home, "demo-old", "demo")
    fail_run(home, "demo-old", "the disk was full")
    (home.run_dir("demo-old") / "posterior.nc").write_bytes(b"x" * 2000)
    with writing(home, "demo") as con:
        con.execute("update ops.runs set updated_at = ?", [datetime(2020, 1, 1, tzinfo=UTC)])
    code, out, _ = call(capsys, "prune")
    assert code == 0
    assert "demo-old" in out
    assert out.splitlines()[-1] == "2 kB freed"
    assert not (home.run_dir("demo-old") / "posterior.nc").exists()
    assert not (home.mlruns / "mlflow.db").exists(), "no store is made to look into it"


def test_the_page_says_what_goes_what_stays_and_why():
    notes = ["data/runs/demo-3 was left alone: it is a link."]
    report = PruneReport(dry_run=True, datasets=[part(notes=notes)])
    lines = [" ".join(line.split()) for line in render_pruning(report).splitlines()]
    assert lines[0] == "kind id age, days size reason"
    assert lines[2] == f"run demo-1 140 12.1 MB {ITEM.reason}"
    assert lines[3] == "demo keeps the files of 3 run(s): 1 champion; 2 not ended"
    assert lines[4] == f"- {notes[0]}"
    assert lines[5] == "12.1 MB would be freed; nothing was changed"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_234_567, "1.23 MB"), (999_600, "1 MB"),
     (123_456_789_000, "123 GB"), (5 * 10**15, "5000 TB")],
)  # fmt: skip
def test_sizes(count, text):
    assert format_bytes(count) == text
