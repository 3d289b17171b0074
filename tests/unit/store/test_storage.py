"""A full or closed disk is reported as that, with the file and what to do; nothing else is."""

import errno
import sqlite3

import duckdb
import pytest

from schemas.errors import ResourceUnavailableError, StorageError
from tasks.store.files.artifacts import sweep_partials, write_json
from tasks.store.storage import writing_to


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Free some space"),
        (OSError(errno.EROFS, "Read-only file system"), "Let this user write there"),
        (PermissionError(errno.EACCES, "Permission denied"), "Let this user write there"),
        (duckdb.IOException('Could not write file "w": No space left on device'), "Free some"),
        (sqlite3.OperationalError("database or disk is full"), "Free some space"),
        (sqlite3.OperationalError("disk I/O error"), "full or failing"),
        (RuntimeError("can't write data (errno = 28, No space left on device)"), "Free some"),
    ],
)
def test_what_the_storage_is_to_blame_for_names_the_file_and_the_next_action(home, error, said):
    with (
        pytest.raises(StorageError, match=f"demo.duckdb cannot be written: .*{said}"),
        writing_to(home.warehouses / "demo.duckdb"),
    ):
        raise error


@pytest.mark.parametrize(
    "error", [ValueError("no number"), FileNotFoundError("gone"), ResourceUnavailableError("held")]
)
def test_any_other_error_stays_what_it_is(home, error):
    with pytest.raises(type(error)) as caught, writing_to(home.warehouses / "demo.duckdb"):
        raise error
    assert caught.value is error


def test_what_killed_writers_left_is_swept_and_nothing_else(home):
    write_json(home, home.run_dir("run-1") / "plan.json", {})
    (home.run_dir("run-1") / ".plan.json.0123abcd.partial").write_text("ha")
    (home.run_dir("run-1") / ".hidden").write_text("kept")
    sweep_partials(home.runs)
    assert sorted(path.name for path in home.run_dir("run-1").iterdir()) == [".hidden", "plan.json"]
