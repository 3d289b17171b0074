"""Habits that hold for every source file. Every test lists all offenders at once."""

import ast
import re
from pathlib import Path

from typer.main import get_command

from flows.cli.app import app as command_line

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
PUBLIC = re.compile(r"[A-Z][A-Z0-9_]*$")
MOST_LINES = 300
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|lorem ipsum|coming soon)\b", re.I)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_nothing_is_left_unfinished():
    found = {name(p): UNFINISHED.findall(p.read_text(encoding="utf-8")) for p in SHIPPED}
    offenders = {path: words for path, words in found.items() if words}
    assert not offenders, f"{offenders}; finish it or take it out"


def test_a_text_names_a_command_between_backticks_as_a_page_looks_for_it():
    """``flows.web.wording`` tells a page for each; one that it does not find would be shown."""
    verbs = "|".join(sorted(get_command(command_line).commands))
    bare = re.compile(rf"(?<!`)\bmmm ({verbs})\b|`mmm ({verbs})\b[^`]*$")
    offenders = {
        name(p): found
        for p in SOURCES
        if name(p).startswith("tasks/") and (found := [t for t in _texts(p) if bare.search(t)])
    }
    assert not offenders, f"{offenders}; write `mmm VERB ...` between backticks, in one piece"


def test_no_module_is_longer_than_can_be_kept_in_mind():
    lengths = {name(p): len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    offenders = {path: n for path, n in lengths.items() if n > MOST_LINES}
    assert not offenders, f"{offenders}; a module is one thought, so find the second one in it"


def test_everything_public_has_a_docstring():
    offenders = {name(p): silent for p in SOURCES if (silent := _silent(p))}
    assert not offenders, f"{offenders} say nothing about themselves"


def test_the_files_that_are_looked_at_are_found():
    assert len(SOURCES) > 200, "a room was moved and its habits are no longer looked at"
    assert {"README.md", "Makefile", "pyproject.toml", ".ci/run"} <= set(map(name, SHIPPED))


def _texts(path):
    """Return the texts of a file that are no docstrings, what is filled in as ``{}``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for each in node.values
    }
    return [
        "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        if isinstance(node, ast.JoinedStr)
        else node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documents | parts
        )
    ]


def _silent(path):
    return [
        node.name
        for node in _public(ast.parse(path.read_text(encoding="utf-8")))
        if ast.get_docstring(node) is None and not _is_overload(node)
    ]


def test_a_public_constant_has_one_home():
    homes: dict[str, list[str]] = {}
    # The kernel numbers the kinds of a curve per module, and reads them as ``curves.NONE``.
    for path in (p for p in SOURCES if p.parent.name != "kernel"):
        for constant in _constants(ast.parse(path.read_text(encoding="utf-8"))):
            homes.setdefault(constant, []).append(name(path))
    shared = {constant: paths for constant, paths in homes.items() if len(paths) > 1}
    assert not shared, f"one word, one value: import it, or find the other thing a name: {shared}"


def _constants(tree):
    """Names in capitals that a module gives a value."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            named = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (n.id for n in named if isinstance(n, ast.Name) and PUBLIC.match(n.id))


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
