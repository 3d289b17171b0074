"""Fixtures of all tests. The environment is set here, before any test imports Prefect or MLflow."""

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.mlflow_tables import share_tables

# What is imported and collected stays: the garbage collector need not look at it again and again,
# which was a quarter of the time that collecting took.
gc.disable()

CHECKOUT = Path(__file__).resolve().parents[1]
SESSION_HOME = Path(tempfile.mkdtemp(prefix="mmm-tests-"))
atexit.register(shutil.rmtree, SESSION_HOME, ignore_errors=True)

# Workers share the processors already: where one solves a system of a dozen equations on all of
# them, threads wait for each other for as long again as they compute.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Files of a test need not outlive a power cut; programs that tests start still wait for the disk.
os.fsync = lambda _descriptor: None

# A developer's own servers are never written to by a test.
for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_HOME"):
    os.environ.pop(name, None)
os.environ["MMM_HOME"] = str(SESSION_HOME)

# How long an example takes says something about the machine, and nothing about the code. All
# examples of a law are tried by `make test-all`, a quarter of them by everything else.
ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", ANY_MACHINE)
settings.register_profile("quick", ANY_MACHINE, max_examples=25)
settings.load_profile("quick")

# Parallel workers must not wait for each other's compilation lock; kept between sessions for speed.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
STARTS_AT_THE_END = WORKER[2:].isdigit() and int(WORKER[2:]) % 2 == 1
os.environ["PYTENSOR_FLAGS"] = ",".join(
    [
        *filter(None, [os.environ.get("PYTENSOR_FLAGS")]),
        f"base_compiledir={CHECKOUT / '.pytest_cache' / 'pytensor' / WORKER}",
    ]
)

from support.suite_results import share_results  # noqa: E402 - likewise

from flows.engines import stacks_without_source  # noqa: E402 - likewise
from tasks.store.home import Home, configure_environment  # noqa: E402 - after the environment

configure_environment()


SHARE_A_REAL_SERVER = {"test_deployments.py", "test_scheduler.py"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a file on one worker, so that what its tests share is made once; likewise Prefect.

    A server takes a dozen seconds to start. Of the fast tests those that need the test server are
    one unit of work; the long suites are worth a second server, so that no worker waits for them.
    Flows come first: what is left then fills the other workers.
    """
    from xdist.scheduler.loadscope import LoadScopeScheduling

    gc.enable()  # This process hands out what the workers collect.

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if Path(file).name in SHARE_A_REAL_SERVER:
                return "a real server"
            if config.option.markexpr == "not slow" and needs_test_server(config.rootpath / file):
                return "the test server"
            return file

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Import what is collected as a flow imports its engines."""
    with stacks_without_source():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Let every second worker collect from the end: each finds half of the modules compiled.

    All workers collect all tests. Side by side they would compile each module at the same moment.
    """
    report = yield
    if STARTS_AT_THE_END and isinstance(collector, pytest.Directory):
        report.result.reverse()
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the files of tests one order in all workers, whichever of them were collected first."""
    if WORKER != "main":
        items.sort(key=lambda item: item.path)


def pytest_collection_finish() -> None:
    gc.enable()
    gc.freeze()


@cache
def needs_test_server(file: Path) -> bool:
    """Say whether a test or a fixture of a file asks for ``prefect_env``."""
    return "prefect_env" in file.read_text(encoding="utf-8")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no file without a long suite where these alone are asked for."""
    if config.option.markexpr != "slow" or not collection_path.name.startswith("test_"):
        return None
    is_file = collection_path.suffix == ".py"
    return (is_file and "mark.slow" not in collection_path.read_text(encoding="utf-8")) or None


@pytest.fixture(scope="session", autouse=True)
def mlflow_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the tables of MLflow once for all workers; each store of a test begins with a copy."""
    with pytest.MonkeyPatch.context() as patch:
        share_tables(_shared(tmp_path_factory) / "mlflow-tables.db", patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def suite_results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Judge the same rows once for all workers."""
    with pytest.MonkeyPatch.context() as patch:
        share_results(_shared(tmp_path_factory) / "suite-results", patch)
        yield


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the workers of a session have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder if WORKER == "main" else folder.parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home of its own for one test."""
    monkeypatch.setenv("MMM_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Home(tmp_path.resolve())


@pytest.fixture(scope="session")
def prefect_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect test server for the session, with results in a folder of its own.

    Without the heartbeat setting each flow call waits a second for its heartbeat thread; without
    the storage setting cached results leak from one test session into the next.
    """
    from prefect.settings import (
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOCAL_STORAGE_PATH,
        PREFECT_RESULTS_LOCAL_STORAGE_PATH,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    storage = str(tmp_path_factory.mktemp("results"))
    settings = {
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_LOCAL_STORAGE_PATH: storage,
        PREFECT_RESULTS_LOCAL_STORAGE_PATH: storage,
    }
    with prefect_test_harness(server_startup_timeout=120), temporary_settings(settings):
        yield
