"""A lock is of what it locks: no name of a dataset is that of another lock."""

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import SpecError
from tasks.store.locks import dataset_lock, first_opens, is_dataset_locked
from tasks.store.runs.portfolios import portfolio_lock
from tasks.store.warehouse.connection import writing

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("mlflow", "prefect", "portfolios", "warehouse", "datasets", "Mlflow", "mlflow.lock")
OTHER = """
import sys
from tasks.store.home import current_home
from tasks.store.locks import first_opens
with first_opens(current_home(), wait_seconds=5):
    print("opened")
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_of_any_name_can_be_refitted_while_everything_else_is_locked(home, name):
    home.locks.mkdir(parents=True)
    with (
        first_opens(home, wait_seconds=0),
        portfolio_lock(home, name),
        writing(home, name, wait_seconds=0),
        dataset_lock(home, name, wait_seconds=0),
    ):
        assert is_dataset_locked(home, name)
    assert not is_dataset_locked(home, name)


def test_the_store_of_mlflow_opens_in_another_process_while_dataset_mlflow_is_refitted(home):
    with dataset_lock(home, "mlflow", wait_seconds=0):
        done = subprocess.run(
            [sys.executable, "-c", OTHER], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert done.stdout == "opened\n", done.stderr


def test_names_that_differ_by_case_alone_are_two_locks(home):
    with dataset_lock(home, "Acme", wait_seconds=0), dataset_lock(home, "acme", wait_seconds=0):
        names = {path.name for path in (home.locks / "datasets").glob("*.lock")}
    assert len({name.lower() for name in names}) == 2


def test_no_name_leads_out_of_the_folder_of_locks(home):
    with dataset_lock(home, "../../x", wait_seconds=0):
        assert [p.parent.name for p in home.root.rglob("*.lock")] == ["datasets"]
    with (
        pytest.raises(SpecError, match="cannot name a dataset"),
        dataset_lock(home, "", wait_seconds=0),
    ):
        pass
