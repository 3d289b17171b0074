"""Two machines share a home: each is a process with a folder of locks of its own."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import postgres

from schemas.errors import ResourceUnavailableError
from tasks.store import leases
from tasks.store.locks import dataset_lock
from tasks.store.runs.status import start_run
from tasks.store.trial import trial_home
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.runs import list_runs

ROOT = Path(__file__).resolve().parents[3]
WORK = """
import sys
from tasks.store import leases
from tasks.store.home import current_home
from tasks.store.locks import dataset_lock
from tasks.store.runs.status import start_run
leases.LEASE_SECONDS, leases.RENEW_SECONDS = 2.0, 0.2
home, dataset_id = current_home(), sys.argv[1]
with dataset_lock(home, dataset_id, wait_seconds=60):
    print("begun", flush=True)
    sys.stdin.readline()
    start_run(home, f"{dataset_id}-there", dataset_id)
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def cluster():
    with postgres.running_cluster() as running:
        yield running


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgres",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not() or ""),
            ],
        ),
    ]
)
def database(request, home):
    """Address of a database of leases that nobody has used."""
    if request.param == "sqlite":
        return f"sqlite:///{home.root}/leases.db"
    cluster, name = request.getfixturevalue("cluster"), f"leases_{secrets.token_hex(4)}"
    cluster.create(name)
    return cluster.address(name, driver="psycopg")


@pytest.fixture
def shared(home, database, tmp_path_factory, monkeypatch):
    """This process is one machine; the lease of a holder that does nothing lasts two seconds."""
    monkeypatch.setenv("MMM_LEASES", database)
    monkeypatch.setenv("MMM_LOCKS", str(tmp_path_factory.mktemp("here")))
    monkeypatch.setattr(leases, "LEASE_SECONDS", 2.0)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.2)
    return home


@pytest.fixture
def other_machine(shared, tmp_path_factory) -> Iterator:
    """Let another machine work on a dataset until it is given a line."""
    processes = []

    def begin(dataset_id):
        process = subprocess.Popen(
            [sys.executable, "-c", WORK, dataset_id],
            env={**os.environ, "MMM_LOCKS": str(tmp_path_factory.mktemp("there"))},
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield begin
    for process in processes:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def test_two_machines_work_on_two_datasets_at_once_and_take_turns_on_one(shared, other_machine):
    there = other_machine("acme")
    with dataset_lock(shared, "beta", wait_seconds=0):
        start_run(shared, "beta-here", "beta")
    with (
        pytest.raises(
            ResourceUnavailableError, match=r"another machine.*process \d+ .* on "
        ) as held,
        dataset_lock(shared, "acme", wait_seconds=3),
    ):
        pass
    assert str(there.pid) in str(held.value)
    there.communicate("go\n")
    with dataset_lock(shared, "acme", wait_seconds=0):
        assert {run.run_id for run in list_runs(shared)} == {"acme-there", "beta-here"}


def test_a_dead_holder_loses_its_lease_after_the_stated_time(shared, other_machine):
    there = other_machine("acme")
    there.kill()
    began = time.monotonic()
    with dataset_lock(shared, "acme", wait_seconds=60):
        assert 2.0 <= time.monotonic() - began < 30


def test_a_holder_that_was_stopped_and_overtaken_writes_nothing(shared, other_machine):
    there = other_machine("acme")
    there.send_signal(signal.SIGSTOP)
    with dataset_lock(shared, "acme", wait_seconds=60):
        start_run(shared, "acme-here", "acme")
        there.send_signal(signal.SIGCONT)
        said, _ = there.communicate("go\n")
        assert (there.returncode, said) == (1, "")
    assert [run.run_id for run in list_runs(shared)] == ["acme-here"]


def test_what_a_dead_process_of_this_machine_held_is_taken_at_once(shared, monkeypatch):
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1000.0)
    monkeypatch.setattr(leases.Lease, "give_back", lambda _: None)  # killed before
    for _ in range(2):
        with dataset_lock(shared, "acme", wait_seconds=0):
            pass


def test_without_its_database_nobody_begins(shared, monkeypatch):
    monkeypatch.setenv("MMM_LEASES", "sqlite:////nowhere/at/all/leases.db")
    with (
        pytest.raises(ResourceUnavailableError, match="MMM_LEASES names does not answer"),
        writing(shared, "acme"),
    ):
        pass


def test_a_throw_away_home_shares_nothing(shared):
    with trial_home("acme") as trial, dataset_lock(shared, "acme", wait_seconds=0):
        assert (trial.leases, trial.locks.is_relative_to(trial.root)) == (None, True)
        start_run(trial, "acme-1", "acme")
    assert shared.leases is not None
