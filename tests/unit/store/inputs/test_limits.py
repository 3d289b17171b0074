"""Limits are counted before a file is read; a reader that crashes or takes all is a finding."""

import os
import resource
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import DataContractError, SpecError
from schemas.spec.run_spec import RunSpec
from tasks.ingest.task import ingest_file
from tasks.store.inputs import landing, typed_files
from tasks.store.inputs.limits import Limits, TooLargeError, current_limits

SHEET = "xl/worksheets/sheet1.xml"


def land(path: Path):
    return ingest_file.fn(str(path), RunSpec(dataset_id="shop"))


def fault_of(path: Path):
    with pytest.raises(DataContractError) as caught:
        land(path)
    (finding,) = caught.value.findings
    return finding


def workbook(path: Path, cells: str) -> Path:
    """A workbook whose sheet holds exactly ``cells``."""
    pd.DataFrame({"period_start": ["x"]}).to_excel(path, index=False)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    parts[SHEET] = f"{head}<sheetData>{cells}</sheetData></worksheet>".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def test_limits_are_settable(monkeypatch):
    assert current_limits() == Limits()
    monkeypatch.setenv("MMM_INGEST_LIMITS", "columns=7, cells=1e9,")
    assert current_limits() == Limits(columns=7, cells=1e9)


@pytest.mark.parametrize("given", ["colums=7", "columns", "columns=x", "columns=0", "cells=inf"])
def test_a_limit_that_cannot_be_is_refused(monkeypatch, given):
    monkeypatch.setenv("MMM_INGEST_LIMITS", given)
    with pytest.raises(SpecError, match="MMM_INGEST_LIMITS"):
        current_limits()


@pytest.mark.parametrize(
    ("limits", "said"),
    [("columns=2", "3 columns"), ("cells=5", "cells"), ("file_mb=0.00001", "0 MB")],
)
def test_a_text_beyond_a_limit_is_not_read(home, tmp_path, monkeypatch, limits, said):
    path = tmp_path / "panel.csv"
    path.write_text("period_start,sales,spend_tv\n2024-01-01,1,2\n2024-01-08,1,2\n")
    monkeypatch.setenv("MMM_INGEST_LIMITS", limits)
    finding = fault_of(path)
    assert finding.rule == "too_large"
    assert said in finding.message
    assert "the limit is" in finding.message
    monkeypatch.delenv("MMM_INGEST_LIMITS")
    assert land(path).n_rows == 2


def test_a_line_without_end_is_not_read(home, tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text("period_start,sales" + "x" * 2_000_000)
    assert fault_of(path).rule == "too_large"
    path.write_text("period_start" + ",a" * 600_000)
    assert "columns" in fault_of(path).message


def test_a_sheet_with_one_cell_far_away_is_a_finding(home, tmp_path):
    far = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>period_start</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    finding = fault_of(workbook(tmp_path / "sparse.xlsx", far))
    assert finding.rule == "unreadable_file"
    assert "its reader ended" in finding.message or "MB to be read" in finding.message
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    # Linux counts what the parent held when a child began as the child's own.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after <= max(before, own, 1_200_000)  # kB


def test_a_workbook_that_unpacks_to_much_is_not_read(home, tmp_path, monkeypatch):
    text = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * 3_000_000}</t></is></c></row>'
    path = workbook(tmp_path / "deflated.xlsx", text)
    assert path.stat().st_size < 30_000
    monkeypatch.setenv("MMM_INGEST_LIMITS", "expanded_mb=1")
    assert "opens to 3 MB; the limit is 1" in fault_of(path).message


def test_a_parquet_file_with_more_cells_or_bytes_is_not_read(home, tmp_path, monkeypatch):
    path = tmp_path / "panel.parquet"
    pq.write_table(pa.table({"period_start": ["2024-01-01"] * 1000, "sales": [1.0] * 1000}), path)
    monkeypatch.setenv("MMM_INGEST_LIMITS", "cells=1999")
    assert "1,000 rows and 2 columns" in fault_of(path).message
    monkeypatch.delenv("MMM_INGEST_LIMITS")
    assert land(path).n_rows == 1000


def test_a_column_that_opens_to_gigabytes_ends_its_reader_alone(tmp_path):
    one = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["z" * 1_000_000])
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"sales": one}), path, compression="zstd")
    assert path.stat().st_size < 10_000
    tight = Limits(memory_mb=200, seconds=3)
    said = ""
    try:
        found = typed_files.read_parquet(path, tmp_path / "landed.parquet", limits=tight)
        said = found.fault
    except typed_files.UnreadableFileError as error:
        said = str(error)
    assert "more than 3 s" in said or "MB" in said or "memory" in said.lower()


def test_a_text_that_a_parquet_file_keeps_once_counts_as_often_as_it_is_there(home, tmp_path):
    """The file says that it is small; whoever reads its rows has the text in each."""
    n, text = 2000, "z" * 1_000_000
    often = pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int32()), [text])
    path = tmp_path / "long.parquet"
    table = pa.table({"period_start": ["2024-01-01"] * n, "sales": often})
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 100_000
    assert "it opens to 2,000 MB; the limit is 1,000" in fault_of(path).message


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".parquet"])
@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", os.urandom(2000)])
def test_a_file_that_is_not_what_its_name_says_is_a_finding(home, tmp_path, suffix, content):
    path = tmp_path / f"panel{suffix}"
    path.write_bytes(content)
    assert fault_of(path).rule == "unreadable_file"


def test_what_is_hashed_is_what_is_read(home, tmp_path, monkeypatch):
    path = tmp_path / "panel.csv"
    first, second = (f"period_start,sales,spend_tv\n2024-01-01,{n},2\n" for n in (1, 9))
    path.write_text(first)
    plain = landing.receive_copy

    def swapped(source, copy):
        scan = plain(source, copy)
        path.write_text(second)
        return scan

    monkeypatch.setattr(landing, "receive_copy", swapped)
    batch = land(path)
    assert pd.read_parquet(home.root / batch.file.path)["sales"].tolist() == ["1"]
    monkeypatch.undo()
    monkeypatch.setenv("MMM_HOME", str(home.root))
    again = land(path)
    assert again.batch_id != batch.batch_id
    assert pd.read_parquet(home.root / again.file.path)["sales"].tolist() == ["9"]
    assert [p.name for p in (home.landing / "shop").iterdir() if p.name.startswith(".")] == []


def test_a_name_of_a_file_is_no_pattern(home, tmp_path):
    path = tmp_path / "pa*n?e[l] %41.csv"
    path.write_text("period_start,sales,spend_tv\n2024-01-01,1,2\n")
    assert land(path).source_name == path.name


def test_messages_say_the_limit():
    with pytest.raises(TooLargeError, match=r"MMM_INGEST_LIMITS: columns"):
        Limits().require_columns(10_000)
