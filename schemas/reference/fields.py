"""How one model, one field and one type are put into words."""

import ast
import inspect
import json
import re
import textwrap
import types
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WORDS = {
    "bool": "true or false",
    "int": "whole number",
    "float": "number",
    "str": "text",
    "date": "date",
    "datetime": "date and time",
    "Any": "any",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def read_docstrings(source_of: type) -> dict[str, str]:
    """Return the string below each field (or enum member) of a class, by name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(source_of)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for statement, below in pairwise(body):
        name = _assigned(statement)
        if name and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[name] = to_markdown(str(below.value.value))
    return found


def _assigned(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return what each field of a model says of itself, its bases' fields included."""
    below: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and not _has_no_source(base):
            below |= read_docstrings(base)
    return {
        name: to_markdown(field.description or "") or below.get(name, "")
        for name, field in model.model_fields.items()
    }


def _has_no_source(model: type[BaseModel]) -> bool:
    """Whether a class is pydantic's own, or one that it made of a generic."""
    if model.__module__.startswith("pydantic"):
        return True
    return model.__pydantic_generic_metadata__["origin"] is not None


def about(model: type) -> str:
    """Return the docstring of a class as Markdown."""
    return to_markdown(inspect.getdoc(model) or "")


def to_markdown(text: str) -> str:
    """Return reStructuredText of a docstring as Markdown, its paragraphs kept."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text).replace("``", "`"))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def nested(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the model inside an annotation, and how its keys go on: ``.``, ``[].``, ``.*.``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, "."
    mark = {list: "[].", tuple: "[].", dict: ".*."}.get(get_origin(annotation))
    for inner in get_args(annotation):
        model, below = nested(inner)
        if model:
            return model, mark or below
    return None, ""


def say_default(field: FieldInfo) -> str:
    """Return a default as people write it in a spec."""
    if field.is_required():
        return "required"
    return "" if field.default is None else f"`{json.dumps(field.default)}`"


def say_type(annotation: Any) -> str:
    """Return what a value may be, in words; enumerations list their values."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        units = [_unit(mark) for mark in inner[1:] if isinstance(mark, FieldInfo)]
        return ", ".join([say_type(inner[0]), *filter(None, units)])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(say_type(i) for i in inner if i is not type(None))
    if origin in (list, tuple):
        return f"list of {say_type(inner[0])}"
    if origin is dict:
        return f"mapping to {say_type(inner[1])}"
    name = getattr(annotation, "__name__", str(annotation))
    return _WORDS.get(name, f"`{name}`")


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def say_kind(field: FieldInfo) -> str:
    """Return type and unit of a value, and whether it may be absent: ``number, share or null``."""
    unit = _unit(field)
    null = " or null" if type(None) in get_args(field.annotation) else ""
    return ", ".join([say_type(field.annotation), *([unit] if unit else [])]) + null


def say_allowed(field: FieldInfo) -> str:
    """Return type and bounds of a value: ``number, > 0, ≤ 1``."""
    bounds = [
        f"{sign} {getattr(mark, attribute):,}".replace(",", " ")
        for mark in field.metadata
        for attribute, sign in _BOUNDS.items()
        if getattr(mark, attribute, None) is not None
    ]
    return ", ".join([say_type(field.annotation), *bounds])


def escape(text: str) -> str:
    """Return text for a cell of a table."""
    return text.replace("\n\n", " ").replace("\n", " ").replace("|", "\\|")


def table(*rows: tuple[str, ...]) -> str:
    """Return a Markdown table; the first row is its header."""
    return "\n".join(_table_lines(rows))


def _table_lines(rows: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield "| " + " | ".join(escape(cell) for cell in row) + " |"
        if number == 0:
            yield "|" + "---|" * len(row)
