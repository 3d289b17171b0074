"""Reads a run spec from a JSON or YAML file, and writes one.

Belongs here: bytes to a document, and errors that name the file and line.
Does not: what the keys mean (``schemas.spec.errors``).
"""

import json
import os
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import yaml

from schemas.errors import SpecError
from schemas.spec.errors import parse_run_spec
from schemas.spec.run_spec import RunSpec
from tasks.store.inputs.allowed_files import require_allowed
from tasks.store.inputs.lift_test_file import read_lift_tests
from tasks.store.inputs.planned_file import read_planned
from tasks.store.inputs.text_files import read_text
from tasks.store.storage import writing_to


def read_run_spec(path: Path, *, adjust: Callable[[Any], Any] | None = None) -> RunSpec:
    """Read and validate a run spec.

    Parameters
    ----------
    path
        JSON or YAML file.
    adjust
        Changes the parsed document before it is validated: what a portfolio shares.

    Raises
    ------
    SpecError
        If the file is missing, is not JSON or YAML, repeats a key, or its content cannot be used;
        likewise the files of lift tests and of planned periods that it names.
    """
    text = read_text(path, named_by="--spec", kind="JSON or YAML")
    document = parse_document(text, name=path.name, suffix=path.suffix)
    if adjust is not None:
        document = adjust(document)
    return parse_run_spec(_with_named_files(document, path), source=path.name)


def _with_rows(document: Any, key: str, spec_path: Path, read: Callable[[Path], Any]) -> Any:
    """Put the rows of a file that a key names into the spec, so that a run keeps what it got."""
    named = document.get(key) if isinstance(document, dict) else None
    if not isinstance(named, str):
        return document
    beside = spec_path.resolve().parent
    path = require_allowed(
        beside / Path(named).expanduser(), named_by=f"{key} in the run spec", beside=beside
    )
    return {**document, key: read(path)}


def _with_named_files(document: Any, spec_path: Path) -> Any:
    facts = document if isinstance(document, dict) else {}
    decimal = "," if facts.get("decimal") == "," else "."
    stated = facts.get("columns")
    columns = stated if isinstance(stated, dict) else {}
    document = _with_rows(
        document, "lift_tests", spec_path, partial(read_lift_tests, decimal=decimal)
    )
    return _with_rows(
        document, "planned", spec_path, partial(read_planned, columns=columns, decimal=decimal)
    )


def data_path(spec: RunSpec, *, spec_path: Path | None, override: Path | None) -> Path | None:
    """Return the absolute input path: ``override``, else ``data`` relative to the spec file.

    Raises
    ------
    SpecError
        If the file that is named does not exist, or the spec names one that it may not.
    """
    if override is not None:
        path, named_by = override.expanduser().resolve(), "--data"
    elif spec.data is not None:
        base = spec_path.resolve().parent if spec_path else Path.cwd()
        named_by = "data in the run spec"
        path = require_allowed(base / Path(spec.data).expanduser(), named_by=named_by, beside=base)
    else:
        return None
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise SpecError(f"{named_by}: {path} {what}; name a CSV, Parquet or Excel file.")
    return path


def parse_document(text: str, *, name: str, suffix: str = "", what: str = "run spec") -> Any:
    """Parse JSON or YAML, chosen by ``suffix``, else by the first character.

    Parameters
    ----------
    text
        The document.
    name
        Name of the file for the message.
    suffix
        Its suffix.
    what
        What it should be, for the message.

    Raises
    ------
    SpecError
        With the line of the first mistake.
    """
    is_json = suffix.lower() == ".json" or (
        suffix.lower() not in {".yaml", ".yml"} and text.lstrip().startswith("{")
    )
    if not text.strip():
        raise SpecError(f"{name} is empty; it should be a {what}.")
    try:
        return _parse_json(text, name) if is_json else _parse_yaml(text, name)
    except RecursionError as error:
        raise SpecError(f"{name}: nested too deeply to be a {what}.") from error


def dump_document(document: Mapping[str, Any]) -> str:
    """Return a document as YAML, its keys in their order.

    Parameters
    ----------
    document
        What JSON could hold.
    """
    return str(yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=96))


def _parse_json(text: str, name: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key in (keys := [k for k, _ in pairs]):
            if keys.count(key) > 1:
                raise SpecError(f"{name}: key {key!r} is given twice; keep one.")
        return dict(pairs)

    def refuse(constant: str) -> NoReturn:
        raise SpecError(f"{name}: {constant} is not a number that can be used.")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise SpecError(
            f"{name}, line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}."
        ) from error


_MAX_DEPTH = 100
"""Levels of a YAML document; a run spec has six, and each more costs time by its square."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """``SafeLoader`` that refuses a repeated key instead of keeping the last, and great depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read a node and what is in it."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise RecursionError(f"more than {_MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping after checking its keys."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice; keep one", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _parse_yaml(text: str, name: str) -> Any:
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpecError(f"{name}{where}: not valid YAML: {error.problem}.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(f"{name}: not valid YAML: {str(error).splitlines()[0]}.") from error


def write_run_spec(path: Path, text: str, *, overwrite: bool) -> None:
    """Write a run spec where people keep it, whole or not at all.

    Raises
    ------
    SpecError
        If there is something already that may not be replaced, or its folder does not exist.
    """
    if not path.parent.is_dir():
        raise SpecError(f"--out: there is no folder {path.parent}; make it, or name another place.")
    if path.is_dir():
        raise SpecError(f"--out: {path} is a folder; name a file in it, such as run_spec.yaml.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with writing_to(path):
            partial.write_text(text, encoding="utf-8")
            # A link to a name that exists fails, so nothing that came in between is lost.
            place = os.replace if overwrite else os.link
            place(partial, path)
    except FileExistsError as error:
        raise SpecError(f"--out: {path} is there already; give --force to replace it.") from error
    finally:
        partial.unlink(missing_ok=True)
