"""Exported tables: stable columns, a dictionary for each of them, nothing overwritten unasked."""

import json
import logging

import pandas as pd
import pytest

from schemas.errors import CorruptArtifactError, SpecError
from schemas.names import CONTRIBUTION_COLUMNS, FITTED_COLUMNS, Artifact
from tasks.publish import task
from tasks.retrieve.tables import ROAS_COLUMNS
from tasks.retrieve.task import export_run, summarize_run

TABLES = [
    "contributions", "fitted", "roas", "diagnostics", "gates", "posterior_summary",
    "data_dictionary",
]  # fmt: skip


@pytest.fixture
def published(finished, monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    made = finished()
    task.publish_run.fn(**vars(made))
    return made


def test_csv_and_json_have_the_same_tables_and_columns(published, tmp_path):
    csv = export_run("run-1", file_format="csv", out=tmp_path / "a" / "csv", force=False)
    js = export_run("run-1", file_format="json", out=tmp_path / "json", force=False)
    assert [p.name for p in csv] == [f"{name}.csv" for name in TABLES]
    tables = {p.stem: pd.read_csv(p) for p in csv}
    assert tuple(tables["contributions"]) == CONTRIBUTION_COLUMNS
    assert tuple(tables["fitted"]) == FITTED_COLUMNS
    assert tuple(tables["roas"]) == ROAS_COLUMNS
    assert tables["contributions"]["period_start"][0] == "2024-01-01"
    for path in js:
        rows = json.loads(path.read_text())
        assert list(rows[0]) == list(tables[path.stem])
    assert json.loads((tmp_path / "json" / "roas.json").read_text())[2]["roas_mean"] is None


def test_every_column_is_explained(published, tmp_path):
    paths = export_run("run-1", file_format="csv", out=tmp_path, force=False)
    tables = {p.stem: pd.read_csv(p) for p in paths}
    told = set(map(tuple, tables["data_dictionary"][["table", "column"]].to_numpy().tolist()))
    assert told == {(n, c) for n in TABLES[:-1] for c in tables[n]}
    assert tables["data_dictionary"].notna().all().all()


def test_existing_files_are_kept_unless_forced(published, tmp_path):
    (tmp_path / "roas.csv").write_text("mine")
    with pytest.raises(SpecError, match=r"already has roas\.csv"):
        export_run("run-1", file_format="csv", out=tmp_path, force=False)
    assert [p.name for p in tmp_path.glob("*.csv")] == ["roas.csv"]
    export_run("run-1", file_format="csv", out=tmp_path, force=True)
    assert (tmp_path / "roas.csv").read_text() != "mine"


def test_a_lost_file_and_an_unknown_format_are_told(home, published, tmp_path):
    with pytest.raises(SpecError, match="'xls' is not one of csv, json"):
        export_run("run-1", file_format="xls", out=tmp_path, force=False)
    (home.run_dir("run-1") / Artifact.FITTED).unlink()
    with pytest.raises(CorruptArtifactError, match=r"has no fitted\.parquet"):
        export_run("run-1", file_format="csv", out=tmp_path, force=False)


def test_show_tells_record_returns_diagnostics_and_champion(published):
    shown = summarize_run("run-1")
    assert (shown["verdict"], shown["champion"]) == ("PASS", "demo@1")
    assert shown["diagnostics"]["r_hat_max"] == 1.004
    assert len(shown["roas"]) == 3
    assert [g["gate"] for g in shown["gates"]] == ["r_hat_max", "ppc_p"]
    assert json.dumps(shown, allow_nan=False)
