"""What imports of heavy libraries ask about the stack, and get."""

import importlib
import inspect
import sys
from types import ModuleType

from flows import engines


def test_the_stack_without_source_names_the_callers_of_the_whole_one():
    with engines.stacks_without_source():
        bare = inspect.stack()
    whole = inspect.stack()
    where = [(frame.filename, frame.function) for frame in whole]
    assert [(frame.filename, frame.function) for frame in bare] == where
    assert bare[0].lineno == whole[0].lineno - 1


def test_what_checks_files_is_imported_without_its_extras(monkeypatch):
    prepared = []
    monkeypatch.setitem(sys.modules, "great_expectations", ModuleType("great_expectations"))
    monkeypatch.setattr(engines, "prepare_check", lambda: prepared.append("checks"))
    engines.import_engines(("json",))
    assert not prepared
    engines.import_engines(("json", "great_expectations"))
    assert prepared == ["checks"]


def test_what_no_refit_uses_is_as_if_it_were_not_installed_while_the_others_are_imported(
    monkeypatch,
):
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    seen = []

    def look(name):
        seen.append((name, sys.modules.get("jax", "not asked for")))

    monkeypatch.setattr(importlib, "import_module", look)
    engines.import_engines(("json",))
    assert seen == [("json", None)], "None: its import fails"
    assert "jax" not in sys.modules, "who uses it imports it later"
