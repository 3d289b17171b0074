"""A write is whole or absent; a read checks what it got."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import CorruptArtifactError
from tasks.store.files import artifacts


def files(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def test_a_failed_write_leaves_nothing(home):
    def write(partial):
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        artifacts.write_whole(home, home.run_dir("r") / "a.txt", write)
    assert files(home.root) == []


def test_a_failed_write_keeps_the_old_file(home):
    path = home.run_dir("r") / "a.json"
    ref = artifacts.write_json(home, path, {"n": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        artifacts.write_json(home, path, {"n": float("nan")})
    assert artifacts.read_json(home, ref) == {"n": 1}
    assert files(home.root) == ["a.json"]


def test_a_reference_can_be_read_back(home):
    ref = artifacts.write_json(home, home.run_dir("r") / "a.json", {"when": date(2026, 11, 9)})
    assert ref.path == "data/runs/r/a.json"
    assert artifacts.read_json(home, ref) == {"when": "2026-11-09"}


def test_one_changed_byte_is_noticed(home):
    ref = artifacts.write_json(home, home.run_dir("r") / "a.json", {"n": 1})
    path = home.root / ref.path
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    with pytest.raises(CorruptArtifactError, match=r"data/runs/r/a\.json was changed"):
        artifacts.open_ref(home, ref)


def test_a_missing_file_is_named(home):
    ref = artifacts.write_json(home, home.run_dir("r") / "a.json", {})
    (home.root / ref.path).unlink()
    with pytest.raises(CorruptArtifactError, match=r"a\.json is missing"):
        artifacts.open_ref(home, ref)


def test_a_frame_comes_back_as_it_was(home):
    frame = pd.DataFrame({"entity_id": ["ä'); --", "b"], "value": [1.5, np.nan]})
    ref = artifacts.write_parquet(home, home.run_dir("r") / "f.parquet", frame)
    pd.testing.assert_frame_equal(artifacts.read_parquet(home, ref), frame)


def test_the_same_frame_twice_is_the_same_bytes(home):
    frame = pd.DataFrame({"x": np.arange(100.0)})
    first = artifacts.write_parquet(home, home.run_dir("a") / "f.parquet", frame)
    second = artifacts.write_parquet(home, home.run_dir("b") / "f.parquet", frame)
    assert first.sha256 == second.sha256


def test_draws_come_back_as_they_were_and_the_file_is_closed(home):
    draws = xr.Dataset(
        {
            "beta": (("chain", "draw"), np.random.default_rng(1).normal(size=(2, 50))),
            "diverging": (("chain", "draw"), np.zeros((2, 50), bool)),
            "step": ((), 0.5),
        },
        attrs={"kind": "mmm"},
    )
    tree = xr.DataTree.from_dict({"posterior": draws, "sample_stats": draws[["diverging"]]})
    ref = artifacts.write_netcdf(home, home.run_dir("r") / "posterior.nc", tree)
    back = artifacts.read_netcdf(home, ref)
    xr.testing.assert_identical(back["posterior"].to_dataset(), draws)
    (home.root / ref.path).rename(home.root / "moved.nc")


def test_draws_that_somebody_changed_come_back_as_the_file_has_them(home, monkeypatch):
    draws = xr.Dataset({"beta": (("chain", "draw"), np.ones((2, 5)))})
    tree = xr.DataTree.from_dict({"posterior": draws})
    path = home.run_dir("r") / "posterior.nc"
    ref = artifacts.write_netcdf(home, path, tree)
    artifacts.read_netcdf(home, ref)["posterior"]["beta"].to_numpy()[:] = 7.0
    again = artifacts.read_netcdf(home, ref)
    xr.testing.assert_identical(again["posterior"].to_dataset(), draws)
    newer = xr.DataTree.from_dict({"posterior": 2 * draws})
    rewritten = artifacts.write_netcdf(home, path, newer)
    read = artifacts.read_netcdf(home, rewritten)
    xr.testing.assert_identical(read["posterior"].to_dataset(), 2 * draws)
    # One that is too large to keep comes from the file each time.
    monkeypatch.setattr(artifacts, "_LARGEST_KEPT", 0)
    xr.testing.assert_identical(artifacts.read_netcdf(home, rewritten), read)


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(DOCUMENTS)
def test_any_json_document_survives(home, document):
    ref = artifacts.write_json(home, home.root / "d.json", document)
    assert artifacts.read_json(home, ref) == json.loads(json.dumps(document))
