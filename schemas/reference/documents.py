"""Files of a run, their fields and columns, and what the verbs answer."""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

import schemas.answers
import schemas.documents
from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS
from schemas.names import (
    CONTRIBUTION_COLUMNS,
    FITTED_COLUMNS,
    FORECAST_ACTUALS_COLUMNS,
    FORECAST_COLUMNS,
    Artifact,
)
from schemas.reference.columns import say_column
from schemas.reference.fields import (
    about,
    meanings,
    nested,
    read_docstrings,
    say_kind,
    table,
)

_TABLES: Mapping[Artifact, tuple[str, ...]] = {
    Artifact.CONTRIBUTIONS: CONTRIBUTION_COLUMNS,
    Artifact.FITTED: FITTED_COLUMNS,
    Artifact.FORECAST: FORECAST_COLUMNS,
    Artifact.FORECAST_ASSUMPTIONS: ASSUMPTION_COLUMNS,
    Artifact.FORECAST_ACTUALS: FORECAST_ACTUALS_COLUMNS,
}
_KINDS = {"[].": "list", ".*.": "mapping"}


def list_files() -> str:
    """Return the table of the files of a run."""
    said = read_docstrings(Artifact)
    rows = [(f"`{artifact.value}`", said.get(artifact.name, "")) for artifact in Artifact]
    return table(("File", "What it says"), *rows)


def render_columns() -> str:
    """Return the columns of every published Parquet file that has a fixed list of them."""
    sections = []
    for artifact, columns in _TABLES.items():
        rows = [(f"`{column}`", say_column(column)) for column in columns]
        sections.append(f"### `{artifact}`\n\n" + table(("Column", "Meaning"), *rows))
    return "\n\n".join(sections)


def render_documents() -> str:
    """Return the fields of every JSON document that has a model.

    A model is a document's if its docstring begins with the name of the file.
    """
    return "\n\n".join(_section(model) for model in find_named(r"[a-z_]+\.json|MMM_[A-Z_]+"))


def render_answers() -> str:
    """Return the fields of every answer that has a model: its docstring begins with the command."""
    return "\n\n".join(_section(model) for model in find_named(r"mmm [a-z]+ --json"))


def find_named(pattern: str) -> list[type[BaseModel]]:
    """Return models of documents and answers whose docstring begins with a name in code."""
    named = {
        model: found[1]
        for room in (schemas.documents, schemas.answers)
        for model in _models(room.__path__, room.__name__)
        if (found := re.match(rf"``({pattern})``:", model.__doc__ or ""))
    }
    return sorted(named, key=lambda model: named[model])


def _models(path: Iterable[str], package: str) -> Iterator[type[BaseModel]]:
    for found in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{found.name}")
        for thing in vars(module).values():
            is_model = isinstance(thing, type) and issubclass(thing, BaseModel)
            if is_model and thing.__module__ == module.__name__:
                yield thing


def _section(model: type[BaseModel]) -> str:
    name, _, rest = about(model).partition(": ")
    text = rest[:1].upper() + rest[1:]
    head = ("Field", "Type", "Meaning")
    return f"### {name}\n\n{text}\n\n" + table(head, *list_fields(model))


def list_fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, type and meaning of every field, those of inner models after their own."""
    said = meanings(model)
    for name, field in model.model_fields.items():
        inner, mark = nested(field.annotation)
        if issubclass(model, RootModel) and inner:  # the file is a row per name
            yield from list_fields(inner, f"{path}{mark.lstrip('.')}")
            continue
        if issubclass(model, RootModel):  # the file is a value per name
            yield f"`{path}*`", "text", about(model).partition(": ")[2]
            continue
        kind = _KINDS.get(mark, "object") + (" or null" if _is_optional(field) else "")
        meaning = said[name] or (about(inner) if inner else say_column(name))
        shown = kind if inner else say_kind(field)
        yield f"`{path}{name}`", shown, re.sub(r"\bNone\b", "null", meaning)
        if inner and not inner.__module__.startswith("schemas.spec"):
            yield from list_fields(inner, f"{path}{name}{mark}")


def _is_optional(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation)
