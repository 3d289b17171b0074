"""Dask is left out of a process that has no use for it, and comes back for a portfolio."""

import importlib
import sys
from types import ModuleType

import pytest

from flows.absent import admit_dask, forgo_dask


def test_a_process_without_dask_cannot_import_it_until_it_is_admitted(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    del sys.modules["dask"]
    forgo_dask()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dask")
    admit_dask()
    assert "dask" not in sys.modules


def test_dask_that_is_in_use_stays(monkeypatch):
    used = ModuleType("dask")
    monkeypatch.setitem(sys.modules, "dask", used)
    forgo_dask()
    assert sys.modules["dask"] is used
    admit_dask()
    assert sys.modules["dask"] is used
