"""Whether everything a home holds agrees: tables, files, MLflow, and what is left lying about."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import mlflow

from schemas.names import Alias, Artifact
from tasks.store.files.artifacts import sha256_of
from tasks.store.home import Home
from tasks.store.runs.champions import find_champion
from tasks.store.tracking import aliases, experiments
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.places import datasets
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.runs import list_runs

READY = "OUTPUTS_READY"


def assert_consistent(home: Home) -> None:
    """Fail with everything in a home that contradicts something else in it."""
    faults = list(faults_of(home))
    assert not faults, "\n".join(faults)


def faults_of(home: Home) -> Iterator[str]:
    """Every contradiction, as a sentence; holds after a refit that ended, well or not."""
    yield from _half_written(home)
    yield from _folders(home)
    for dataset_id in datasets(home):
        with reading(home, dataset_id) as con:
            yield from _runs(con, home)
            yield from _marts(con)
            yield from _batches(con, home)
    if not (home.mlruns / "mlflow.db").exists():
        return
    client = experiments.open_store(home)
    for dataset_id in sorted({run.dataset_id for run in list_runs(home)}):
        yield from _tracked(home, client, dataset_id)
        yield from _champion(home, client, dataset_id)
        yield from _decisions(home, dataset_id)


def _half_written(home: Home) -> Iterator[str]:
    for path in sorted((home.root / "data").rglob("*.partial*")):
        yield f"{home.relative(path)} is half written"


def _folders(home: Home) -> Iterator[str]:
    folders = {path.name for path in home.runs.glob("*")}
    known = {run.run_id for run in list_runs(home)}
    yield from (f"folder of {run_id}, which ops.runs lacks" for run_id in folders - known)


def _runs(con: duckdb.DuckDBPyConnection, home: Home) -> Iterator[str]:
    known = dict(con.execute("select run_id, status from ops.runs").fetchall())
    for run_id, status in known.items():
        path = home.run_dir(run_id) / Artifact.RUN_STATUS
        reported = json.loads(path.read_text())["status"] if path.is_file() else None
        if reported != status:
            yield f"{run_id} is {status} in ops.runs and {reported} in {Artifact.RUN_STATUS}"
        if status == READY:
            yield from _changed_files(home, run_id)


def _changed_files(home: Home, run_id: str) -> Iterator[str]:
    folder = home.run_dir(run_id)
    known = json.loads((folder / Artifact.DIGESTS).read_text())
    for name, digest in known.items():
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            yield f"{name} of {run_id} is not what was published"


def _marts(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    tables = con.execute(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema = 'mart' and column_name in ('run_id', 'forecast_run_id')"
    ).fetchall()
    refit_plans = "(select scenario_id from mart.scenarios where made_by = 'refit')"
    owned = [
        *((table, column, "true") for table, column in tables),
        ("mart.scenarios", "scenario_id", "made_by = 'refit'"),
        ("mart.plans", "scenario_id", f"scenario_id in {refit_plans}"),
    ]
    for table, column, which in owned:
        rows = con.execute(
            f"select {column}, count(*) from {table} where {which} and {column} not in "
            f"(select run_id from ops.runs where status = '{READY}') group by all"
        ).fetchall()
        yield from (f"{table} has {n} rows of {run_id}, which is not {READY}" for run_id, n in rows)


def _batches(con: duckdb.DuckDBPyConnection, home: Home) -> Iterator[str]:
    accepted = "(select dataset_id, batch_id from ops.batches where status = 'ACCEPTED')"
    for table in ("ops.snapshots", "canonical.kpi", "canonical.media", "canonical.controls"):
        (lost,) = con.execute(
            f"select count(*) from {table} where batch_id is not null "
            f"and (dataset_id, batch_id) not in {accepted}"
        ).fetchone()
        if lost:
            yield f"{table} has {lost} rows of a batch that was never accepted"
    for (path,) in con.execute("select landing_path from ops.batches").fetchall():
        if not (home.root / path).is_file():
            yield f"{path} of a known batch is missing"


def _tracked(home: Home, client: mlflow.MlflowClient, dataset_id: str) -> Iterator[str]:
    """Each run that is ready has one MLflow run; no run has two versions, no try is left open."""
    experiment = client.get_experiment_by_name(dataset_id)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    of_refits = [run for run in runs if experiments.RUN_TAG in run.data.tags]
    yield from (
        f"MLflow run {run.info.run_id} is still RUNNING"
        for run in of_refits
        if run.info.status == "RUNNING"
    )
    finished = Counter(
        run.data.tags[experiments.RUN_TAG] for run in of_refits if run.info.status == "FINISHED"
    )
    ready = {r.run_id for r in list_runs(home, dataset_id) if r.status == READY}
    yield from (f"{run} has {finished[run]} MLflow runs" for run in ready if finished[run] != 1)
    versions = client.search_model_versions(f"name = '{dataset_id}'")
    made = Counter(version.tags.get(experiments.RUN_TAG) for version in versions)
    yield from (f"{run} has {n} model versions" for run, n in made.items() if n > 1 or run is None)


def _champion(home: Home, client: mlflow.MlflowClient, dataset_id: str) -> Iterator[str]:
    """The champion was published, is what was decided last, and its files are those in MLflow."""
    champion = find_champion(home, dataset_id)
    held = aliases.version_with_alias(client, dataset_id, Alias.CHAMPION)
    history = list_promotions(home, dataset_id)
    decided = history[-1].version if history else None
    if held != decided or (champion.version if champion else None) != decided:
        yield f"{dataset_id}: alias on {held}, find_champion says {champion}, decided {decided}"
    if champion is None:
        return
    version = client.get_model_version(dataset_id, str(champion.version))
    logged = Path(client.download_artifacts(version.run_id, "run"))
    for path in sorted(logged.iterdir()):
        ours = home.run_dir(champion.run_id) / path.name
        changes = path.name == Artifact.RUN_STATUS
        if not ours.is_file() or (not changes and sha256_of(ours) != sha256_of(path)):
            yield f"{path.name} of champion {champion.run_id} is not what MLflow has"


def _decisions(home: Home, dataset_id: str) -> Iterator[str]:
    """Each decision begins where the one before ended, and no refit has decided twice."""
    before = None
    history = list_promotions(home, dataset_id)
    for row in history:
        if row.from_version != before:
            yield f"{row.run_id} decided from version {row.from_version}, not from {before}"
        before = row.version
    by_refits = Counter(row.run_id for row in history if row.made_by.value == "refit")
    yield from (f"{run} has decided {n} times" for run, n in by_refits.items() if n > 1)
