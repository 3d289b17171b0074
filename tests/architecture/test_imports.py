"""The import rule: flows → tasks → schemas, never backwards, never sideways between stages.

Every test lists all offenders at once; the message says where the shared part belongs. Widening a
list is a decision about the architecture: say why beside the entry.
"""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = {"mathematics", "models", "query", "store"}
ROOMS = {"flows", "tasks", "schemas", "tests", "benchmarks", "data"}
STDLIB = set(sys.stdlib_module_names)

ARRAYS = {"numpy", "pandas", "xarray", "scipy", "arviz"}
MODELS = ARRAYS | {"pymc", "pymc_marketing", "pymc_extras", "pytensor"}
KERNEL = {"numba", "nutpie", "threadpoolctl"}
"""Compiles a density, and the class of models that nutpie samples; nothing is sampled there."""
CAUSAL = {"jax", "equinox", "optax"}
"""The extra of kind ``causal_gru``; absent from a plain installation."""
NUMERIC = MODELS | {"nutpie", "pyarrow"}
TASK_SHELL = NUMERIC | {"prefect", "pydantic"}

EXTRA = {
    "ingest": {"python_calamine"},  # Excel files
    "features": {"holidays"},  # public holidays of a country, by calendar rules
    "canonicalize": {"duckdb"},  # in-memory SQL over frames, no database file
    "validate": {"duckdb"},  # in-memory SQL over frames, no database file
    "publish": {"mlflow", "plotly", "matplotlib"},  # the pyfunc model class; figures
    "report": {"plotly", "jinja2"},  # pictures of a page and its template
}
"""Libraries a stage may import beyond the numeric ones."""

ENGINE_HOMES = {
    "prefect": ("flows/", "/task.py", "/task_", "tasks/store/"),
    "mlflow": ("tasks/store/", "tasks/publish/", "flows/services/guarded.py"),  # serves its pages
    "great_expectations": ("tasks/store/gx.py",),
    "duckdb": ("tasks/store/", "tasks/canonicalize/", "tasks/validate/"),
}
"""Where each engine may be imported: a path part that the file's path must contain."""

OWN_LIBRARIES = {
    "schemas": ({"schemas"}, {"pydantic", "pydantic_core"}),
    "tasks/mathematics": ({"schemas", "tasks.mathematics"}, ARRAYS),
    "tasks/models": ({"schemas", "tasks.mathematics", "tasks.models"}, MODELS | KERNEL | CAUSAL),
}
"""Rooms that stand on few others: what of ours, and which libraries, they may import."""


def modules(room: str) -> list[str]:
    return sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / room).rglob("*.py"))


@cache
def imports(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole module name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def own(path: str) -> set[str]:
    """Imports of our own rooms."""
    return {name for name in imports(path) if name.split(".")[0] in ROOMS}


def foreign(path: str) -> set[str]:
    """Top-level names of imported libraries, the standard library left out."""
    return {name.split(".")[0] for name in imports(path)} - ROOMS - STDLIB


def starts(name: str, *prefixes: str) -> bool:
    return any(name == p or name.startswith(p + ".") for p in prefixes)


ALL = modules("flows") + modules("tasks") + modules("schemas")
STAGES = [
    p for p in modules("tasks") if len(Path(p).parts) > 2 and Path(p).parts[1] not in LIBRARIES
]


def is_shell(path: str) -> bool:
    """Whether a file is one of those that a flow calls: ``task.py`` or ``task_<noun>.py``."""
    name = Path(path).name
    return name == "task.py" or name.startswith("task_")


def strays(path: str, ours: set[str], libraries: set[str]) -> list[str]:
    """What a module imports beyond what its room allows."""
    outside = [name for name in own(path) if not starts(name, *ours)]
    return sorted([*outside, *(foreign(path) - libraries)])


@pytest.mark.parametrize("room", OWN_LIBRARIES)
def test_a_library_room_stands_on_those_below_it(room):
    ours, libraries = OWN_LIBRARIES[room]
    offenders = {p: s for p in modules(room) if (s := strays(p, ours, libraries))}
    assert not offenders, f"{offenders}; what two rooms need moves down, storage to tasks/store"


def test_numba_stays_in_the_kernel():
    kernels = [p for p in modules("tasks/models") if foreign(p) & KERNEL]
    # The sampler of every kind whose fit is NUTS.
    sampler = "tasks/models/sampling.py"
    offenders = [p for p in kernels if "/kernel/" not in p and p != sampler]
    assert not offenders, f"{offenders}: sampling stands in {sampler}, machine code in the kernel"


def test_the_extra_is_needed_by_the_training_of_its_kind_alone():
    """What opens a fit, plans with it or reports it runs where the extra is not installed."""
    users = {p for p in ALL if foreign(p) & CAUSAL}
    assert users == {f"tasks/models/causal_gru/{name}.py" for name in ("network", "training")}
    # What they stand on top of, imported where a fit is made.
    training = {f"tasks/models/causal_gru/{name}.py" for name in ("ensemble", "posterior")} | users
    modules_of = [path.removesuffix(".py").replace("/", ".") for path in sorted(training)]
    others = [p for p in ALL if p not in training]
    assert [p for p in others if starts_any(imported_on_top(p), modules_of)] == []


def imported_on_top(path):
    """Modules that a file loads as soon as it is imported itself."""
    found = []
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def starts_any(names, prefixes):
    return any(starts(name, *prefixes) for name in names)


@pytest.mark.parametrize(
    ("room", "ours"),
    [
        ("tasks/store", {"schemas", "tasks.store"}),
        ("tasks/query", {"schemas", "tasks.mathematics", "tasks.query", "tasks.store"}),
    ],
)
def test_storage_and_questions_know_no_stage(room, ours):
    offenders = {p: s for p in modules(room) if (s := [n for n in own(p) if not starts(n, *ours)])}
    assert not offenders, f"{offenders}; a stage is called by a flow alone"


def test_a_stage_imports_itself_and_the_libraries_only():
    offenders = {}
    for path in STAGES:
        stage = Path(path).parts[1]
        ours = {f"tasks.{stage}", "tasks.mathematics", "tasks.models", "schemas"}
        shell = is_shell(path)
        libraries = (TASK_SHELL if shell else NUMERIC | {"pydantic"}) | EXTRA.get(stage, set())
        if found := strays(path, ours | ({"tasks.store"} if shell else set()), libraries):
            offenders[path] = found
    assert not offenders, f"{offenders}; move what is shared to a library room"


def test_flows_call_tasks_and_nothing_below_them():
    offenders = {}
    for path in modules("flows"):
        # Where state lives, who may write it, what stays secret: known before any task runs.
        known_early = ("home", "storage", "credential", "redaction", "tokens")
        doors = ("flows", "schemas", "tasks.query", *(f"tasks.store.{m}" for m in known_early))
        outside = [
            name
            for name in own(path)
            if not starts(name, *doors)
            and not (name.startswith("tasks.") and is_shell(_module_path(name)))
        ]
        if outside:
            offenders[path] = outside
    assert not offenders, f"{offenders}; a flow calls tasks.<stage>.task and passes references"


def test_flows_hold_no_arithmetic():
    offenders = [p for p in modules("flows") if foreign(p) & (NUMERIC | {"duckdb"})]
    assert not offenders, f"{offenders}: arithmetic and SQL belong to tasks"


@pytest.mark.parametrize("engine", ENGINE_HOMES)
def test_an_engine_stays_in_its_home(engine):
    homes = ENGINE_HOMES[engine]
    offenders = [p for p in ALL if engine in foreign(p) and not any(h in p for h in homes)]
    assert not offenders, f"{engine} is imported by {offenders}; its home is {homes}"


def test_no_modules_import_each_other_in_a_circle():
    waiting = {p: {_module_path(n) for n in own(p)} & set(ALL) - {p} for p in ALL}
    while free := [p for p, needs in waiting.items() if not needs & waiting.keys()]:
        for path in free:
            del waiting[path]
    assert not waiting, f"a circle among {sorted(waiting)}"


def _module_path(name: str) -> str:
    """File of an imported module, or of the module that an imported name stands in."""
    as_module = name.replace(".", "/") + ".py"
    return (
        as_module
        if (ROOT / as_module).is_file()
        else name.rpartition(".")[0].replace(".", "/") + ".py"
    )


def test_no_file_in_flows_shadows_a_library():
    taken = {"tasks", "schemas", "data", "flows"} | {
        p.split("==")[0].replace("-", "_")
        for p in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
        if "==" in p and not p.startswith((" ", "#"))
    }
    first = {Path(p).stem for p in modules("flows") if len(Path(p).parts) == 2}
    assert not first & (taken | STDLIB), "Prefect puts flows/ first on the import path"


def test_every_room_has_a_charter():
    silent = [p for p in ALL if p.endswith("__init__.py") and not _docstring(p)]
    assert not silent, f"say what belongs here and what does not: {silent}"


def _docstring(path: str) -> str | None:
    return ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
