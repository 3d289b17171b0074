"""Where the kernel's machine code is kept: per version of its sources, never in a fit's way."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.models.mmm.kernel import machine_code

SOURCES = Path(machine_code.__file__).parent


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A copy of the kernel's sources, and a cache of its own."""
    folder = tmp_path / "kernel"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(machine_code, "__file__", str(folder / "machine_code.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_the_folder_lies_in_the_users_cache_and_exists(kernel, tmp_path):
    folder = machine_code._code_folder()
    assert folder.parent == tmp_path / "cache" / "steady-mmm"
    assert folder.is_dir()
    assert machine_code._code_folder() == folder


@pytest.mark.parametrize("source", [path.name for path in sorted(SOURCES.glob("*.py"))])
def test_another_source_has_another_folder(kernel, source):
    before = machine_code._code_folder()
    path = kernel / source
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert machine_code._code_folder() != before


def test_a_time_stamp_alone_changes_nothing(kernel):
    before = machine_code._code_folder()
    (kernel / "density.py").touch()
    assert machine_code._code_folder() == before


def test_without_a_cache_folder_a_temporary_one_serves(kernel, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = machine_code._code_folder()
    assert folder.is_dir()
    assert folder.parent == tmp_path
    assert folder.name.startswith("mmm-kernel-")
