"""The import rule: flows → tasks → schemas, never backwards, never sideways between stages.

A new import that fails here belongs in another room; the message says which. Widening a list is a
decision about the architecture: say why beside the entry.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = {"mmm", "models", "store"}
ROOMS = {"flows", "tasks", "schemas", "tests", "benchmarks", "data"}
STDLIB = set(sys.stdlib_module_names)

ARRAYS = {"numpy", "pandas", "xarray", "scipy", "arviz"}
MODELS = ARRAYS | {"pymc", "pymc_marketing", "pymc_extras", "pytensor"}
KERNEL = {"numba", "nutpie", "threadpoolctl"}
"""Compiles a density, and the class of models that nutpie samples; nothing is sampled there."""
NUMERIC = MODELS | {"nutpie", "pyarrow"}
TASK_SHELL = NUMERIC | {"prefect", "pydantic"}

EXTRA = {
    "tasks/ingest": {"python_calamine"},  # Excel files
    "tasks/features": {"holidays"},  # public holidays of a country, by calendar rules
    "tasks/canonicalize": {"duckdb"},  # in-memory SQL over frames, no database file
    "tasks/validate": {"duckdb"},  # in-memory SQL over frames, no database file
    "tasks/publish": {"mlflow", "plotly", "matplotlib"},  # the pyfunc model class; figures
    "tasks/report": {"plotly", "jinja2"},  # pictures of a page and its template
}
"""Libraries a stage may import beyond the numeric ones."""

ENGINE_HOMES = {
    "prefect": ("flows/", "/task.py", "tasks/store/"),
    "mlflow": ("tasks/store/", "tasks/publish/"),
    "great_expectations": ("tasks/store/gx.py",),
    "duckdb": ("tasks/store/", "tasks/canonicalize/", "tasks/validate/"),
}
"""Where each engine may be imported: a path part that the file's path must contain."""


def modules(room: str) -> list[str]:
    return sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / room).rglob("*.py"))


def imports(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole module name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(path: str) -> Iterator[str]:
    """Imports of our own rooms."""
    return (name for name in imports(path) if name.split(".")[0] in ROOMS)


def foreign(path: str) -> set[str]:
    """Top-level names of imported libraries, the standard library left out."""
    return {name.split(".")[0] for name in imports(path)} - ROOMS - STDLIB


def starts(name: str, *prefixes: str) -> bool:
    return any(name == p or name.startswith(p + ".") for p in prefixes)


ALL = modules("flows") + modules("tasks") + modules("schemas")
STAGES = [
    p for p in modules("tasks") if len(Path(p).parts) > 2 and Path(p).parts[1] not in LIBRARIES
]


def library(name: str) -> list[str]:
    return modules(f"tasks/{name}")


@pytest.mark.parametrize("path", modules("schemas"))
def test_schemas_stand_alone(path):
    assert all(starts(n, "schemas") for n in own(path)), f"{path}: schemas import only schemas"
    assert foreign(path) <= {"pydantic"}, f"{path}: schemas use the standard library and pydantic"


@pytest.mark.parametrize("path", library("mmm"))
def test_mmm_is_pure_mathematics(path):
    assert all(starts(n, "schemas", "tasks.mmm") for n in own(path)), path
    assert foreign(path) <= ARRAYS, path


@pytest.mark.parametrize("path", library("models"))
def test_models_know_no_engine_and_no_store(path):
    assert all(starts(n, "schemas", "tasks.mmm", "tasks.models") for n in own(path)), path
    allowed = MODELS | (KERNEL if path.startswith("tasks/models/mmm/kernel/") else set())
    assert foreign(path) <= allowed, (
        f"{path}: sampling belongs to tasks/fit, storage to tasks/store"
    )


@pytest.mark.parametrize("path", library("store"))
def test_store_knows_no_stage(path):
    assert all(starts(n, "schemas", "tasks.store") for n in own(path)), path


@pytest.mark.parametrize("path", STAGES)
def test_a_stage_imports_itself_and_the_libraries_only(path):
    stage = f"tasks.{Path(path).parts[1]}"
    allowed = {stage, "tasks.mmm", "tasks.models", "schemas"}
    if path.endswith("/task.py"):
        allowed.add("tasks.store")
    outside = [n for n in own(path) if not starts(n, *allowed)]
    assert not outside, f"{path} imports {outside}; move the shared part to tasks/mmm or schemas"
    libraries = (TASK_SHELL if path.endswith("/task.py") else NUMERIC | {"pydantic"}) | EXTRA.get(
        stage.replace(".", "/"), set()
    )
    assert foreign(path) <= libraries, f"{path}: {foreign(path) - libraries} belongs elsewhere"


@pytest.mark.parametrize("path", modules("flows"))
def test_flows_call_tasks_and_nothing_below_them(path):
    for name in own(path):
        parts = name.split(".")
        is_task = parts[0] == "tasks" and len(parts) > 2 and parts[2] == "task"
        # Where state lives, and whether it can be written: known before any task runs.
        home = starts(name, "tasks.store.home", "tasks.store.storage")
        fine = starts(name, "flows", "schemas") or home or is_task
        assert fine, f"{path} imports {name}; a flow calls tasks.<stage>.task and passes references"


@pytest.mark.parametrize("path", modules("flows"))
def test_flows_hold_no_arithmetic(path):
    assert not foreign(path) & (NUMERIC | {"duckdb"}), f"{path}: arithmetic and SQL belong to tasks"


@pytest.mark.parametrize("engine", ENGINE_HOMES)
def test_an_engine_stays_in_its_home(engine):
    homes = ENGINE_HOMES[engine]
    strays = [p for p in ALL if engine in foreign(p) and not any(h in p for h in homes)]
    assert not strays, f"{engine} is imported by {strays}; its home is {homes}"


def test_every_stage_has_a_charter():
    silent = [p for p in modules("tasks") if p.endswith("__init__.py") and not _docstring(p)]
    assert not silent, f"say what belongs here and what does not: {silent}"


def _docstring(path: str) -> str | None:
    return ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
