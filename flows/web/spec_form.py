"""The form of a run spec, made from its models: fields out of a document, a document out of fields.

Keys that the form does not show, such as gates, stay as the YAML beside it has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from flows.web.fields import Field, list_fields, read_fields
from flows.web.session import FormFields
from schemas.spec.baseline import ControlSpec, EventSpec, TrendSpec
from schemas.spec.channels import (
    AdstockSpec,
    ChannelPrior,
    ChannelSpec,
    SaturationSpec,
)
from schemas.spec.kinds import kind_names
from schemas.spec.kpi import KpiSpec
from schemas.spec.lift_tests import LiftTest
from schemas.spec.model import ModelSpec
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.run_spec import RunSpec, Windows
from schemas.spec.sampler import SamplerSpec

_MOST_ROWS = 500


@dataclass(frozen=True)
class Block:
    """Keys of one model, at a dotted place of the run spec."""

    title: str
    path: str
    model: type[BaseModel]
    only: Sequence[str]
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Of the names of its fields."""
        return f"{self.path}." if self.path else ""


@dataclass(frozen=True)
class RowBlock:
    """A list of the run spec, a row of fields for each item; ``inner`` is a model in each item."""

    title: str
    path: str
    model: type[BaseModel]
    only: Sequence[str]
    item: str
    """What one row is, for the button that adds one."""
    inner: Sequence[tuple[str, type[BaseModel], Sequence[str]]] = ()


def _every(model: type[BaseModel], *but: str) -> list[str]:
    return [name for name in model.model_fields if name not in but]


BLOCKS = (
    Block("The file", "", RunSpec, ("target_col", "date_format", "decimal", "grain", "level")),
    Block("KPI", "kpi", KpiSpec, _every(KpiSpec)),
    Block(
        "Model", "model", ModelSpec, _every(ModelSpec, "events", "choose"),
        {"kind": kind_names()},
    ),
    Block("Carryover", "model.adstock", AdstockSpec, _every(AdstockSpec)),
    Block("Saturation", "model.saturation", SaturationSpec, _every(SaturationSpec)),
    Block("Trend", "model.trend", TrendSpec, _every(TrendSpec)),
    Block("Fitted window", "windows", Windows, _every(Windows)),
    Block("Sampler", "sampler", SamplerSpec, _every(SamplerSpec)),
    Block("Budget plan", "optimizer", OptimizerSpec, _every(OptimizerSpec)),
)  # fmt: skip
ROW_BLOCKS = (
    RowBlock(
        "Channels", "channels", ChannelSpec, ("name", "kind", "activity", "spend"), "channel",
        (("prior", ChannelPrior, ("quantity", "median", "spread")),),
    ),
    RowBlock("Controls", "controls", ControlSpec, ("name", "sign", "decay", "reference"),
             "control"),
    RowBlock("Events", "model.events", EventSpec, ("name", "dates", "start", "end"), "event"),
    RowBlock("Lift tests", "lift_tests", LiftTest, _every(LiftTest), "lift test"),
)  # fmt: skip


@dataclass(frozen=True)
class FilledBlock:
    """One block with its fields; rows where it is a list."""

    title: str
    path: str
    fields: Sequence[Field] = ()
    rows: Sequence[Sequence[Field]] = ()
    item: str = ""

    @property
    def is_given(self) -> bool:
        """Whether the run spec says anything of it, or something is wrong with it."""
        every = [*self.fields, *(f for row in self.rows for f in row)]
        return any(f.fault or f.value not in {"", f.placeholder} for f in every)


def fill(document: Mapping[str, Any], faults: Mapping[str, str]) -> list[FilledBlock]:
    """Return the form of a run spec, rows first.

    Parameters
    ----------
    document
        The run spec, as JSON would hold it.
    faults
        What is wrong, by dotted key.
    """
    rows = [
        FilledBlock(
            block.title,
            block.path,
            rows=[
                _row_fields(block, i, item, faults)
                for i, item in enumerate(_items(document, block.path))
            ],
            item=block.item,
        )
        for block in ROW_BLOCKS
    ]
    blocks = [
        FilledBlock(
            block.title,
            block.path,
            list_fields(
                block.model, _mapping(_get(document, block.path)), prefix=block.prefix,
                only=block.only, choices=block.choices, faults=faults,
            ),
        )
        for block in BLOCKS
    ]  # fmt: skip
    return [*rows, *blocks]


def read(document: Mapping[str, Any], form: FormFields) -> dict[str, Any]:
    """Return a run spec with what a form says.

    Parameters
    ----------
    document
        The run spec before, in the long form; it decides of keys that the form does not show.
    form
        Fields that were sent.

    Returns
    -------
    dict
        The run spec, as JSON would hold it.
    """
    changed: dict[str, Any] = dict(document)
    for block in BLOCKS:
        given = read_fields(block.model, form, prefix=block.prefix, only=block.only)
        kept = _without(_mapping(_get(changed, block.path)), block.only)
        changed = _put(changed, block.path, {**kept, **given})
    for rows in ROW_BLOCKS:
        before = _items(document, rows.path)
        n_rows = sum(name == f"{rows.path}.row" for name in form for _ in form[name])
        found = [
            _read_row(rows, i, before[i] if i < len(before) else {}, form)
            for i in range(min(n_rows, _MOST_ROWS))
        ]
        if found or before:
            changed = _put(changed, rows.path, found)
    return changed


def add_row(document: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a run spec with an empty item more in a list; one that the form lacks stays as it is.

    Parameters
    ----------
    document
        The run spec.
    path
        Dotted place of the list.

    Returns
    -------
    dict
        The run spec.
    """
    if path not in {block.path for block in ROW_BLOCKS}:
        return dict(document)
    first = next(block.only[0] for block in ROW_BLOCKS if block.path == path)
    return _put(dict(document), path, [*_items(document, path), {first: ""}])


def remove_row(document: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return a run spec without one item of a list.

    Parameters
    ----------
    document
        The run spec.
    place
        Dotted place of the item: ``channels.2``.

    Returns
    -------
    dict
        The run spec.
    """
    path, _, number = place.rpartition(".")
    items = _items(document, path) if path in {b.path for b in ROW_BLOCKS} else []
    kept = [item for i, item in enumerate(items) if str(i) != number]
    return _put(dict(document), path, kept) if items else dict(document)


def _row_fields(block: RowBlock, i: int, item: Any, faults: Mapping[str, str]) -> list[Field]:
    values, prefix = _mapping(item), f"{block.path}.{i}."
    found = list_fields(block.model, values, prefix=prefix, only=block.only, faults=faults)
    for name, model, only in block.inner:
        inner = list_fields(
            model, _mapping(values.get(name)), prefix=f"{prefix}{name}.", only=only, faults=faults
        )
        found += [replace(each, label=f"{name} {each.label}".capitalize()) for each in inner]
    return found


def _read_row(block: RowBlock, i: int, before: Any, form: FormFields) -> dict[str, Any]:
    prefix, values = f"{block.path}.{i}.", _mapping(before)
    inner_names = [name for name, _, _ in block.inner]
    row = _without(values, [*block.only, *inner_names])
    row = {**read_fields(block.model, form, prefix=prefix, only=block.only), **row}
    for name, model, only in block.inner:
        given = read_fields(model, form, prefix=f"{prefix}{name}.", only=only)
        if given:
            row[name] = {**_without(_mapping(values.get(name)), only), **given}
    return row


def _items(document: Mapping[str, Any], path: str) -> list[Any]:
    """Return the items of a list; a name alone is the short form of an item."""
    found = _get(document, path)
    items = found if isinstance(found, list) else []
    return [{"name": item} if isinstance(item, str) else item for item in items]


def _get(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for part in path.split(".") if path else []:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _put(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a document with a value at a place; an empty block goes, with those around it."""
    if not path:
        return dict(value)
    first, _, rest = path.partition(".")
    inner = _put(dict(_mapping(document.get(first))), rest, value) if rest else value
    others = {key: each for key, each in document.items() if key != first}
    if inner in ({}, []):
        return others
    return {key: inner if key == first else each for key, each in document.items()} | (
        {} if first in document else {first: inner}
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _without(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in names}
