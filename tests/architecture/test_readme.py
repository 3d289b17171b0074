"""What the README lists is what the code does: spec keys, exit codes, files, make targets."""

import json
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.errors import MmmError
from schemas.names import Artifact
from schemas.spec.run_spec import RunSpec

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.M | re.S)
    assert match, f"README has no section {title!r}"
    return match[1]


def rows(text: str) -> list[list[str]]:
    """Cells of all table rows whose first cell is code."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def nested(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Model inside an annotation, and whether it is in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        model, _ = nested(inner)
        if model:
            return model, "list" in str(annotation)
    return None, False


def shown(field: FieldInfo) -> str:
    """Default as the README writes it."""
    if field.default is PydanticUndefined:
        return "required"
    return "" if field.default is None else f"`{json.dumps(field.default)}`"


def documented(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """``{dotted key: default}`` of every leaf of the spec."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        inner, many = nested(field.annotation)
        key = f"{prefix}{name}"
        if inner:
            found |= documented(inner, f"{key}[]." if many else f"{key}.")
        else:
            found[key] = shown(field)
    return found


def test_the_run_spec_table_lists_every_key_with_its_default():
    table = {cells[0].strip("`"): cells[1] for cells in rows(section("Run spec"))}
    expected = documented(RunSpec)
    assert set(table) == set(expected)
    assert {k: v for k, v in table.items() if v != expected[k]} == {}


def test_the_exit_codes_are_those_of_the_errors():
    def codes(error: type[MmmError]) -> set[int]:
        return {error.exit_code}.union(*(codes(e) for e in error.__subclasses__()))

    table = {int(cells[0].strip("`")) for cells in rows(section("Exit codes"))}
    assert table == {0} | codes(MmmError)


def test_every_file_of_a_run_is_listed():
    files = r"`([a-z_]+\.(?:json|parquet|nc|html))`"
    listed = set(re.findall(files, section("Where every file lands")))
    assert listed >= {str(a) for a in Artifact}


def test_make_commands_in_the_readme_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.M)) <= targets
