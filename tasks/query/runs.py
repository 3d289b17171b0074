"""Read-only access to runs for the command line; plain functions, so that it answers at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from schemas.answers.pruning import ItemKind
from schemas.answers.scenarios import Scenario
from schemas.documents.plan import Plan, PlanRequest
from schemas.documents.results import RunRecord, RunStatus
from schemas.errors import SpecError, UnknownRunError
from schemas.names import Artifact
from schemas.spec.errors import parse_model
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.run_spec import RunSpec
from tasks.query import export
from tasks.query.documents import read_document
from tasks.store.home import Home, current_home
from tasks.store.inputs.allowed_files import require_allowed
from tasks.store.inputs.plan_files import read_bounds, read_changes, read_plan_file
from tasks.store.inputs.spec_file import data_path, read_run_spec
from tasks.store.runs.champions import find_champion
from tasks.store.runs.digests import require_unchanged
from tasks.store.runs.plan_sources import find_planned_run, read_run_spec_of
from tasks.store.runs.retention_facts import list_datasets
from tasks.store.warehouse.forecasts import datasets_with_forecasts
from tasks.store.warehouse.gates import read_gate_results
from tasks.store.warehouse.plans import find_scenario, list_scenarios, read_plan
from tasks.store.warehouse.prunings import find_pruning, list_prunings, require_files
from tasks.store.warehouse.runs import list_runs, read_roas, read_run

FORMATS = ("csv", "json", "html")
_SUMMARY_KEYS = (
    "r_hat_max", "ess_bulk_min", "ess_tail_min", "divergences", "ebfmi_min", "max_tree_depth_share",
)  # fmt: skip


def load_spec(path: Path) -> RunSpec:
    """Read a run spec file (JSON or YAML)."""
    return read_run_spec(path)


def allowed_file(path: Path, *, named_by: str) -> Path:
    """Return a file that a form names, or refuse to open it."""
    return require_allowed(path, named_by=named_by)


def locate_data(spec: RunSpec, *, spec_path: Path | None, override: Path | None) -> Path | None:
    """Return the input file a spec or the command line names, as an absolute path."""
    return data_path(spec, spec_path=spec_path, override=override)


def all_runs(dataset_id: str | None = None) -> list[RunRecord]:
    """Return runs, newest first."""
    return list_runs(current_home(), dataset_id)


def pruned_runs(dataset_id: str | None = None) -> dict[str, str]:
    """Return the day on which the retention policy removed a run's files, by run."""
    rows = list_prunings(current_home(), dataset_id)
    return {row.item_id: f"{row.decided_at:%Y-%m-%d}" for row in rows if row.kind is ItemKind.RUN}


def summarize_run(run_id: str) -> dict[str, Any]:
    """Return all that is known of one run: record, verdict, returns, fit, gates, files.

    Files that a failed run never wrote read as empty. Those that the retention policy removed are
    reported in ``pruned``; what they published is read from the warehouse.
    """
    home = current_home()
    record = read_run(home, run_id)
    folder = home.run_dir(run_id)
    diagnostics = read_document(folder, Artifact.DIAGNOSTICS) or {}
    pruning = find_pruning(home, run_id)
    return {
        **record.model_dump(mode="json"),
        "pruned": pruning.model_dump(mode="json") if pruning else None,
        "reasons": diagnostics.get("reasons", []),
        "notes": diagnostics.get("notes", []),
        "champion": _champion(home, record),
        "roas": read_document(folder, Artifact.ROI_METRICS) or read_roas(home, run_id),
        "diagnostics": {key: diagnostics.get(key) for key in _SUMMARY_KEYS} if diagnostics else {},
        "fit": read_document(folder, Artifact.FIT_METRICS) or {},
        "gates": read_gate_results(home, run_id),
        "artifacts_dir": str(folder),
        "artifacts": sorted(p.name for p in folder.glob("*") if not p.name.startswith(".")),
    }


def read_summaries(run_id: str) -> dict[str, Any]:
    """Return returns and fit metrics of a run that has just ended, for its closing table.

    Returns
    -------
    dict
        ``roas`` per channel, and ``fit``; empty where the run did not write it.
    """
    folder = current_home().run_dir(run_id)
    return {
        "roas": read_document(folder, Artifact.ROI_METRICS) or {},
        "fit": read_document(folder, Artifact.FIT_METRICS) or {},
    }


def export_run(run_id: str, *, file_format: str, out: Path, force: bool) -> list[Path]:
    """Write all tables of a run and their data dictionary into ``out``; ``html`` is its report.

    Returns
    -------
    list[Path]
        Files written.

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
        return export.copy_report(folder, run_id, out, force=force)
    require_unchanged(folder, Artifact)
    return export.write_tables(export.open_tables(folder), out, file_format, force=force)


def draft_plan(
    *,
    asked: Mapping[str, Any],
    settings: Mapping[str, Any],
    bounds: Path | None,
    what_if: Path | None,
    changes: Sequence[str],
) -> PlanRequest:
    """Turn what a command line says into a plan request whose runs are known and accepted.

    Parameters
    ----------
    asked
        Fields of ``PlanRequest`` that were given, other than the following; a model without a run
        gets its champion's.
    settings
        Fields of ``OptimizerSpec`` that were given; the others are those of the first model's run.
    bounds, what_if
        Files that were named.
    changes
        Hand-written changes, ``CHANNEL=AMOUNT`` each.

    Raises
    ------
    SpecError
        If an option or a file cannot be used.
    UnknownRunError
        If there is no accepted run to plan from.
    """
    if what_if is not None and changes:
        raise SpecError("--what-if and --set: give the plan in a file or in options, not both.")
    rows = read_plan_file(what_if) if what_if else read_changes(changes) if changes else None
    document = {
        **asked,
        "bounds": read_bounds(bounds).model_dump() if bounds else None,
        "what_if": None if rows is None else [row.model_dump() for row in rows],
    }
    request = parse_model(PlanRequest, document, source="The plan")
    home = current_home()
    runs = [find_planned_run(home, model) for model in request.models]
    known = [
        model.model_copy(update={"run_id": run.run_id})
        for model, run in zip(request.models, runs, strict=True)
    ]
    if not settings:
        return request.model_copy(update={"models": known})
    base = read_run_spec_of(home, runs[0].run_id).optimizer.model_dump()
    changed = parse_model(OptimizerSpec, {**base, **settings}, source="The settings of the plan")
    return request.model_copy(update={"models": known, "settings": changed})


def dataset_of_run(run_id: str) -> str:
    """Return the dataset that a run belongs to."""
    return read_run(current_home(), run_id).dataset_id


def all_scenarios(dataset_id: str | None = None) -> list[Scenario]:
    """Return saved plans, newest first.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has no run, while others have.
    """
    home = current_home()
    found = list_scenarios(home, dataset_id)
    if not found and dataset_id is not None:
        list_runs(home, dataset_id)
    return found


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
        return datasets_with_forecasts(home) if with_forecasts else list_datasets(home)
    list_runs(home, dataset_id)
    return [dataset_id]


class SavedPlan(NamedTuple):
    """A plan, and how the list of plans shows it."""

    scenario: Scenario
    plan: Plan


def open_scenario(name: str, dataset_id: str | None = None) -> SavedPlan:
    """Return a saved plan by its id or name, and how the list shows it.

    Raises
    ------
    UnknownRunError
        Naming the nearest plan.
    """
    home = current_home()
    scenario = find_scenario(list_scenarios(home, dataset_id), name)
    return SavedPlan(scenario, read_plan(home, scenario.scenario_id))


def _champion(home: Home, record: RunRecord) -> str | None:
    """Return the champion of the run's dataset today, or None."""
    champion = find_champion(home, record.dataset_id)
    return None if champion is None else champion.name
