"""Read-only access to runs for the command line; plain functions, so that it answers at once."""

from pathlib import Path

from schemas.answers.pruning import ItemKind
from schemas.answers.runs import (
    ExportedRun,
    GateResult,
    ListedRun,
    RunDetail,
    RunFigures,
    RunList,
    RunSummary,
    SamplingFigures,
)
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import ChannelReturns, FitMetrics, RoiMetrics
from schemas.documents.results import ENDED, RunRecord, RunStatus
from schemas.errors import SpecError, UnknownRunError
from schemas.names import Artifact
from schemas.spec.portfolio import PortfolioSpec
from schemas.spec.run_spec import RunSpec
from tasks.query import export
from tasks.query.documents import find_document
from tasks.store.home import Home, current_home
from tasks.store.inputs.allowed_files import allow_folder, require_allowed
from tasks.store.inputs.portfolio_file import read_portfolio
from tasks.store.inputs.spec_file import data_path, read_run_spec
from tasks.store.locks import is_dataset_locked
from tasks.store.runs.champions import find_champion
from tasks.store.runs.digests import require_unchanged
from tasks.store.warehouse.forecasts import datasets_with_forecasts
from tasks.store.warehouse.gates import read_first_reasons, read_gate_results
from tasks.store.warehouse.prunings import find_pruning, list_prunings, require_files
from tasks.store.warehouse.runs import datasets_with_runs, list_runs, read_roas, read_run

FORMATS = ("csv", "json", "html")


def load_spec(path: Path) -> RunSpec:
    """Read a run spec file (JSON or YAML)."""
    return read_run_spec(path)


def load_portfolio(path: Path) -> PortfolioSpec:
    """Read a portfolio file that somebody named on their own command line.

    What lies beside it may be read from then on, as what lies beside a run spec.
    """
    spec = read_portfolio(path)
    allow_folder(path.resolve().parent)
    return spec


def allowed_file(path: Path, *, named_by: str) -> Path:
    """Return a file that a form names, or refuse to open it."""
    return require_allowed(path, named_by=named_by)


def allow_named(path: Path) -> str:
    """Return a file that somebody named on their own command line; its folder may be read."""
    allow_folder(path.resolve().parent)
    return str(path.resolve())


def locate_data(spec: RunSpec, *, spec_path: Path | None, override: Path | None) -> Path | None:
    """Return the input file a spec or the command line names, as an absolute path."""
    return data_path(spec, spec_path=spec_path, override=override)


def all_runs(dataset_id: str | None = None) -> list[RunRecord]:
    """Return runs, newest first."""
    return list_runs(current_home(), dataset_id)


def list_all_runs(dataset_id: str | None = None) -> RunList:
    """Return runs, newest first, each with what became of it beside its record."""
    rows = list_prunings(current_home(), dataset_id)
    removed = {r.item_id: f"{r.decided_at:%Y-%m-%d}" for r in rows if r.kind is ItemKind.RUN}
    reasons = read_first_reasons(current_home(), dataset_id)
    records = all_runs(dataset_id)
    idle = {
        name: not is_dataset_locked(current_home(), name)
        for name in {r.dataset_id for r in records if r.status not in ENDED}
    }
    return RunList(
        runs=[
            ListedRun(
                **record.model_dump(),
                files_removed_on=removed.get(record.run_id),
                verdict_reason=reasons.get(record.run_id),
                is_interrupted=record.status not in ENDED and idle[record.dataset_id],
            )
            for record in records
        ]
    )


def summarize_run(run_id: str) -> RunSummary:
    """Return all that is known of one run: record, verdict, returns, fit, gates, files.

    Files that a failed run never wrote read as empty. Those that the retention policy removed are
    reported in ``pruned``; what they published is read from the warehouse.

    Parameters
    ----------
    run_id
        The run.

    Raises
    ------
    UnknownRunError
        Naming the nearest run id.
    CorruptArtifactError
        If a file of the run is not whole.
    """
    folder = current_home().run_dir(run_id)
    return RunSummary(
        **dict(describe_run(run_id)),
        artifacts_dir=str(folder),
        artifacts=sorted(p.name for p in folder.glob("*") if not p.name.startswith(".")),
    )


def describe_run(run_id: str) -> RunDetail:
    """Return what is known of one run, but for where its files are; as ``summarize_run``."""
    home = current_home()
    record = read_run(home, run_id)
    folder = home.run_dir(run_id)
    diagnostics = find_document(folder, Artifact.DIAGNOSTICS, Diagnostics)
    figures = read_figures(run_id)
    return RunDetail(
        **record.model_dump(),
        pruned=find_pruning(home, run_id),
        reasons=diagnostics.reasons if diagnostics else [],
        notes=diagnostics.notes if diagnostics else [],
        champion=_champion(home, record),
        roas=figures.roas or _published_returns(home, run_id),
        diagnostics=SamplingFigures.of(diagnostics) if diagnostics else None,
        fit=figures.fit,
        gates=[GateResult(**row) for row in read_gate_results(home, run_id)],
    )


def read_figures(run_id: str) -> RunFigures:
    """Return returns and fit metrics of a run; empty where the run did not write them."""
    folder = current_home().run_dir(run_id)
    returns = find_document(folder, Artifact.ROI_METRICS, RoiMetrics)
    return RunFigures(
        roas=returns.root if returns else {},
        fit=find_document(folder, Artifact.FIT_METRICS, FitMetrics),
    )


def export_run(
    run_id: str, *, file_format: str, out: Path, force: bool, keep_formulas: bool = False
) -> ExportedRun:
    """Write all tables of a run and their data dictionary into ``out``; ``html`` is its report.

    ``keep_formulas`` leaves text that a spreadsheet would run as it is.

    Raises
    ------
    UnknownRunError
        If the run does not exist, has no outputs, or has no report where that is asked for.
    PrunedFilesError
        If the retention policy has removed its files.
    SpecError
        If the format is unknown, ``out`` is a file, or a file exists and ``force`` is not set.
    CorruptArtifactError
        If a file of the run is missing, not whole, or was changed after it was published.
    """
    if file_format not in FORMATS:
        raise SpecError(f"--format: {file_format!r} is not one of {', '.join(FORMATS)}.")
    home = current_home()
    record = read_run(home, run_id)
    if record.status is not RunStatus.OUTPUTS_READY:
        why = f": {record.reason}" if record.reason else ""
        raise UnknownRunError(f"Run {run_id} has no outputs to export; it is {record.status}{why}")
    require_files(home, run_id)
    folder = home.run_dir(run_id)
    if file_format == "html":
        paths = export.copy_report(folder, run_id, out, force=force)
    else:
        require_unchanged(folder, Artifact)
        paths = export.write_tables(
            export.open_tables(folder), out, file_format, force=force, keep_formulas=keep_formulas
        )
    return ExportedRun(run_id=run_id, files=[str(path) for path in paths])


def dataset_of_run(run_id: str) -> str:
    """Return the dataset that a run belongs to."""
    return read_run(current_home(), run_id).dataset_id


def select_datasets(dataset_id: str | None, *, with_forecasts: bool = False) -> list[str]:
    """Return the datasets that something is to be done for: the one that is named, or all.

    Parameters
    ----------
    dataset_id
        A dataset; None means every dataset that has a run.
    with_forecasts
        Of all datasets, those alone that have a frozen forecast.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    home = current_home()
    if dataset_id is None:
        return datasets_with_forecasts(home) if with_forecasts else datasets_with_runs(home)
    list_runs(home, dataset_id)
    return [dataset_id]


def _published_returns(home: Home, run_id: str) -> dict[str, ChannelReturns]:
    """Return what the warehouse holds of a run's returns, by channel."""
    published = read_roas(home, run_id)
    return {name: ChannelReturns.model_validate(row) for name, row in published.items()}


def _champion(home: Home, record: RunRecord) -> str | None:
    """Return the champion of the run's dataset today, or None."""
    champion = find_champion(home, record.dataset_id)
    return None if champion is None else champion.name
