"""MLflow and the Prefect server on a real PostgreSQL: one refit leaves its traces in both."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from support import postgres
from support.brief import BRIEF_SAMPLER, LENIENT_GATES

from flows.services import servers
from tasks.store.home import Home

pytestmark = [
    pytest.mark.orchestration,
    pytest.mark.slow,
    pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not() or ""),
]

CHECKOUT = Path(__file__).resolve().parents[2]
SPEC: dict[str, Any] = {
    "dataset_id": "acme",
    "data": "panel.csv",
    "sampler": BRIEF_SAMPLER,
    "gates": LENIENT_GATES,
}  # fmt: skip


class Site(NamedTuple):
    cluster: postgres.Cluster
    home: Home
    report: dict[str, Any]
    mlflow: str


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A refit by the command line, with Prefect's server and MLflow's on one cluster."""
    root = tmp_path_factory.mktemp("site")
    panel = pd.read_csv(CHECKOUT / "data" / "demo" / "panel.csv", dtype=str).iloc[-104:]
    panel.to_csv(root / "panel.csv", index=False)
    (root / "spec.json").write_text(json.dumps(SPEC))
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("MMM_HOME", str(root / "home"))
        cluster = stack.enter_context(postgres.running_cluster())
        for database in ("mlflow", "prefect"):
            cluster.create(database)
        prefect_port, mlflow_port = servers.free_port(), servers.free_port()
        prefect = servers.start_service(
            "Prefect server", servers.prefect_command(prefect_port), port=prefect_port,
            health_path="/api/health",
            env={
                **servers.prefect_locks(prefect_port),
                "PREFECT_API_DATABASE_CONNECTION_URL": cluster.address(
                    "prefect", driver="asyncpg"
                ),
            },
        )  # fmt: skip
        stack.callback(prefect.close)
        mlflow = servers.start_service(
            "MLflow", [
                sys.executable, "-m", "mlflow", "server", "--workers", "1",
                "--host", servers.HOST, "--port", str(mlflow_port),
                "--backend-store-uri", cluster.address("mlflow", driver="psycopg"),
                "--artifacts-destination", str(root / "artifacts"),
            ], port=mlflow_port, health_path="/health",
        )  # fmt: skip
        stack.callback(mlflow.close)
        servers.require_healthy(prefect, seconds=240)
        servers.require_healthy(mlflow, seconds=240)
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli.app", "refit", "--spec", str(root / "spec.json"),
             "--json"],
            env={
                **os.environ,
                "PYTHONPATH": str(CHECKOUT),
                "PREFECT_API_URL": f"{prefect.address}/api",
                "MLFLOW_TRACKING_URI": mlflow.address,
                "NO_PROXY": servers.HOST,
            },
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        report = json.loads(done.stdout.splitlines()[-1])
        yield Site(cluster, Home(root / "home"), report, mlflow.address)


def test_the_run_its_version_and_the_champion_are_in_mlflows_tables(site):
    (row,) = site.cluster.query(
        "mlflow", f"select status from runs where run_uuid = '{site.report['mlflow_run_id']}'"
    )
    assert row == ("FINISHED",)
    aliases = site.cluster.query("mlflow", "select name, alias from registered_model_aliases")
    assert ("acme", "champion") in aliases


def test_the_flow_run_and_its_tasks_are_in_prefects_tables(site):
    runs = site.cluster.query("prefect", "select name, state_type from flow_run")
    assert runs == [("refit-acme", "COMPLETED")]
    ((n_tasks,),) = site.cluster.query(
        "prefect", "select count(*) from task_run where state_type = 'COMPLETED'"
    )
    assert n_tasks > 15


def test_artifacts_came_over_http_and_no_local_store_was_made(site):
    assert not (site.home.mlruns / "mlflow.db").exists()
    assert not (site.home.root / ".prefect" / "prefect.db").exists()
    assert site.report["champion"] == "acme@1"
