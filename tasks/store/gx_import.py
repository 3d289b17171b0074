"""Import Great Expectations for the check of a file, without what no suite of ours needs.

Belongs here: what is left out, left for later, or made more cheaply, while it is imported.
Does not: how a suite is run (``tasks.store.gx``).
"""

import copy
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic.v1.fields import ModelField

_LATER = ("altair", "jsonschema", "mistune", "scipy.stats")
"""What it draws, renders, and tests documents and distributions with."""
_OPTIONAL = ("sqlalchemy", "google.auth", "google.oauth2")
"""Extras of it, for data that are no frames; it does without where they are not installed."""
_FIT_FOR_JSON = (str, int, bool)


def import_for_check() -> None:
    """Import Great Expectations in half the time.

    What it can do without is imported by whoever uses it first. Only for a process that judges
    frames alone, in one thread: two threads that use it first could wait for each other.
    """
    with _left_for_later(_LATER), _left_out(_OPTIONAL), copying_fields_lightly():
        importlib.import_module("great_expectations")


@contextmanager
def copying_fields_lightly() -> Iterator[None]:
    """Let classes of pydantic 1 that are made in here take over fields of their bases cheaply.

    Each copies the fields of its bases to the last object below them, of which it changes only
    what ``_copy_field`` copies: a third of what the import of Great Expectations costs.
    """
    from pydantic.v1.fields import ModelField

    main: Any = importlib.import_module("pydantic.v1.main")
    copied = main.smart_deepcopy

    def copy_fields(value: Any) -> Any:
        if isinstance(value, dict) and all(isinstance(f, ModelField) for f in value.values()):
            return {name: _copy_field(field) for name, field in value.items()}
        return copied(value)

    main.smart_deepcopy = copy_fields
    try:
        yield
    finally:
        main.smart_deepcopy = copied


@contextmanager
def identifying_lightly() -> Iterator[None]:
    """Let Great Expectations work out the names of its metrics cheaply.

    It makes each from what the metric is of, made fit for JSON: words, whole numbers and nothing,
    which are fit as they are, and which it compares with two dozen types of arrays and frames.
    """
    id_dict: Any = importlib.import_module("great_expectations.core.id_dict")
    made_fit = id_dict.convert_to_json_serializable

    def make_fit(data: Any) -> Any:
        if data is None or type(data) in _FIT_FOR_JSON:
            return data
        if type(data) is dict:
            return {str(key): make_fit(value) for key, value in data.items()}
        if type(data) in (list, tuple):
            return [make_fit(value) for value in data]
        return made_fit(data)

    id_dict.convert_to_json_serializable = make_fit
    try:
        yield
    finally:
        id_dict.convert_to_json_serializable = made_fit


def _copy_field(field: "ModelField") -> "ModelField":
    own = copy.copy(field)
    own.field_info = copy.copy(field.field_info)
    own.class_validators = dict(field.class_validators)
    return own


@contextmanager
def _left_out(names: Sequence[str]) -> Iterator[None]:
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: import fails
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def _left_for_later(names: Sequence[str]) -> Iterator[None]:
    class WhenUsed(MetaPathFinder):
        def find_spec(
            self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            spec = PathFinder.find_spec(fullname, path, target) if fullname in names else None
            if spec is not None and spec.loader is not None:
                spec.loader = LazyLoader(spec.loader)
            return spec

    finder = WhenUsed()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
