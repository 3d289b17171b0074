"""Habits that hold for every source file."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for room in ("flows", "tasks", "schemas") for p in (ROOT / room).rglob("*.py"))
SHIPPED = sorted(
    p
    for p in [
        *SOURCES,
        *(p for p in (ROOT / "data" / "demo").glob("*") if p.suffix != ".png"),
        *(ROOT / "benchmarks").glob("*.py"),
        *(ROOT / "schemas").rglob("*.sql"),
        *ROOT.glob("*.md"),
        *(
            p
            for room in ("flows", "tasks", "schemas", "tests")
            for p in (ROOT / room).rglob("*.md")
        ),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
        ROOT / ".ci" / "run",
    ]
    if p.is_file()
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|lorem ipsum|coming soon)\b", re.I)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_nothing_is_left_unfinished(path):
    found = UNFINISHED.search(path.read_text(encoding="utf-8"))
    assert found is None, f"{name(path)} says {found.group()!r}; finish it or take it out"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = [
        node.name
        for node in _public(tree)
        if ast.get_docstring(node) is None and not _is_overload(node)
    ]
    assert not silent, f"{name(path)}: {silent} say nothing about themselves"


def _public(tree):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    n for n in node.body if isinstance(n, kinds) and not n.name.startswith("_")
                )


def _is_overload(node):
    return any("overload" in ast.dump(d) for d in node.decorator_list)
