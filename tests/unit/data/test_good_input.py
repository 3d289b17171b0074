"""What vendors send and we take as it is; the same bytes are one batch; hostile names are names."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from schemas.outcomes import Verdict
from tasks.canonicalize.task import canonicalize_batch
from tasks.store.files.artifacts import read_json, read_parquet
from tasks.store.home import current_home
from tasks.store.inputs.landing import copy_csv
from tasks.store.warehouse import files
from tasks.store.warehouse.connection import reading

HOSTILE = ["x'); DROP TABLE kpi;--", "../../etc/passwd", '"; --', "{column}", "$period", "💸 é"]


def wide_of(world, content, **spec):
    return read_parquet(current_home(), world.with_spec(**spec).candidate(content).wide)


def test_a_clean_panel_passes_both_layers(world, lines):
    assert world.raw(lines()).findings == []
    assert world.canonical(lines()).findings == []


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r\n", 3).encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace("north", '"north"').encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: "".join(f"{line},more\n" for line in text.splitlines()).encode(),
    ],
    ids=[
        "bom",
        "crlf",
        "mixed ends",
        "blank lines",
        "quoted",
        "semicolon",
        "tab",
        "no last end",
        "extra",
    ],
)
def test_every_dress_of_a_csv_gives_the_same_panel(world, lines, dress):
    text = "\n".join(lines()) + "\n"
    pd.testing.assert_frame_equal(wide_of(world, dress(text)), wide_of(world, text))


def test_semicolons_with_decimal_commas(world, lines):
    text = "\n".join(lines()) + "\n"
    german = text.replace(",", ";").replace("2.5", "2,5").replace(".5", ",5").replace(".0", ",0")
    pd.testing.assert_frame_equal(wide_of(world, german, decimal=","), wide_of(world, text))


def test_line_breaks_in_quotes_keep_line_numbers(world, lines):
    text = lines()
    text[2] = text[2].replace("north", '"no\nrth"')
    text[5] = text[5].replace("2023-01-30", "nonsense")
    finding = next(f for f in world.raw(text).findings if f.rule == "unparsable_date")
    assert finding.rows == [7]


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_excel_and_parquet_give_the_panel_of_the_csv(world, lines, tmp_path, kind):
    text = "\n".join(lines()) + "\n"
    frame = pd.read_csv(world.write(text), parse_dates=["period_start"])
    path = tmp_path / f"t.{kind}"
    frame.to_excel(path, index=False) if kind == "xlsx" else frame.to_parquet(path)
    expected = wide_of(world, text)
    batch = world.ingest(path.read_bytes(), path.name)
    got = canonicalize_batch.fn(world.key, batch, world.spec, date(2025, 1, 1))
    pd.testing.assert_frame_equal(read_parquet(current_home(), got.wide), expected)


def test_the_same_bytes_are_one_batch(world, lines):
    first, second = world.ingest(lines(), "a.csv"), world.ingest(lines(), "b.csv")
    assert (first.batch_id, first.file, first.n_rows) == (
        second.batch_id,
        second.file,
        second.n_rows,
    )
    assert len(list((current_home().landing / "shop").iterdir())) == 1


def test_a_landed_file_that_cannot_be_read_is_landed_again(world, lines):
    first = world.ingest(lines())
    path = current_home().root / first.file.path
    path.write_bytes(path.read_bytes()[:50])
    assert world.ingest(lines()) == first


def test_all_that_is_known_of_a_file_is_committed_at_once(world, lines, monkeypatch):
    committed, put = [], files.put_in_place
    monkeypatch.setattr(
        files, "put_in_place", lambda path, copy: (committed.append(path), put(path, copy))
    )
    world.raw(lines())
    world.canonical(lines())
    assert committed == []
    world.snapshot(lines())
    assert len(committed) == 1
    with reading(current_home(), "shop") as con:
        assert con.execute("select status, n_rows from ops.batches").fetchall() == [
            ("ACCEPTED", 60)
        ]
        layers = con.execute("select battery from ops.gate_results order by all").fetchall()
    assert layers == [("canonical",), ("raw",)]


def test_hostile_entity_names_are_just_names(world, lines):
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in HOSTILE]
    text = "\n".join(lines(60, quoted)) + "\n"
    assert world.raw(text).findings == []
    assert world.canonical(text).findings == []
    world.snapshot(text)
    with reading(current_home(), "shop") as con:
        names = {
            n for (n,) in con.execute("select distinct entity_id from canonical.kpi").fetchall()
        }
    assert names == set(HOSTILE)
    assert not (Path(current_home().root) / "etc").exists()


def test_hostile_column_names_are_just_names(world, lines):
    evil = 'x\'); DROP TABLE kpi;-- "q" {n} %s'
    header = lines()[0].replace("act_tv", '"' + evil.replace('"', '""') + '"')
    text = "\n".join([header, *lines()[1:]]) + "\n"
    spec = {"channels": [{"name": "TV; --", "activity": evil, "spend": "spend_tv"}]}
    assert world.with_spec(**spec).raw(text).findings == []
    spoilt = [header, *lines()[1:]]
    spoilt[3] = "north,2023-01-16,5,abc,1,1"
    finding = world.with_spec(**spec).raw(spoilt).findings[0]
    assert (finding.rule, finding.column, finding.rows) == ("not_a_number", evil, [4])
    world.with_spec(**spec).snapshot(text)
    with reading(current_home(), "shop") as con:
        held = con.execute(
            "select distinct name, measure from canonical.media order by all"
        ).fetchall()
    assert held == [("TV; --", "activity"), ("TV; --", "spend")]


def test_brand_level_sums_media_and_averages_controls(world):
    # By hand: KPI and media add up, an empty medium is 0, an empty control the period before.
    text = (
        "entity_id,period_start,sales,act_tv,spend_tv,ctrl_price\n"
        "a,2023-01-02,10,4,2.5,9\nb,2023-01-02,1,6,7.5,11\n"
        "a,2023-01-09,20,,1,9\nb,2023-01-09,2,3,1,\n"
    )
    wide = wide_of(world, text, level="brand")
    assert wide["entity_id"].tolist() == ["total", "total"]
    assert wide["sales"].tolist() == [11.0, 22.0]
    assert wide["act_tv"].tolist() == [10.0, 3.0]
    assert wide["spend_tv"].tolist() == [10.0, 2.0]
    assert wide["ctrl_price"].tolist() == [10.0, 10.0]


def test_a_file_without_entities_is_one_total(world):
    wide = wide_of(world, "period_start,sales,act_tv\n2023-01-02,1,2\n2023-01-09,2,3\n")
    assert wide["entity_id"].unique().tolist() == ["total"]


def test_a_pandas_index_column_is_ignored(world):
    wide = wide_of(world, ",period_start,sales,act_tv\n0,2023-01-02,1,2\n1,2023-01-09,2,3\n")
    assert wide.columns.tolist() == ["entity_id", "period_start", "sales", "act_tv"]


def test_the_summary_reports_every_layer(world, lines):
    spoilt = lines()
    spoilt[3] = "north,2023-01-16,5,1,,1"
    world.raw(spoilt)
    world.canonical(spoilt)
    summary = json.loads((world.run_dir / "validation_summary.json").read_text())
    assert set(summary["layers"]) == {"raw", "canonical"}
    assert summary["grain"] == "WEEK"
    assert summary["n_rows"] == 60
    assert summary["missing_rates"]["spend_tv"] == pytest.approx(1 / 60, abs=1e-6)
    assert summary["verdict"] == Verdict.REVIEW
    assert summary["layers"]["raw"]["expectations"]["results"]


def test_column_info_reports_roles_and_figures(world, lines):
    info = read_json(current_home(), world.candidate(lines()).column_info)
    assert info["columns"]["spend_tv"]["role"] == "spend"
    assert info["periods"] == {"n": 60, "first": "2023-01-02", "last": "2024-02-19"}
    assert info["channels"][0]["input_column"] == "act_tv"


def test_a_full_copy_counts_rows(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("a,b\n1,2\n3,4\n")
    assert copy_csv(source, tmp_path / "o.parquet", names=["a", "b"], delimiter=",") == 2
