"""Files of a run as they were published: every later release opens them and keeps their names.

``demo_run/`` holds the documents of a refit of the demo panel made before they were typed, lists
and rows cut short.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from schemas.documents.base import Document, NamedRows
from schemas.documents.registry import DOCUMENTS
from schemas.spec.base import SpecModel

DEMO_RUN = Path(__file__).parent / "demo_run"
FILES = sorted(path.name for path in DEMO_RUN.glob("*.json") if path.name in DOCUMENTS)


def read(name: str) -> BaseModel:
    return DOCUMENTS[name].model_validate_json((DEMO_RUN / name).read_text(encoding="utf-8"))


def without_added(written: Any, published: Any) -> Any:
    """What is written, without fields that later releases added; they have defaults."""
    if isinstance(written, dict) and isinstance(published, dict):
        known = {key: value for key, value in written.items() if key in published}
        return {key: without_added(value, published[key]) for key, value in known.items()}
    if isinstance(written, list) and isinstance(published, list):
        return [without_added(*pair) for pair in zip(written, published, strict=True)]
    return written


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_is_read_and_written_with_its_own_fields(name):
    published = json.loads((DEMO_RUN / name).read_text(encoding="utf-8"))
    written = read(name).model_dump(mode="json", by_alias=True)
    written.pop("schema_version", None)
    assert without_added(written, published) == published


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_a_version_is_of_version_one(name):
    document = read(name)
    versions = document.schema_version if isinstance(document, Document) else document.VERSION
    assert versions == 1


@pytest.mark.parametrize("model", [m for m in DOCUMENTS.values() if issubclass(m, Document)])
def test_a_file_of_a_newer_release_says_so(model):
    with pytest.raises(ValidationError, match="written by a newer release"):
        model.model_validate({"schema_version": model.VERSION + 1})


def test_every_document_is_frozen_and_versioned():
    for name, model in DOCUMENTS.items():
        assert issubclass(model, Document | NamedRows), name
        assert model.model_config["frozen"], name


def test_every_field_has_a_meaning_and_every_number_a_unit():
    silent = [
        f"{name}: {where}"
        for name, model in DOCUMENTS.items()
        for where in silent_fields(model.model_json_schema())
    ]
    assert silent == []


def silent_fields(schema: dict) -> list[str]:
    """Fields without a description, and numbers without a unit, of our own documents."""
    parts = {"": schema, **schema.get("$defs", {})}
    of_spec = {name for model in SpecModel.__subclasses__() for name in model.model_fields}
    found = []
    for part, described in parts.items():
        if part in {model.__name__ for model in SpecModel.__subclasses__()}:
            continue  # The run spec has its own reference.
        for name, field in described.get("properties", {}).items():
            if "description" not in field and "$ref" not in field and name not in of_spec:
                found.append(f"{part}.{name} has no description")
            if is_number(field) and "unit" not in json.dumps(field) and name not in of_spec:
                found.append(f"{part}.{name} has no unit")
    return found


def is_number(field: dict) -> bool:
    kinds = [field, *field.get("anyOf", [])]
    return any(kind.get("type") in ("number", "integer") for kind in kinds)
