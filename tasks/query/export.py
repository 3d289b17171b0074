"""Files of an export: what a run left behind, as tables for a spreadsheet or as its report."""

import json
import math
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import ResponseCurves, RoiMetrics
from schemas.documents.fit import PosteriorSummary
from schemas.documents.plan import Plan
from schemas.errors import CorruptArtifactError, SpecError, UnknownRunError
from schemas.names import Artifact
from schemas.spec.run_spec import RunSpec
from tasks.query.documents import find_document
from tasks.store.files.artifacts import parse_document
from tasks.store.storage import writing_to

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = (
    Artifact.RUN_SPEC, Artifact.CONTRIBUTIONS, Artifact.FITTED, Artifact.ROI_METRICS,
    Artifact.DIAGNOSTICS, Artifact.POSTERIOR_SUMMARY,
)  # fmt: skip

_FORMULA_SIGNS = tuple("=+-@\t\r\n\0")


def open_tables(folder: Path) -> "dict[str, pd.DataFrame]":
    """Return all tables of a run by file stem, the data dictionary last.

    Raises
    ------
    CorruptArtifactError
        If a file that every run has is missing, or one is not whole.
    """
    import pandas as pd

    from tasks.query.dictionary import build_dictionary
    from tasks.query.tables import RunDocuments, build_tables

    absent = [name.value for name in _NEEDED if not (folder / name).is_file()]
    if absent:
        raise CorruptArtifactError(
            f"{folder} has no {', '.join(absent)}; restore it or run the refit again."
        )

    def frame(name: Artifact) -> "pd.DataFrame | None":
        return pd.read_parquet(folder / name) if (folder / name).is_file() else None

    spec = parse_document(folder / Artifact.RUN_SPEC, RunSpec)
    tables = build_tables(
        RunDocuments(
            spec=spec,
            contributions=pd.read_parquet(folder / Artifact.CONTRIBUTIONS),
            fitted=pd.read_parquet(folder / Artifact.FITTED),
            roi_metrics=parse_document(folder / Artifact.ROI_METRICS, RoiMetrics),
            diagnostics=parse_document(folder / Artifact.DIAGNOSTICS, Diagnostics),
            posterior_summary=parse_document(folder / Artifact.POSTERIOR_SUMMARY, PosteriorSummary),
            response_curves=find_document(folder, Artifact.RESPONSE_CURVES, ResponseCurves),
            roas_by_entity=frame(Artifact.ROAS_BY_ENTITY),
            forecast=frame(Artifact.FORECAST),
            forecast_actuals=frame(Artifact.FORECAST_ACTUALS),
            plan=find_document(folder, Artifact.PLAN, Plan),
        )
    )
    return {**tables, "data_dictionary": build_dictionary(tables, spec)}


def write_tables(
    tables: "Mapping[str, pd.DataFrame]",
    out: Path,
    file_format: str,
    *,
    force: bool,
    keep_formulas: bool = False,
) -> list[Path]:
    """Write tables as ``csv`` or ``json`` into ``out``, and return the files.

    ``keep_formulas`` leaves text as it is in ``csv``, as ``encode_table`` says.
    """
    paths = {name: out / f"{name}.{file_format}" for name in tables}
    _require_free(out, list(paths.values()), force=force)
    for name, path in paths.items():
        table = encode_table(tables[name], file_format, keep_formulas=keep_formulas)
        _write_whole(path, partial(Path.write_bytes, data=table))
    return list(paths.values())


def copy_report(folder: Path, run_id: str, out: Path, *, force: bool) -> list[Path]:
    """Copy the report of a run into ``out``, and return the file.

    Raises
    ------
    UnknownRunError
        If the run has no report.
    """
    report = folder / Artifact.REPORT
    if not report.is_file():
        raise UnknownRunError(
            f"Run {run_id} has no {Artifact.REPORT}: it was made before reports were. "
            "`mmm runs` lists others; a new refit writes one."
        )
    path = out / Artifact.REPORT
    _require_free(out, [path], force=force)
    _write_whole(path, lambda beside: shutil.copyfile(report, beside))
    return [path]


def write_page(path: Path, html: str, *, force: bool) -> None:
    """Write one page.

    Raises
    ------
    SpecError
        If the file exists and ``force`` is not set, or it is a link or a folder, or its folder is
        none.
    """
    if path.is_dir():
        raise SpecError(f"--html: {path} is a folder; name a file in it.")
    if path.parent.exists() and not path.parent.is_dir():
        raise SpecError(f"--html: {path.parent} is a file; name a folder.")
    if path.is_symlink():
        raise SpecError(f"--html: {path} is a link; name the file it leads to.")
    if path.exists() and not force:
        raise SpecError(f"--html: {path} exists; name another file, or add --force.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(path, lambda beside: beside.write_text(html, encoding="utf-8"))


def _require_free(out: Path, paths: Sequence[Path], *, force: bool) -> None:
    """Make the folder ``out``; raise if it is a file, or has one of ``paths`` unasked."""
    links = [path for path in (out, *paths) if path.is_symlink()]
    if links:
        raise SpecError(f"--out: {links[0]} is a link; name the folder it leads to.")
    if out.exists() and not out.is_dir():
        raise SpecError(f"--out: {out} is a file; name a folder.")
    present = sorted(p.name for p in paths if p.exists())
    if present and not force:
        raise SpecError(
            f"--out: {out} already has {', '.join(present)}; name another folder, or add --force."
        )
    with writing_to(out):
        out.mkdir(parents=True, exist_ok=True)


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    with writing_to(path):
        try:
            write(beside)
            beside.chmod(0o644)  # an export is there to be given away
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def encode_table(frame: "pd.DataFrame", file_format: str, *, keep_formulas: bool = False) -> bytes:
    """Return a table as ``csv`` or ``json``, for a spreadsheet or a program.

    Parameters
    ----------
    frame
        Any columns; dates are written as ISO days.
    file_format
        ``csv`` (text that begins like a formula gets a quote before it) or ``json`` (one object
        per row).
    keep_formulas
        Leave such text as it is, for a program; a spreadsheet would run it.
    """
    frame = frame.assign(
        **{str(c): frame[c].dt.strftime("%Y-%m-%d") for c in frame.select_dtypes("datetime")}
    )
    if file_format == "csv":
        shown = frame if keep_formulas else _without_formulas(frame)
        return str(shown.to_csv(index=False)).encode()
    rows = [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]
    return (json.dumps(rows, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _without_formulas(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Put a quote before each text that a spreadsheet would run as a formula."""

    def quoted(cell: Any) -> Any:
        return f"'{cell}" if isinstance(cell, str) and cell[:1] in _FORMULA_SIGNS else cell

    texts = [column for column in frame if frame[column].dtype.kind not in "iufbM"]
    return frame.assign(**{str(column): frame[column].map(quoted) for column in texts})


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what is not a finite number is null."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
