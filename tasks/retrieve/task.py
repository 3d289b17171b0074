"""Read-only access to runs for the command line; plain functions, so that it answers at once."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import CorruptArtifactError, SpecError, UnknownRunError
from schemas.names import Artifact
from schemas.results import RunRecord, RunStatus
from schemas.run_spec import RunSpec
from tasks.store.home import Home, current_home
from tasks.store.spec_file import data_path, read_run_spec
from tasks.store.warehouse_runs import list_runs, read_gate_results, read_run

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "json")
_SUMMARY_KEYS = (
    "r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences", "ebfmi_min", "max_tree_depth_share",
)  # fmt: skip


def load_spec(path: Path) -> RunSpec:
    """Read a run spec file (JSON or YAML)."""
    return read_run_spec(path)


def locate_data(spec: RunSpec, *, spec_path: Path | None, override: Path | None) -> Path | None:
    """Return the input file a spec or the command line names, as an absolute path."""
    return data_path(spec, spec_path=spec_path, override=override)


def all_runs(dataset_id: str | None = None) -> list[RunRecord]:
    """Return runs, newest first."""
    return list_runs(current_home(), dataset_id)


def summarize_run(run_id: str) -> dict[str, Any]:
    """Return all that is known of one run: record, verdict, returns, fit, gates, files.

    Files that a failed run never wrote read as empty.
    """
    home = current_home()
    record = read_run(home, run_id)
    folder = home.run_dir(run_id)
    diagnostics = _read_json(folder, Artifact.DIAGNOSTICS) or {}
    return {
        **record.model_dump(mode="json"),
        "reasons": diagnostics.get("reasons", []),
        "champion": _champion(home, record),
        "roas": _read_json(folder, Artifact.ROI_METRICS) or {},
        "diagnostics": {key: diagnostics.get(key) for key in _SUMMARY_KEYS} if diagnostics else {},
        "fit": _read_json(folder, Artifact.FIT_METRICS) or {},
        "gates": read_gate_results(home, run_id),
        "artifacts_dir": str(folder),
        "artifacts": sorted(p.name for p in folder.glob("*") if not p.name.startswith(".")),
    }


def read_summaries(run_id: str) -> dict[str, Any]:
    """Return returns and fit metrics of a run that has just ended, for its closing table."""
    folder = current_home().run_dir(run_id)
    return {
        "roas": _read_json(folder, Artifact.ROI_METRICS) or {},
        "fit": _read_json(folder, Artifact.FIT_METRICS) or {},
    }


def export_run(run_id: str, *, file_format: str, out: Path, force: bool) -> list[Path]:
    """Write all tables of a run and their data dictionary into ``out``.

    Returns
    -------
    list[Path]
        Files written.

    Raises
    ------
    UnknownRunError
        If the run does not exist or has no outputs.
    SpecError
        If the format is unknown, ``out`` is a file, or a file exists and ``force`` is not set.
    """
    if file_format not in FORMATS:
        raise SpecError(f"--format: {file_format!r} is not one of {', '.join(FORMATS)}.")
    home = current_home()
    record = read_run(home, run_id)
    if record.status is not RunStatus.OUTPUTS_READY:
        why = f": {record.reason}" if record.reason else ""
        raise UnknownRunError(f"Run {run_id} has no outputs to export; it is {record.status}{why}")
    tables = _open_tables(home.run_dir(run_id))
    paths = {name: out / f"{name}.{file_format}" for name in tables}
    if out.exists() and not out.is_dir():
        raise SpecError(f"--out: {out} is a file; name a folder.")
    present = sorted(p.name for p in paths.values() if p.exists())
    if present and not force:
        raise SpecError(
            f"--out: {out} already has {', '.join(present)}; name another folder, or add --force."
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, path in paths.items():
        _write_table(tables[name], path, file_format)
    return list(paths.values())


def _open_tables(folder: Path) -> "dict[str, pd.DataFrame]":
    import pandas as pd

    from tasks.retrieve.tables import RunDocuments, build_dictionary, build_tables

    _require_files(
        folder,
        (
            Artifact.RUN_SPEC, Artifact.CONTRIBUTIONS, Artifact.FITTED, Artifact.ROI_METRICS,
            Artifact.DIAGNOSTICS, Artifact.POSTERIOR_SUMMARY,
        ),
    )  # fmt: skip
    spec = RunSpec.model_validate(_read_json(folder, Artifact.RUN_SPEC))
    tables = build_tables(
        RunDocuments(
            spec=spec,
            contributions=pd.read_parquet(folder / Artifact.CONTRIBUTIONS),
            fitted=pd.read_parquet(folder / Artifact.FITTED),
            roi_metrics=_read_json(folder, Artifact.ROI_METRICS),
            diagnostics=_read_json(folder, Artifact.DIAGNOSTICS),
            posterior_summary=_read_json(folder, Artifact.POSTERIOR_SUMMARY),
        )
    )
    return {**tables, "data_dictionary": build_dictionary(tables, spec)}


def _write_table(frame: "pd.DataFrame", path: Path, file_format: str) -> None:
    frame = frame.assign(
        **{str(c): frame[c].dt.strftime("%Y-%m-%d") for c in frame.select_dtypes("datetime")}
    )
    partial = path.with_name(f".{path.name}.partial")
    if file_format == "csv":
        frame.to_csv(partial, index=False)
    else:
        rows = [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]
        text = json.dumps(rows, indent=1, allow_nan=False, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what is not a finite number is null."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _require_files(folder: Path, names: Iterable[Artifact]) -> None:
    absent = [name.value for name in names if not (folder / name).is_file()]
    if absent:
        raise CorruptArtifactError(
            f"{folder} has no {', '.join(absent)}; restore it or run the refit again."
        )


def _read_json(folder: Path, name: Artifact) -> Any:
    path = folder / name
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptArtifactError(
            f"{path} is not whole; restore it or run the refit again."
        ) from error


def _champion(home: Home, record: RunRecord) -> str | None:
    """Return the champion of the run's dataset today, or None."""
    if not (home.mlruns / "mlflow.db").exists() and home.tracking_uri.startswith("sqlite:///"):
        return None
    from tasks.store import tracking

    version = tracking.version_with_alias(tracking.open_store(home), record.dataset_id, "champion")
    return f"{record.dataset_id}@{version}" if version is not None else None
