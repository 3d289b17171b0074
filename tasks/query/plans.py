"""Budget plans: a request made of what a caller says, saved plans, several side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from schemas.answers.plans import MadePlan, PlanComparison, ScenarioList, ShownPlan
from schemas.answers.scenarios import PlanReport, Scenario
from schemas.documents.plan import Plan
from schemas.errors import SpecError
from schemas.spec.errors import parse_model
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.plan_request import DeskRequest, PlanRequest
from tasks.query.export import encode_table
from tasks.store.home import current_home
from tasks.store.inputs.plan_files import read_bounds, read_changes, read_plan_file
from tasks.store.runs.plan_sources import find_planned_run, read_run_spec_of
from tasks.store.warehouse.plans import find_scenario, list_scenarios, read_plan
from tasks.store.warehouse.runs import list_runs


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
    return complete_request(request, settings)


def complete_request(request: PlanRequest, settings: Mapping[str, Any]) -> PlanRequest:
    """Return a plan request whose runs are known and accepted.

    Parameters
    ----------
    request
        A model without a run gets its champion's.
    settings
        Fields of ``OptimizerSpec`` that were given; the others are those of the first model's run.

    Raises
    ------
    SpecError
        If a setting cannot be used.
    UnknownRunError
        If there is no accepted run to plan from.
    """
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


def name_run(asked: DeskRequest) -> DeskRequest:
    """Return a plan by hand with the run that it is judged by: the champion's where none is named.

    Raises
    ------
    UnknownRunError
        If there is no accepted run to plan from.
    """
    run = find_planned_run(current_home(), asked.as_plan().models[0])
    return asked.model_copy(update={"run_id": run.run_id})


def encode_plan(plan: Plan) -> bytes:
    """Return a plan as CSV: one row per channel, with the fields of ``ChannelPlan``."""
    import pandas as pd

    rows = [{"channel": name, **row.model_dump(mode="json")} for name, row in plan.channels.items()]
    return encode_table(pd.DataFrame(rows), "csv")


def all_scenarios(dataset_id: str | None = None) -> ScenarioList:
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
    return ScenarioList(scenarios=found)


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


def show_plan(name: str, dataset_id: str | None = None) -> ShownPlan:
    """Return a saved plan by its id or name, with its run in MLflow.

    Raises
    ------
    UnknownRunError
        Naming the nearest plan.
    """
    scenario, plan = open_scenario(name, dataset_id)
    return ShownPlan(**_fields(plan), mlflow_run_id=scenario.mlflow_run_id)


def open_made_plan(report: PlanReport) -> MadePlan:
    """Return the plan that a flow has just made, and where it is."""
    return MadePlan(
        **_fields(open_scenario(report.scenario_id).plan),
        plan_file=report.plan_file,
        mlflow_run_id=report.mlflow_run_id,
        took_name_from=report.took_name_from,
    )


def show_unsaved(plan: Plan) -> MadePlan:
    """Return a plan that was made and is not saved."""
    return MadePlan(**_fields(plan), plan_file=None, mlflow_run_id=None, took_name_from=None)


def compare_plans(found: Sequence[SavedPlan]) -> PlanComparison:
    """Return plans side by side: how a list shows them, and planned spend by channel."""
    channels = dict.fromkeys(name for saved in found for name in saved.plan.channels)
    return PlanComparison(
        scenarios=[saved.scenario for saved in found],
        planned={
            channel: {s.plan.scenario_id: s.plan.planned.get(channel) for s in found}
            for channel in channels
        },
    )


def _fields(plan: Plan) -> dict[str, Any]:
    """Return the fields of a plan as they are, for an answer that adds to them."""
    return {name: getattr(plan, name) for name in Plan.model_fields}
