"""Where state lives."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import app
from schemas.errors import SpecError
from tasks.store.home import CHECKOUT, Home, configure_environment, current_home


def test_the_checkout_is_the_home_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("MMM_HOME")
    assert current_home() == Home(CHECKOUT)
    assert (CHECKOUT / "pyproject.toml").is_file()


def test_a_named_home_holds_all_state(home):
    assert current_home() == home
    for path in (home.landing, home.warehouses, home.runs, home.locks, home.mlruns):
        assert path.is_relative_to(home.root)
    assert home.tracking_uri == f"sqlite:///{home.root}/mlruns/mlflow.db"


def test_a_tracking_server_named_in_the_environment_wins(home, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    assert home.tracking_uri == "http://mlflow.example:5000"


def test_references_are_relative_so_that_a_home_can_be_moved(home):
    assert home.relative(home.run_dir("r1") / "fitted.parquet") == "data/runs/r1/fitted.parquet"


def test_existing_settings_win(home, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", "/elsewhere")
    monkeypatch.delenv("DO_NOT_TRACK")
    configure_environment()
    assert os.environ["PREFECT_HOME"] == "/elsewhere"
    assert os.environ["DO_NOT_TRACK"] == "true"


def test_importing_the_flows_switches_telemetry_off(tmp_path):
    script = (
        "import flows, os; "
        "print(os.environ['DO_NOT_TRACK'], os.environ['PREFECT_SERVER_ANALYTICS_ENABLED'], "
        "os.environ['MLFLOW_DISABLE_TELEMETRY'], os.environ['PREFECT_HOME'])"
    )
    clean = {"PATH": os.environ["PATH"], "MMM_HOME": str(tmp_path)}
    printed = subprocess.run(
        [sys.executable, "-c", script],
        env=clean,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert printed == ["true", "false", "true", str(Path(tmp_path).resolve() / ".prefect")]


@pytest.mark.parametrize("folder", ["50%41", "why?", "no#1"])
def test_a_home_whose_path_means_something_in_an_address_is_refused(tmp_path, monkeypatch, folder):
    monkeypatch.setenv("MMM_HOME", str(tmp_path / folder))
    with pytest.raises(SpecError, match="point MMM_HOME at another one"):
        current_home()
    assert app.main(["runs"]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_home_with_spaces_umlauts_and_quotes_is_used(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MMM_HOME", str(tmp_path / "Büro 'privat' & Co"))
    assert app.main(["runs"]) == 0
    assert "No runs yet" in capsys.readouterr().out


def test_a_user_whom_the_system_does_not_know_gets_a_folder_and_a_name(home, monkeypatch):
    def unknown(*_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(getpass, "getuser", lambda: os.environ["LOGNAME"])
    monkeypatch.delenv("LOGNAME", raising=False)
    configure_environment()
    assert os.environ["HOME"] == str(home.root)
    assert os.environ["LOGNAME"] == f"user-{os.getuid()}"


def test_what_the_command_makes_is_its_owners_alone(tmp_path):
    home = tmp_path / "home"
    write = "from tasks.store.runs.status import start_run; start_run(current_home(), 'r', 'demo')"
    program = (
        "import sys; from flows.cli import app; from tasks.store.home import current_home; "
        f"sys.argv = ['mmm', 'runs']; app.main(); {write}"
    )
    subprocess.run(
        ["/bin/sh", "-c", f'umask 022; "{sys.executable}" -c "{program}"'],
        env={**os.environ, "MMM_HOME": str(home)},
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    made = [home, *home.rglob("*")]
    assert len(made) > 3
    assert {path for path in made if path.stat().st_mode & 0o077} == set()
