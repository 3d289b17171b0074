"""A home of an earlier release is opened, asked and rolled back as if this one had made it."""

import json

import duckdb
import pandas as pd
import pytest
from pydantic import BaseModel
from support.old_home import DATASET, FIRST, KILLED, SECOND, unpack_old_home

from flows.cli import app
from schemas.documents.base import Document
from schemas.documents.registry import DOCUMENTS
from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.run_spec import RunSpec
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.connection import reading


@pytest.fixture
def old(home):
    return unpack_old_home(home.root)


@pytest.fixture
def answer(old, capsys):
    def of(*arguments):
        assert app.main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return of


def test_its_runs_are_listed_as_they_ended(answer):
    runs = answer("runs")["runs"]
    known = [(run["run_id"], run["status"], run["verdict"], run["model_version"]) for run in runs]
    ready, review = RunStatus.OUTPUTS_READY, Verdict.REVIEW
    assert known == [
        (KILLED, RunStatus.TRAINING, None, None),
        (SECOND, ready, review, 2),
        (FIRST, ready, review, 1),
    ]


def test_a_run_shows_the_returns_that_it_published(old, answer):
    published = json.loads((old.run_dir(SECOND) / Artifact.ROI_METRICS).read_text())
    shown = answer("show", SECOND)
    assert shown["champion"] == f"{DATASET}@2"
    assert {name: row["roas_mean"] for name, row in shown["roas"].items()} == {
        name: row["roas_mean"] for name, row in published.items()
    }


def test_its_runs_are_compared(answer):
    compared = answer("compare", FIRST, SECOND)
    assert [run["run_id"] for run in compared["runs"]] == [FIRST, SECOND]
    assert list(compared["channels"]) == ["search", "tv"]
    assert compared["differences"] == []


def test_its_forecasts_are_scored_against_what_came_since(answer):
    (scored,) = answer("score", "--dataset", DATASET)["datasets"]
    assert scored["n_runs"] == 2
    # Two weeks came after the first run's forecast, one after the second's.
    published = [s for s in scored["summaries"] if s["basis"] == "published"]
    (every,) = [s for s in published if (s["scope"], s["periods_ahead"]) == ("all", "any")]
    assert every["n"] == 3


def test_its_plans_are_listed_with_what_they_were_made_from(answer):
    listed = answer("scenarios")["scenarios"]
    assert [(plan["run_ids"], plan["made_by"]) for plan in listed] == [
        ([SECOND], "what_if"),
        ([SECOND], "refit"),
        ([FIRST], "refit"),
    ]


def test_its_champion_gives_way_to_the_one_before(old, answer):
    assert find_champion(old, DATASET).run_id == SECOND
    decided = answer("rollback", "--dataset", DATASET, "--reason", "search jumped")
    assert (decided["champion"], decided["run_id"]) == (f"{DATASET}@1", FIRST)
    assert find_champion(old, DATASET).run_id == FIRST


def test_its_warehouse_moves_to_its_dataset_with_every_row(old, answer):
    with duckdb.connect(str(old.root / "data" / "warehouse.duckdb"), read_only=True) as con:
        tables = con.execute("select schema_name || '.' || table_name from duckdb_tables()")
        before = count_rows(con, [name for (name,) in tables.fetchall()])
    assert before["mart.contributions"] == sum(
        len(pd.read_parquet(old.run_dir(run_id) / Artifact.CONTRIBUTIONS))
        for run_id in (FIRST, SECOND)
    )
    answer("runs")
    with reading(old, DATASET) as con:
        assert count_rows(con, before) == before


def count_rows(con, tables):
    return {name: con.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}


def test_its_documents_are_read_with_their_own_fields(old):
    files = [path for path in old.runs.glob("*/*.json") if path.name in DOCUMENTS]
    assert len({path.name for path in files}) >= 18
    for path in files:
        published = json.loads(path.read_text(encoding="utf-8"))
        document = DOCUMENTS[path.name].model_validate(published)
        assert isinstance(document, BaseModel)
        if isinstance(document, Document):
            assert set(published) <= set(document.model_dump(mode="json", by_alias=True)), path


def test_its_run_specs_say_what_they_said(old):
    for run_id in (FIRST, SECOND, KILLED):
        written = json.loads((old.run_dir(run_id) / Artifact.RUN_SPEC).read_text())
        spec = RunSpec.model_validate(written)
        assert spec.sampler.escalation.max_retries == 0
        assert (spec.sampler.draws, spec.model.adstock.l_max) == (100, 4)
