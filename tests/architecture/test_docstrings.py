"""What one room calls of another says what goes in, what comes out, and what it raises.

A name and a type say enough of an id, a reference or a document with a model. An array, a frame, a
dataset or an untyped mapping says nothing of its shape, columns and units: its docstring has to.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for room in ("flows", "tasks", "schemas") for p in (ROOT / room).rglob("*.py"))
SHAPELESS = re.compile(
    r"\bNDArray|\bDataFrame|\bSeries|\bxr\.|\bDataTree|\bArray\b|\b(Mapping|dict)\[str, Any"
)
SHAPE = re.compile(r"``\([a-z_, .]+\)``")
"""A shape such as ``(entity, date)``; a summary that has one says what comes out."""


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room(path: Path) -> str:
    """Folder that others enter: ``flows``, ``schemas``, or a folder of ``tasks``."""
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "tasks" else parts[0]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions() -> dict[str, tuple[Path, ast.FunctionDef]]:
    """Every function at the top of a module, by its dotted name."""
    return {
        f"{module(path)}.{node.name}": (path, node)
        for path in SOURCES
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef)
    }


def used(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, or reaches through a module that it imports."""
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    yield from imported.values()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{imported.get(node.value.id)}.{node.attr}"


def unsaid(function: ast.FunctionDef) -> list[str]:
    """Sections that a docstring lacks."""
    said = ast.get_docstring(function) or ""
    arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    types = [ast.unparse(a.annotation) for a in arguments if a.annotation]
    result = ast.unparse(function.returns) if function.returns else ""
    raises = [
        ast.unparse(node.exc.func)
        for node in ast.walk(function)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    lacks = {
        "Parameters": any(SHAPELESS.search(t) for t in types),
        "Returns": bool(SHAPELESS.search(result)) and not SHAPE.search(said.split("\n\n")[0]),
        "Raises": any(name.endswith("Error") for name in raises),
    }
    present = {s for s in ("Parameters", "Returns", "Yields", "Raises") if f"\n{s}\n---" in said}
    if "Yields" in present:
        present.add("Returns")
    return [section for section, needed in lacks.items() if needed and section not in present]


def test_functions_that_cross_a_room_say_what_goes_in_and_out():
    known = functions()
    crossing = {
        name
        for path in SOURCES
        for name in used(path)
        if name in known and room(known[name][0]) != room(path)
    }
    assert len(crossing) > 200
    offenders = {n: lacks for n in sorted(crossing) if (lacks := unsaid(known[n][1]))}
    assert offenders == {}, "say shapes, columns, units and errors in the docstring, as numpydoc"
