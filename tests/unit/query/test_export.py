"""Exported tables: stable columns, a dictionary for each of them, nothing overwritten unasked."""

import json
import logging
from pathlib import Path

import pandas as pd
import pytest
from support.publishing import publish_run

from schemas.documents.results import RunStatus
from schemas.errors import CorruptArtifactError, SpecError, UnknownRunError
from schemas.names import (
    CHANNEL_DIM,
    CONTRIBUTION_COLUMNS,
    FITTED_COLUMNS,
    FORECAST_ACTUALS_COLUMNS,
    FORECAST_COLUMNS,
    ROAS_COLUMNS,
    Artifact,
)
from schemas.outcomes import Verdict
from schemas.spec.run_spec import RunSpec
from tasks.publish import task
from tasks.query.dictionary import build_dictionary
from tasks.query.export import encode_table
from tasks.query.runs import export_run, summarize_run
from tasks.query.tables import ALLOCATION_COLUMNS, PLAN_COLUMNS
from tasks.store.runs.status import advance_run

ALWAYS = ["contributions", "fitted", "roas", "diagnostics", "gates", "posterior_summary"]
WHERE_THERE = [
    "roas_by_entity", "response_curves", "forecast", "forecast_actuals", "plan_summary", "plan",
    "plan_allocation",
]  # fmt: skip
FILES = {
    Artifact.ROAS_BY_ENTITY, Artifact.RESPONSE_CURVES, Artifact.FORECAST,
    Artifact.FORECAST_ACTUALS, Artifact.PLAN,
}  # fmt: skip


@pytest.fixture
def published(home, finished):
    """A run with every file that an export can hold; an export does not need MLflow."""
    finished()
    advance_run(home, "run-1", RunStatus.OUTPUTS_READY)
    folder = home.run_dir("run-1")
    columns = ["entity_id", "channel", "spend", "contribution_mean", "contribution_low",
               "contribution_high", "roas_mean", "roas_low", "roas_high"]  # fmt: skip
    rows = pd.DataFrame([["north", "tv", 10.0, 25.0, 20.0, 30.0, 2.5, 2.0, 3.0]], columns=columns)
    rows.to_parquet(folder / Artifact.ROAS_BY_ENTITY)
    path = folder / Artifact.RESPONSE_CURVES
    curves = json.loads(path.read_text())
    part = {"x": [0.0, 1.0], "median": [0.0, 2.0], "low_90": [0.0, 1.0], "high_90": [0.0, 3.0],
            "current": 0.5, "observed_low": 0.0, "observed_high": 1.0}  # fmt: skip
    next(iter(curves.values()))["entities"] = {"north": part}
    path.write_text(json.dumps(curves))


def exported(run_id, folder):
    written = export_run(run_id, file_format="csv", out=folder, force=False)
    return {path.stem: pd.read_csv(path) for path in map(Path, written.files)}


def test_csv_and_json_have_the_same_tables_and_columns(published, tmp_path):
    tables = exported("run-1", tmp_path / "a" / "csv")
    written = export_run("run-1", file_format="json", out=tmp_path / "json", force=False)
    js = [Path(path) for path in written.files]
    assert set(tables) == {*ALWAYS, *WHERE_THERE, "data_dictionary"} == {p.stem for p in js}
    for name, columns in {
        "contributions": CONTRIBUTION_COLUMNS,
        "fitted": FITTED_COLUMNS,
        "roas": (CHANNEL_DIM, *ROAS_COLUMNS),
        "forecast": FORECAST_COLUMNS,
        "forecast_actuals": FORECAST_ACTUALS_COLUMNS,
        "plan": PLAN_COLUMNS,
        "plan_allocation": ALLOCATION_COLUMNS,
    }.items():
        assert tuple(tables[name]) == columns
    assert tables["contributions"]["period_start"][0] == "2024-01-01"
    for path in js:
        rows = json.loads(path.read_text())
        assert list(rows[0]) == list(tables[path.stem])
    assert json.loads((tmp_path / "json" / "roas.json").read_text())[2]["roas_mean"] is None


def test_a_curve_is_one_row_per_point_of_all_and_of_each_entity(published, tmp_path):
    curves = exported("run-1", tmp_path)["response_curves"]
    first = curves[curves["channel"] == curves["channel"][0]]
    assert first.groupby("entity_id", sort=False)["x"].apply(list).to_dict() == {
        "all": [0.0, 5.0, 10.0],
        "north": [0.0, 1.0],
    }
    assert first.iloc[-1][["unit", "median", "low_90", "high_90"]].tolist() == ["spend", 2, 1, 3]


def test_the_curve_of_all_is_told_from_that_of_an_entity_by_its_scope(published, tmp_path):
    curves = exported("run-1", tmp_path)["response_curves"]
    scopes = curves.groupby("entity_id")["scope"].unique().apply(list).to_dict()
    assert scopes == {"all": ["all"], "north": ["entity"]}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_text_like_a_formula_is_quoted_unless_it_is_to_be_kept(sign):
    frame = pd.DataFrame({"channel": [f"{sign}1+1", "tv"], "roas_mean": [-1.5, 2.0]})
    quoted = encode_table(frame, "csv").decode()
    assert f"'{sign}1+1" in quoted
    assert ",-1.5" in quoted, "a number is no text"
    kept = encode_table(frame, "csv", keep_formulas=True).decode()
    assert "'" not in kept
    assert f"{sign}1+1" in kept
    assert json.loads(encode_table(frame, "json"))[0]["channel"] == f"{sign}1+1"


def test_the_plan_is_exported_with_its_gain_its_channels_and_its_cells(published, tmp_path):
    tables = exported("run-1", tmp_path)
    summary = tables["plan_summary"].iloc[0]
    assert (summary["advice"], summary["gain_mean"], summary["prob_gain"]) == ("follow", 30, 0.97)
    assert tables["plan"]["planned"].tolist() == [120.0, 120.0]
    assert tables["plan_allocation"]["period_start"].tolist() == ["2026-01-05", "2026-01-05"]


def test_a_run_without_a_file_is_exported_without_its_table(home, published, tmp_path):
    for name in FILES:
        (home.run_dir("run-1") / name).unlink()
    assert set(exported("run-1", tmp_path)) == {*ALWAYS, "data_dictionary"}


def test_every_column_of_every_table_is_explained(published, tmp_path):
    tables = exported("run-1", tmp_path)
    dictionary = tables.pop("data_dictionary")
    how_text_is_written, dictionary = dictionary.iloc[0], dictionary.iloc[1:]
    assert "--keep-formulas" in how_text_is_written["meaning"]
    reported = set(map(tuple, dictionary[["table", "column"]].to_numpy().tolist()))
    assert reported == {(name, column) for name in tables for column in tables[name]}
    assert dictionary.notna().all().all()


def test_a_table_cannot_gain_a_column_that_nobody_explains():
    with pytest.raises(KeyError, match=r"plan\.surprise"):
        build_dictionary({"plan": pd.DataFrame({"surprise": [1]})}, RunSpec(dataset_id="demo"))


def test_units_follow_the_kind_of_the_kpi():
    spec = RunSpec.model_validate({"dataset_id": "demo", "kpi": {"kind": "count", "name": "leads"}})
    frame = pd.DataFrame(columns=["kpi_mean", "period_start"])
    reported = build_dictionary({"forecast": frame}, spec).set_index("column")
    assert reported.loc["kpi_mean", "unit"] == "leads (count)"


def test_existing_files_are_kept_unless_forced(published, tmp_path):
    (tmp_path / "roas.csv").write_text("mine")
    with pytest.raises(SpecError, match=r"already has roas\.csv"):
        export_run("run-1", file_format="csv", out=tmp_path, force=False)
    assert [p.name for p in tmp_path.glob("*.csv")] == ["roas.csv"]
    export_run("run-1", file_format="csv", out=tmp_path, force=True)
    assert (tmp_path / "roas.csv").read_text() != "mine"


def test_html_is_the_report_of_the_run_byte_for_byte(home, published, tmp_path):
    with pytest.raises(UnknownRunError, match=r"has no report\.html.*a new refit writes one"):
        export_run("run-1", file_format="html", out=tmp_path / "out", force=False)
    assert not (tmp_path / "out").exists()
    page = b"<!doctype html>\xc3\xa9"
    (home.run_dir("run-1") / Artifact.REPORT).write_bytes(page)
    written = export_run("run-1", file_format="html", out=tmp_path / "out", force=False)
    (path,) = map(Path, written.files)
    assert path.name == "report.html"
    assert path.read_bytes() == page
    with pytest.raises(SpecError, match=r"already has report\.html"):
        export_run("run-1", file_format="html", out=tmp_path / "out", force=False)


def test_a_lost_file_and_an_unknown_format_are_reported(home, published, tmp_path):
    with pytest.raises(SpecError, match="'xls' is not one of csv, json, html"):
        export_run("run-1", file_format="xls", out=tmp_path, force=False)
    (home.run_dir("run-1") / Artifact.FITTED).unlink()
    with pytest.raises(CorruptArtifactError, match=r"has no fitted\.parquet"):
        export_run("run-1", file_format="csv", out=tmp_path, force=False)


def test_show_reports_record_returns_diagnostics_and_champion(finished, monkeypatch):
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    publish_run(finished())
    shown = summarize_run("run-1")
    assert (shown.verdict, shown.champion) == (Verdict.PASS, "demo@1")
    assert shown.diagnostics.r_hat_max == 1.004
    assert len(shown.roas) == 3
    assert [g.gate for g in shown.gates] == ["r_hat_max", "ppc_p"]
    assert json.dumps(shown.model_dump(mode="json"), allow_nan=False)
