"""Forms made from models: one field per key that holds a single value, described by the model.

A field that is left empty stays out of the document, so the default of the model holds; the form
shows it as a placeholder. What cannot be read stays as it was written: the model says what is wrong
with it, and ``faults_of`` puts that beside the field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flows.web.session import FormFields, field

_LABELS = {
    "target_col": "Column of the KPI",
    "l_max": "Periods that an effect may last",
    "tune": "Warm-up draws",
    "target_accept": "Care of the sampler",
    "random_seed": "Seed",
    "timeout_minutes": "Minutes at most",
    "backend": "Engine of the sampler",
    "media_share": "Share of all channels",
    "share_spread": "Spread of that share",
    "non_negative_baseline": "Baseline never below zero",
    "media_before": "Media ran before the first row",
}
"""Label of a key where the key itself says little to who has no statistics."""


class Widget(StrEnum):
    """How a value is entered."""

    TEXT = "text"
    NUMBER = "number"
    CHECK = "check"
    CHOICE = "choice"
    LINES = "lines"
    """A list, one item a line."""


@dataclass(frozen=True)
class Field:
    """One field of a form."""

    name: str
    """Dotted key, as in a message of the model: ``model.adstock.l_max``."""
    label: str
    widget: Widget
    value: str
    placeholder: str
    """What holds where nothing is entered."""
    help: str
    choices: Sequence[tuple[str, str]] = ()
    fault: str = ""

    @property
    def id(self) -> str:
        """Id of the element."""
        return "f-" + self.name.replace(".", "-")


def list_fields(
    model: type[BaseModel],
    values: Mapping[str, Any],
    *,
    prefix: str = "",
    only: Iterable[str] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
    faults: Mapping[str, str] | None = None,
) -> list[Field]:
    """Return the fields of a model that hold a single value or a list of them.

    Parameters
    ----------
    model
        Whose fields.
    values
        What is given of it, as JSON would hold it; keys that are absent have their default.
    prefix
        Of the names, ending with a dot: ``model.adstock.``.
    only
        Names, in the order of the form; without it, all in the order of the model.
    choices
        Values of text fields that are a choice, by name without prefix.
    faults
        What is wrong, by full name.
    """
    found = []
    for name in only if only is not None else model.model_fields:
        info = model.model_fields[name]
        named = (choices or {}).get(name)
        widget = Widget.CHOICE if named else _widget(info.annotation)
        if widget is None:
            continue
        default = _shown(info.default)
        value = _value(values.get(name), info, widget)
        options = _choices(named or _members(info.annotation), info)
        if options and value not in dict(options):
            options.append((value, value))  # what was written stays, with what is wrong with it
        found.append(
            Field(
                name=f"{prefix}{name}",
                label=_LABELS.get(name) or name.replace("_", " ").capitalize(),
                widget=widget,
                value=value,
                placeholder=default,
                help=_plain(info.description or ""),
                choices=options,
                fault=(faults or {}).get(f"{prefix}{name}", ""),
            )
        )
    return found


def read_fields(
    model: type[BaseModel],
    form: FormFields,
    *,
    prefix: str = "",
    only: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Return what a form gives of a model, as JSON would hold it.

    Parameters
    ----------
    model, prefix, only
        As ``list_fields``.
    form
        Fields that were sent.

    Returns
    -------
    dict
        Keys that were given alone; values that cannot be read are texts.
    """
    given: dict[str, Any] = {}
    for name in only if only is not None else model.model_fields:
        info = model.model_fields[name]
        widget, full = _widget(info.annotation), f"{prefix}{name}"
        text = field(form, full)
        if widget is None:
            continue
        if widget is Widget.CHECK:
            if f"{full}.present" in form and (text == "true") != bool(info.default):
                given[name] = text == "true"
        elif widget is Widget.LINES:
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if lines:
                given[name] = [_read(line, info.annotation) for line in lines]
        elif text:
            given[name] = _read(text, info.annotation)
    return given


def faults_of(problems: Iterable[str]) -> dict[str, str]:
    """Return what a model said is wrong, by dotted key; what has no key is under ''."""
    found: dict[str, str] = {}
    for problem in problems:
        key, colon, said = problem.partition(": ")
        is_key = bool(colon) and all(
            part.isidentifier() or part.isdigit() for part in key.split(".")
        )
        name = key if is_key else ""
        text = said if is_key else problem
        found[name] = f"{found[name]}; {text}" if name in found else text
    return found


def _types(annotation: Any) -> list[Any]:
    """Return the types of a union, without null and annotations."""
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return [t for each in get_args(annotation) for t in _types(each)]
    return [] if annotation in {None, NoneType} else [annotation]


def _widget(annotation: Any) -> Widget | None:
    """Return how a value of a type is entered; None where it holds more than single values."""
    types = _types(annotation)
    if not types:
        return None
    if any(get_origin(each) is list for each in types):
        return Widget.LINES if all(_is_single(i) for i in _items(types)) else None
    if not all(_is_single(each) for each in types):
        return None
    if types == [bool]:
        return Widget.CHECK
    if len(types) == 1 and issubclass(types[0], Enum):
        return Widget.CHOICE
    return Widget.NUMBER if set(types) <= {int, float} else Widget.TEXT


def _is_single(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, bool | int | float | str | date | Enum)


def _items(types: Iterable[Any]) -> list[Any]:
    return [t for each in types for item in get_args(each) for t in _types(item)]


def _members(annotation: Any) -> list[str]:
    types = _types(annotation)
    is_choice = len(types) == 1 and isinstance(types[0], type) and issubclass(types[0], Enum)
    return [str(member.value) for member in types[0]] if is_choice else []


def _choices(members: Sequence[str], info: FieldInfo) -> list[tuple[str, str]]:
    if not members:
        return []
    if info.is_required():
        return [(each, each.replace("_", " ")) for each in members]
    default = _shown(info.default)
    first = f"{default.replace('_', ' ')} (default)" if default else "default"
    return [("", first), *((e, e.replace("_", " ")) for e in members if e != default)]


def _value(given: Any, info: FieldInfo, widget: Widget) -> str:
    if widget is Widget.CHECK:
        return _shown(info.default if given is None else given)
    if widget is Widget.LINES and isinstance(given, list):
        return "\n".join(_shown(item) for item in given)
    text = "" if given is None else _shown(given)
    is_default = widget is Widget.CHOICE and not info.is_required() and text == _shown(info.default)
    return "" if is_default else text


def _shown(value: Any) -> str:
    if value is None or value is PydanticUndefined or isinstance(value, list | dict | BaseModel):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.value) if isinstance(value, Enum) else str(value)


def _read(text: str, annotation: Any) -> Any:
    types = _types(annotation)
    if any(get_origin(each) is list for each in types):
        types = _items(types)
    for kind in (int, float):
        if kind in types:
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def _plain(text: str) -> str:
    """Return a description without the marks of code that it has in the reference."""
    return text.replace("`", "")
