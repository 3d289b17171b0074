"""What the documents list is what the code does: spec keys, exit codes, files, commands, links."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.errors import MmmError
from schemas.names import Artifact
from schemas.reference.documents import find_named, list_fields
from schemas.reference.page import build_page
from schemas.spec.run_spec import RunSpec

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "flows/README.md",
    "schemas/README.md",
    "tasks/README.md",
    *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "tasks/decisions").glob("*.md")),
    "tests/README.md",
)


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", read(page), re.M | re.S)
    assert match, f"{page} has no section {title!r}"
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
    """Default as the reference writes it."""
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


def test_the_reference_is_what_the_models_give():
    assert read("schemas/README.md") == build_page(), "run `make docs` and commit schemas/README.md"


def test_the_run_spec_tables_list_every_key_with_its_default():
    table = {
        cells[0].strip("`"): cells[1] for cells in rows(section("schemas/README.md", "Run spec"))
    }
    expected = documented(RunSpec)
    assert set(table) == set(expected)
    assert {k: v for k, v in table.items() if v != expected[k]} == {}


def test_every_key_of_the_run_spec_says_what_it_means():
    table = rows(section("schemas/README.md", "Run spec"))
    assert [cells[0] for cells in table if len(cells) < 4 or not cells[3].strip("| ")] == []


def test_keys_of_the_run_spec_that_the_pages_name_exist():
    known = {key.replace("[]", "") for key in documented(RunSpec)}
    blocks = {key.rpartition(".")[0] for key in known} | {
        ".".join(key.split(".")[:n]) for key in known for n in range(1, key.count(".") + 1)
    }
    first = "|".join(sorted(block for block in blocks if block and "." not in block))
    gone = {
        (page, key)
        for page in set(PAGES) - {"schemas/README.md"}
        for key in re.findall(rf"`((?:{first})(?:\[\])?\.[\w.\[\]]+)(?::[^`]*)?`", read(page))
        if key.replace("[]", "") not in known | blocks
    }
    assert gone == set()


def test_every_field_of_a_document_says_what_it_means():
    models = [*find_named(r"[a-z_]+\.json|MMM_[A-Z_]+"), *find_named(r"mmm [a-z]+ --json")]
    assert len(models) >= 9
    silent = {m.__name__: [f for f, _, said in list_fields(m) if not said] for m in models}
    assert {name: fields for name, fields in silent.items() if fields} == {}


@pytest.mark.parametrize("title", ["Columns of the Parquet files", "Tables of the warehouse"])
def test_every_column_says_what_it_means(title):
    columns = rows(section("schemas/README.md", title))
    assert [cells[0] for cells in columns if not cells[-1].strip("| ")] == []


def test_every_table_of_the_warehouse_is_listed():
    ddl = read("schemas/sql/warehouse.sql")
    text = section("schemas/README.md", "Tables of the warehouse")
    made = set(re.findall(r"^create table if not exists ([a-z_.]+)", ddl, re.M))
    assert set(re.findall(r"^### `([a-z_.]+)`", text, re.M)) == made


def test_every_file_of_a_run_is_listed_and_described():
    table = {
        cells[0].strip("`"): cells[1]
        for cells in rows(section("schemas/README.md", "Files of a run"))
    }
    assert set(table) == {str(a) for a in Artifact}
    assert [name for name, said in table.items() if not said.strip("| ")] == []


@pytest.mark.parametrize(
    ("page", "title"), [("README.md", "Your own data"), ("flows/README.md", "Exit codes")]
)
def test_the_exit_codes_are_those_of_the_errors(page, title):
    def codes(error: type[MmmError]) -> set[int]:
        return {error.exit_code}.union(*(codes(e) for e in error.__subclasses__()))

    table = {int(cells[0].strip("`")) for cells in rows(section(page, title))}
    assert table == {0} | codes(MmmError)


def test_every_verb_is_listed():
    from flows.cli.app import app

    verbs = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    listed = re.findall(r"^mmm ([a-z]+)", section("flows/README.md", "Command line"), re.M)
    assert set(listed) == verbs


def test_every_deployment_is_listed():
    import yaml

    deployments = {d["name"] for d in yaml.safe_load(read("prefect.yaml"))["deployments"]}
    listed = {cells[0].strip("`") for cells in rows(section("flows/README.md", "Unattended"))}
    assert deployments <= listed


def test_every_marker_is_listed():
    declared = tomllib.loads(read("pyproject.toml"))["tool"]["pytest"]["ini_options"]["markers"]
    table = {cells[0].strip("`") for cells in rows(read("tests/README.md"))}
    assert {marker.split(":")[0] for marker in declared} <= table


def test_every_stage_and_library_has_its_line():
    rooms = {p.parent.name for p in (ROOT / "tasks").glob("*/__init__.py")}
    named = set(re.findall(r"`(?:tasks/)?([a-z_]+)/?`", section("tasks/README.md", "Rooms")))
    assert rooms <= named, f"tasks/README.md, Rooms, says nothing of {sorted(rooms - named)}"


def test_files_and_functions_that_the_pages_name_exist():
    """A path in code, with a function after a colon where one is meant."""
    pattern = r"`((?:flows|tasks|schemas|tests|benchmarks|data/demo)/[\w./-]+\.\w+)(?::(\w+))?`"
    gone = [
        f"{page}: {path}:{name}"
        for page in PAGES
        for path, name in re.findall(pattern, read(page))
        if not (ROOT / path).is_file() or (name and f"def {name}(" not in read(path))
    ]
    assert gone == []


def test_make_commands_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    asked = {t for page in PAGES for t in re.findall(r"(?:^|`)make ([a-z-]+)", read(page), re.M)}
    assert asked <= targets


def anchors(page: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", read(page), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def leads_somewhere(page: str, target: str) -> bool:
    """Whether the file of a relative link exists, and its heading where one is named."""
    place, _, anchor = target.partition("#")
    path = ((ROOT / page).parent / place).resolve() if place else ROOT / page
    if not anchor or path.suffix != ".md":
        return path.exists()
    return path.is_file() and anchor in anchors(path.relative_to(ROOT).as_posix())


def test_links_lead_somewhere():
    links = [(page, t) for page in PAGES for t in re.findall(r"\]\(([^)\s]+)\)", read(page))]
    assert len(links) > 40
    assert [link for link in links if not leads_somewhere(*link)] == []


def test_the_readme_is_short():
    assert (ROOT / "README.md").stat().st_size < 12_000


def test_pages_use_the_words_of_the_glossary():
    """Words that the glossary replaced do not come back; published names in code may stay."""
    telling = r"(tells?|told)(?! (from|(\w+ )*apart|its))"
    private = re.compile(rf"\b(rungs?|ladder|outlook|battery|certificate|{telling})\b", re.I)
    found = {}
    for page in PAGES:
        prose = re.sub(r"`[^`]*`|^```.*?^```", "", read(page), flags=re.M | re.S)
        text = prose.split("\n## Glossary")[0] if page == "tasks/README.md" else prose
        if words := sorted({m[0] for m in private.finditer(text)}):
            found[page] = words
    assert found == {}, "tasks/README.md, Glossary, has the words to use"
