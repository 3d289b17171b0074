"""Where the kernel's machine code is kept: per version of its sources, never in a fit's way."""

import os
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


def test_what_runs_was_loaded_not_compiled_in_this_process():
    """A process that compiles rounds otherwise: the first fit would differ from later ones."""
    entry = machine_code.entry_points()
    assert entry.log_density.cache_hits
    assert entry.hand_over.cache_hits


def test_code_for_another_file_or_processor_is_compiled_anew(tmp_path, monkeypatch):
    here = machine_code._stamp()
    assert machine_code._stamp() == here
    codegen = type(machine_code.cpu_target.target_context.codegen())
    monkeypatch.setattr(codegen, "magic_tuple", lambda _self: ("another", "processor"))
    assert machine_code._stamp() != here
    monkeypatch.undo()
    copy = shutil.copy(SOURCES / "entry.py", tmp_path)
    os.utime(copy, (1, 1))
    monkeypatch.setattr(machine_code, "_ENTRY", Path(copy))
    assert machine_code._stamp() != here


def test_a_kernel_that_cannot_be_compiled_beside_is_reported(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(machine_code.sys, "executable", shutil.which("false"))
    machine_code._require_code(tmp_path)
    assert "could not be compiled beside" in caplog.text
    assert not list(tmp_path.iterdir())
