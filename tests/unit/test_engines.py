"""What imports of heavy libraries ask about the stack, and get."""

import inspect
import sys
from types import ModuleType

from flows import engines


def test_the_stack_without_source_names_the_callers_of_the_whole_one():
    with engines._stacks_without_source():
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
