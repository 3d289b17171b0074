"""From the run folder to the page: which run is the one before, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from support.reports import forge_documents

from schemas.documents.results import RunRecord, RunStatus
from schemas.errors import CorruptArtifactError, UnknownRunError
from schemas.outcomes import Verdict
from tasks.report.task import render_run, write_report
from tasks.store.files.artifacts import sha256_of, write_json, write_parquet
from tasks.store.runs.documents import accepted_run_before, digest_files, open_documents
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.runs import write_run

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def runs(home):
    """Record a run of ``brand`` that was created ``day`` days after the first."""

    def record(run_id, day, *, verdict=Verdict.PASS, status=RunStatus.OUTPUTS_READY, of="brand"):
        moment = NOON + timedelta(days=day)
        made = RunRecord(
            run_id=run_id, dataset_id=of, status=status, verdict=verdict,
            created_at=moment, updated_at=moment,
        )  # fmt: skip
        with writing(home, of) as con:
            write_run(con, made)
        return made

    return record


def write_files(home, run_id, **settings):
    folder = home.run_dir(run_id)
    for name, file in forge_documents(n_periods=60, **settings).run.files.items():
        write = write_json if name.endswith(".json") else write_parquet
        write(home, folder / name, file)
    return folder


def test_the_run_before_is_the_newest_accepted_one_of_the_same_dataset(home, runs):
    runs("old", 0)
    runs("reviewed", 1, verdict=Verdict.REVIEW)
    runs("rejected", 2, verdict=Verdict.FAIL)
    runs("broken", 3, verdict=Verdict.PASS, status=RunStatus.ERROR)
    runs("foreign", 4, of="other")
    now = runs("now", 5)
    runs("later", 6)
    assert accepted_run_before(home, now).run_id == "reviewed"


def test_the_first_run_has_none_before(home, runs):
    assert accepted_run_before(home, runs("only", 0)) is None


def test_a_finished_run_gets_its_report_with_the_run_before(home, runs):
    runs("before", 0)
    write_files(home, "before")
    runs("now", 7)
    folder = write_files(home, "now")
    ref = write_report("now")
    path = folder / "report.html"
    assert ref.sha256 == sha256_of(path)
    page = path.read_text(encoding="utf-8")
    assert page == render_run("now")
    assert "Compared with run before of 2026-11-02" in page
    assert digest_files(home, "now")["fitted.parquet"] in page


def test_a_run_that_does_not_exist_is_named(home, runs):
    runs("now", 0)
    with pytest.raises(UnknownRunError, match="did you mean 'now'"):
        render_run("noww")


def test_a_run_without_its_spec_is_refused(home, runs):
    runs("now", 0)
    with pytest.raises(CorruptArtifactError, match=r"run_spec\.json"):
        render_run("now")


def test_a_file_that_is_not_whole_is_refused_and_an_absent_one_is_left_out(home, runs):
    folder = home.run_dir("now")
    folder.mkdir(parents=True)
    (folder / "diagnostics.json").write_text("{", encoding="utf-8")
    (folder / "fitted.parquet").write_bytes(b"PAR1")
    assert open_documents(home, "now", ["plan.json"]) == {}
    for name in ("diagnostics.json", "fitted.parquet"):
        with pytest.raises(CorruptArtifactError, match=name):
            open_documents(home, "now", [name])
