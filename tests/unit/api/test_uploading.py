"""Files over the network: hostile names, bodies that are too large, cut off or no file at all."""

import asyncio

import numpy as np
import pandas as pd
import pytest

from flows.api import receiving
from flows.api.problems import ProblemError
from schemas.answers.datasets import UploadedFile
from tasks.ingest import task_uploads
from tasks.store.inputs.uploads import safe_name

PANEL = b"entity_id,period_start,sales,act_tv,spend_tv,ctrl_price,note\n" + b"".join(
    b"north,2024-01-%02d,%d,5,7,1.5,x\n" % (day, 100 + day) for day in range(1, 29)
)
FILE = "/api/v1/datasets/my_data/file"


def upload(api, content=PANEL, name="panel.csv"):
    return api.put(FILE, params={"name": name}, content=content)


def stored(home):
    return sorted(p.name for p in home.uploads.rglob("*") if p.is_file())


def test_a_file_is_received_listed_shown_and_deleted(api, home):
    made = upload(api)
    assert made.status_code == 201
    assert UploadedFile.model_validate(made.json()).n_bytes == len(PANEL)
    (dataset,) = api.get("/api/v1/datasets").json()["items"]
    assert (dataset["dataset_id"], dataset["n_runs"]) == ("my_data", 0)
    rows = api.get("/api/v1/datasets/my_data/rows", params={"limit": 20}).json()
    rest = api.get(
        "/api/v1/datasets/my_data/rows", params={"limit": 20, "cursor": rows["next_cursor"]}
    ).json()
    assert (len(rows["rows"]), len(rest["rows"]), rest["next_cursor"]) == (20, 8, None)
    assert rows["rows"][0] == ["north", "2024-01-01", "101", "5", "7", "1.5", "x"]
    gone = api.delete("/api/v1/datasets/my_data").json()
    assert (gone["files"], stored(home)) == (["panel.csv"], [])
    assert api.get("/api/v1/datasets/my_data").status_code == 404


def test_columns_say_what_a_refit_takes_them_for(api):
    upload(api)
    found = api.get("/api/v1/datasets/my_data/columns").json()["columns"]
    assert {c["name"]: (c["kind"], c["use"]) for c in found} == {
        "entity_id": ("text", "entity"), "period_start": ("date", "period"),
        "sales": ("number", "kpi"), "act_tv": ("number", "activity"),
        "spend_tv": ("number", "spend"), "ctrl_price": ("number", "control"),
        "note": ("text", "ignored"),
    }  # fmt: skip


def test_a_file_without_known_columns_says_what_is_missing(api):
    upload(api, b"week,revenue\n2024-01-01,5\n")
    found = api.get("/api/v1/datasets/my_data/columns").json()
    assert {c["use"] for c in found["columns"]} == {"ignored"}
    assert "period_start" in found["problem"]


def test_the_same_bytes_twice_are_one_file_and_said_to_be(api, home):
    upload(api)
    before = api.get("/api/v1/datasets/my_data").json()
    again = upload(api, name="other.csv")
    assert again.status_code == 409
    assert [f["rule"] for f in again.json()["findings"]] == ["repeated_file"]
    assert "panel.csv, received" in again.json()["detail"]
    assert "upload a newer file" in again.json()["findings"][0]["remedy"]
    assert api.get("/api/v1/datasets/my_data").json() == before
    assert len(api.get("/api/v1/datasets/my_data").json()["files"]) == 1
    assert stored(home) == ["panel.csv", "upload.json"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\Panel 2024.CSV", "Panel_2024.csv"),
        ("<script>.csv", "script.csv"),
        (".csv", "file.csv"),
        ("a" * 300 + ".csv", "a" * 80 + ".csv"),
        ("x\0y\n.csv", "x_y.csv"),
    ],
)
def test_a_name_is_never_a_path(name, kept):
    assert safe_name(name) == kept


NO_NAMES = {
    "markup": "<img src=x onerror=alert(1)>.csv",
    "path": "../../x.csv",
    "path of Windows": "C:\\data\\x.csv",
    "absolute path": "/etc/x.csv",
    "NUL": "x\0.csv",
    "line end": "x\r\ny.csv",
    "escape": "x\x1b[2J.csv",
    "right to left": "x\u202evsc.csv",
    "300 characters": "a" * 296 + ".csv",
    "300 bytes": "ä" * 148 + ".csv",
    "dots": "..",
    "none": "",
}


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
@pytest.mark.parametrize("door", ["body", "form"])
def test_a_name_that_is_none_of_a_file_is_refused_with_what_to_do(api, home, name, door):
    if door == "body":
        answer = upload(api, name=name)
    else:
        body = form_with(name)
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = api.post("/datasets/upload?dataset_id=my_data", content=body, headers=kind)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(f["rule"], f["verdict"]) for f in problem["findings"]] == [
        ("unusable_file_name", "FAIL")
    ]
    assert problem["findings"][0]["remedy"].startswith("Rename the file")
    assert problem["detail"].replace("\n", "").isprintable()
    assert not home.uploads.exists()


def form_with(name):
    """Return a form whose file has a name, as a client writes it that escapes nothing but marks."""
    quoted = (
        name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    )
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n\r\n'
    return head.encode() + PANEL + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    "name",
    [
        "Panel 2024 (final).csv",
        "Umsätze Köln.csv",
        "R&D, it's 100 %.CSV",
        "x" * 251 + ".csv",
        "売上.csv",
    ],
)
@pytest.mark.parametrize("door", ["body", "form"])
def test_a_plain_name_is_taken_whatever_its_letters(api, monkeypatch, name, door):
    monkeypatch.setattr("flows.api.services.JobService.check_file", checked)
    if door == "body":
        assert upload(api, name=name).status_code == 201
    else:
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = api.post(
            "/datasets/upload?dataset_id=my_data", content=form_with(name), headers=kind
        )
        assert answer.status_code == 200, answer.text
    assert task_uploads.newest_file("my_data").read_bytes() == PANEL


@pytest.mark.parametrize("dataset_id", ["..", "a b", "%2e%2e%2fx", "x" * 65])
def test_an_id_that_is_no_name_is_refused_before_a_byte_is_kept(api, home, dataset_id):
    answer = api.put(f"/api/v1/datasets/{dataset_id}/file", params={"name": "p.csv"}, content=PANEL)
    assert 400 <= answer.status_code < 500
    assert not home.uploads.exists()


def test_bytes_that_are_no_longer_the_newest_become_it_again(api):
    for content in (PANEL, PANEL.replace(b"101", b"102"), PANEL):
        upload(api, content)
    assert task_uploads.newest_file("my_data").read_bytes() == PANEL


@pytest.mark.parametrize("door", ["body", "form"])
def test_an_empty_file_is_refused(api, home, door):
    form = {"file": ("panel.csv", b"")}
    answer = (
        upload(api, b"")
        if door == "body"
        else api.post("/datasets/upload", params={"dataset_id": "my_data"}, files=form)
    )
    assert answer.status_code == 422
    assert [f["rule"] for f in answer.json()["findings"]] == ["empty_file"]
    assert not (home.uploads / "my_data").exists()


def test_a_file_that_is_no_table_is_refused_by_its_ending(api, home):
    answer = upload(api, name="panel.exe")
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["rule"] == "unsupported_file"
    assert stored(home) == []


@pytest.mark.parametrize(
    ("name", "content", "rule", "said"),
    [
        ("panel.csv", b"GIF89a\0\0\1", "unreadable_file", "no text does"),
        ("panel.parquet", PANEL, "unreadable_file", "does not begin as Parquet"),
        ("panel.xlsx", PANEL, "unreadable_file", "does not begin as Excel"),
        ("panel.csv", b",".join([b"c"] * 100_000) + b"\n", "too_large", "columns"),
    ],
)
def test_what_is_no_table_is_refused_with_its_first_bytes(api, home, name, content, rule, said):
    answer = upload(api, name=name, content=content)
    assert answer.status_code == 422
    assert [finding["rule"] for finding in answer.json()["findings"]] == [rule]
    assert said in answer.json()["detail"]
    assert answer.json()["findings"][0]["remedy"]
    assert stored(home) == []
    assert not (home.uploads / "my_data").exists()


def test_a_file_that_announces_too_much_is_refused_before_a_byte_of_it_comes(api, home):
    def pieces():
        raise AssertionError("it was asked for")
        yield b""

    length = {"content-length": str(10**13)}
    answer = api.put("/api/v1/datasets/my_data/file?name=a.csv", content=pieces(), headers=length)
    assert answer.status_code == 413
    assert stored(home) == []


def test_a_file_beyond_the_limit_is_refused_and_nothing_is_left(api, home, monkeypatch):
    monkeypatch.setenv("MMM_INGEST_LIMITS", "file_mb=0.001")
    answer = upload(api, content=(b"x" * 500 for _ in range(1000)))
    assert answer.status_code == 413
    assert answer.json()["findings"][0]["rule"] == "too_large"
    assert "file_mb" in answer.json()["detail"]
    assert stored(home) == []


def test_a_body_that_never_ends_is_refused_and_nothing_is_left(home, monkeypatch):
    async def endless():
        while True:
            yield "panel.csv", b"x"
            await asyncio.sleep(0.01)

    monkeypatch.setattr(receiving, "MAX_SECONDS", 0.1)
    with pytest.raises(ProblemError, match="took longer") as caught:
        asyncio.run(receiving.receive_pieces("my_data", None, endless()))
    assert caught.value.status == 408
    assert stored(home) == []


def test_a_form_gives_its_one_file(api, home, monkeypatch):
    monkeypatch.setattr("flows.api.services.JobService.check_file", checked)
    form = {"note": (None, "hello"), "file": ("panel.csv", PANEL), "other": ("b.csv", b"no")}
    answer = api.post("/datasets/upload", params={"dataset_id": "my_data"}, files=form)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["n_bytes"], answer.json()["validation"]["verdict"]) == (
        len(PANEL),
        "PASS",
    )
    assert task_uploads.newest_file("my_data").read_bytes() == PANEL


@pytest.mark.parametrize(
    "content", [b"1" * 3_000_000, b"1,2\r\n" * 600_000], ids=["one line", "rows"]
)
def test_a_large_form_comes_through_whole(api, monkeypatch, content):
    monkeypatch.setattr("flows.api.services.JobService.check_file", checked)
    form = {"file": ("panel.csv", content)}
    answer = api.post("/datasets/upload", params={"dataset_id": "my_data"}, files=form)
    assert answer.status_code == 200, answer.text
    assert task_uploads.newest_file("my_data").read_bytes() == content


def checked(_service, dataset_id, _spec):
    from schemas.answers.checked_file import CheckedFile

    return CheckedFile(verdict="PASS", findings=[], dataset_id=dataset_id, file="panel.csv")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"--b\r\n", "multipart/form-data; boundary=b", 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\nx,y\n1,2',
         "multipart/form-data; boundary=b", 400),
        (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
         "multipart/form-data; boundary=b", 422),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"", "multipart/form-data", 415),
    ],
)  # fmt: skip
def test_a_form_that_is_cut_off_or_none_leaves_nothing(api, home, body, kind, status):
    answer = api.post(
        "/datasets/upload?dataset_id=my_data", content=body, headers={"Content-Type": kind}
    )
    assert answer.status_code == status, answer.text
    assert stored(home) == []


def test_broken_bytes_and_rows_are_reported_not_raised(api):
    upload(api, b'entity_id,sales\n"north,\xff\n')
    answer = api.get("/api/v1/datasets/my_data/rows")
    assert answer.status_code == 422
    upload(api, b"entity_id,sales\nn\xff,1\n", "other.csv")
    assert api.get("/api/v1/datasets/my_data/rows").json()["rows"] == [
        ["n\N{REPLACEMENT CHARACTER}", "1"]
    ]
    upload(api, b"PAR1 no", "t.parquet")
    assert api.get("/api/v1/datasets/my_data/rows").status_code == 422


def test_rows_of_parquet_are_read_as_a_refit_reads_them(api, tmp_path):
    path = tmp_path / "panel.parquet"
    pd.DataFrame({"period_start": ["2024-01-01", None], "sales": [1.5, 2.0]}).to_parquet(path)
    upload(api, path.read_bytes(), "panel.parquet")
    shown = api.get("/api/v1/datasets/my_data/rows").json()
    assert shown["columns"] == ["period_start", "sales"]
    assert shown["rows"] == [["2024-01-01", "1.5"], ["", "2.0"]]


def test_a_parquet_file_beyond_the_limits_is_refused_before_its_rows_are_read(
    api, tmp_path, monkeypatch
):
    path = tmp_path / "bomb.parquet"
    pd.DataFrame({"a": np.zeros(2_000_000)}).to_parquet(path)
    upload(api, path.read_bytes(), "bomb.parquet")
    monkeypatch.setenv("MMM_INGEST_LIMITS", "cells=100000")
    refused = api.get("/api/v1/datasets/my_data/rows")
    assert refused.status_code == 422
    assert "cells" in refused.json()["detail"]
