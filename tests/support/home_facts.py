"""What a home holds, reported without names and moments that differ from refit to refit."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from schemas.names import Artifact
from tasks.store.home import Home
from tasks.store.tracking import experiments
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.runs import list_runs

_MOMENTS = (
    "created_at", "updated_at", "decided_at", "received_at", "seconds", "wall_seconds",
    "key",  # of an explanation: a hash of two run ids, among others
)  # fmt: skip
_VERSIONS = ("model_version", "version", "from_version")
"""MLflow gives no number twice: what follows a deleted version is named by its place."""
_UNEQUAL = {Artifact.REPORT, Artifact.RUN_STATUS, Artifact.DIGESTS}
"""Files that name moments and runs, or hash others that do; that they are there is compared."""


def facts_of(home: Home, dataset_id: str) -> dict[str, Any]:
    """Tables with digests of their rows, files of the newest run, and what MLflow holds."""
    runs = sorted(list_runs(home, dataset_id), key=lambda run: run.created_at)
    names = {str(home.root): "<home>"}
    names |= {run.run_id: f"<run {place}>" for place, run in enumerate(runs, 1)}
    names |= {
        run.mlflow_run_id: f"<mlflow {place}>"
        for place, run in enumerate(runs, 1)
        if run.mlflow_run_id
    }
    return {
        "tables": _tables(home, dataset_id, names),
        "files": _files(home.run_dir(runs[-1].run_id), names) if runs else {},
        "mlflow": _mlflow(home, dataset_id),
    }


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Name everything in which a home differs from the one where nothing happened."""
    reported = []
    for part in wanted:
        names = sorted({*found[part], *wanted[part]})
        reported += [
            f"{name}: {found[part].get(name)} instead of {wanted[part].get(name)}"
            for name in names
            if found[part].get(name) != wanted[part].get(name)
        ]
    return reported


def _tables(home: Home, dataset_id: str, names: Mapping[str, str]) -> dict[str, list[Any]]:
    """Number of rows of every table, and a digest of what they say."""
    found = {}
    place = _places_of_versions(home)
    with reading(home, dataset_id) as con:
        tables = con.execute(
            "select table_schema, table_name from information_schema.tables order by all"
        ).fetchall()
        for schema, table in tables:
            frame = con.execute(f"select * from {schema}.{table}").df()
            frame = frame.drop(columns=[c for c in frame if c in _MOMENTS])
            for name in frame.columns.intersection(_VERSIONS):
                frame[name] = [place.get(value, value) for value in frame[name]]
            rows = sorted(
                json.dumps([_reported(value, names) for value in row], default=str)
                for row in frame.itertuples(index=False)
            )
            found[f"{schema}.{table}"] = [len(rows), _digest("\n".join(rows))]
    return found


def _files(folder: Path, names: Mapping[str, str]) -> dict[str, str]:
    return {
        path.name: "there" if path.name in _UNEQUAL else _digest(_content(path, names))
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
    }


def _content(path: Path, names: Mapping[str, str]) -> str:
    if path.suffix == ".json":
        return json.dumps(_reported(json.loads(path.read_text()), names), sort_keys=True)
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        return str(
            [_reported(value, names) for row in frame.itertuples(index=False) for value in row]
        )
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return "\n".join(
            f"{node.path} {name} {hashlib.sha256(variable.values.tobytes()).hexdigest()}"
            for node in tree.subtree
            for name, variable in sorted(node.data_vars.items())
            if variable.dtype.kind in "fiub"
        )


def _reported(value: Any, names: Mapping[str, str]) -> Any:
    """Replace names of runs and leave out moments, inside JSON kept as text too."""
    if isinstance(value, dict):
        return {k: _reported(v, names) for k, v in value.items() if k not in _MOMENTS}
    if isinstance(value, list):
        return [_reported(item, names) for item in value]
    if not isinstance(value, str):
        return value
    if re.match(r"\s*[{\[]", value):
        try:
            return _reported(json.loads(value), names)
        except ValueError:
            pass
    for name, reported in names.items():
        value = value.replace(name, reported)
    return value


def _mlflow(home: Home, dataset_id: str) -> dict[str, Any]:
    """How many runs, logged models and versions there are, and whom the aliases name."""
    client = experiments.open_store(home)
    experiment = client.get_experiment_by_name(dataset_id)
    if experiment is None:
        return {}
    runs = client.search_runs([experiment.experiment_id])
    versions = client.search_model_versions(f"name = '{dataset_id}'")
    place = _places_of_versions(home)
    aliases = client.get_registered_model(dataset_id).aliases if versions else {}
    return {
        "runs": sorted(run.info.status for run in runs),
        "logged models": len(client.search_logged_models([experiment.experiment_id])),
        "versions": len(versions),
        "aliases": {alias: place[int(v)] for alias, v in sorted(aliases.items())},
    }


def _places_of_versions(home: Home) -> dict[int, int]:
    """Report each version of the home's models as the first, second, ... of its model."""
    numbers: dict[str, list[int]] = {}
    for version in experiments.open_store(home).search_model_versions():
        numbers.setdefault(version.name, []).append(int(version.version))
    return {n: place for found in numbers.values() for place, n in enumerate(sorted(found), 1)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
