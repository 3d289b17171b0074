"""The environment is the one that was tested: hashes for everything, and the pins that decide.

Two of the pins are caps that Prefect 3.8 needs but does not declare. FastAPI 0.151 and later make
every flow run fail at once (``Body() got an unexpected keyword argument``). SQLAlchemy 2.1 fails
silently: everything works, except that no scheduled run is ever created;
``tests/orchestration/test_scheduler.py`` watches for that. Prefect 3.9.1 has both mended.
"""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
EXTRA_LOCKS = {
    extra: (ROOT / f"requirements-{extra}.lock").read_text(encoding="utf-8")
    for extra in ("causal", "dask")
}
"""What an extra adds to it."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = [
    Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
]

PINS = {
    "prefect": "==3.8.8",
    "fastapi": ">=0.139,<0.151",
    "sqlalchemy": ">=2.0,<2.1",
    "mlflow": "==3.17.2",
    "great-expectations": "==1.24.1",
    "duckdb": "==2.0.0",
    "pandas": "==3.1.1",
    "pyarrow": "==25.0.1",
    "pymc": "==6.3.2",
    "pymc-marketing": "==1.3.0",
    "arviz": "==1.3.0",
    "nutpie": "==0.16.11",
}


def locked(lock: str = LOCK) -> dict[str, tuple[str, str]]:
    """``{package: (version, block of the lock)}``; one package may have a block per platform."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    found = {}
    for block in blocks:
        match = re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", block)
        assert match, f"the lock has a line that is no pin: {block.splitlines()[0]!r}"
        found[match[1].lower()] = (match[2], block)
    return found


def test_the_pins_that_decide_are_installed():
    wrong = {p: version(p) for p, pin in PINS.items() if version(p) not in SpecifierSet(pin)}
    assert not wrong


def test_the_project_declares_the_pins_that_decide():
    specifiers = {r.name: r.specifier for r in DECLARED}
    assert {p: specifiers[p] for p in PINS} == {p: SpecifierSet(pin) for p, pin in PINS.items()}


def test_every_declared_package_is_locked_and_installed_at_that_version():
    pins = {name: pin for name, (pin, _) in locked().items()}
    wrong = {
        str(r): (pins.get(r.name.lower()), version(r.name))
        for r in DECLARED
        if pins.get(r.name.lower()) != version(r.name) or not r.specifier.contains(version(r.name))
    }
    assert not wrong, f"{{requirement: (locked, installed)}}: {wrong}"


@pytest.mark.parametrize("lock", [LOCK, *EXTRA_LOCKS.values()])
def test_every_locked_package_has_hashes(lock):
    bare = [pkg for pkg, (_, block) in locked(lock).items() if "--hash=sha256:" not in block]
    assert not bare


@pytest.mark.parametrize("lock", [LOCK, *EXTRA_LOCKS.values()])
def test_the_lock_names_no_place_to_download_from(lock):
    assert "://" not in lock
    assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links|-e)\b", lock, re.M)


@pytest.mark.parametrize("extra", EXTRA_LOCKS)
def test_an_extra_is_locked_beside_what_every_installation_has(extra):
    pins = {name: pin for name, (pin, _) in locked(EXTRA_LOCKS[extra]).items()}
    declared = map(Requirement, PROJECT["optional-dependencies"][extra])
    unlocked = [str(r) for r in declared if str(r.specifier) != f"=={pins.get(r.name)}"]
    assert not unlocked, f"{unlocked}: make lock"
    assert not set(pins) & set(locked()), "what every installation has is not installed again"


def test_the_list_of_versions_that_face_strangers_is_that_of_the_lock():
    table = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## Versions that face")[2]
    listed = re.findall(
        r"([a-z0-9-]+) (\d[\w.]*)", table.partition("## How")[0].partition("|--")[2]
    )
    pins = {name: pin for name, (pin, _) in locked().items()}
    assert len(listed) > 20
    assert {name: pin for name, pin in listed if pins[name] != pin} == {}
