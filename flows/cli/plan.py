"""The verbs of budgets: ``mmm plan`` and ``mmm scenarios``."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from flows.cli import process
from flows.cli.options import DatasetOption, DebugOption, JsonOption
from schemas.errors import SpecError, StorageError
from schemas.hints import suggest

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.answers.scenarios import PlanReport
    from schemas.spec.plan_request import PlanRequest

Number = float | None
Whole = int | None
Switch = bool | None


def plan(
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", metavar="ID", help="Repeat it to plan several.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", metavar="ID=W", help="Weight of its KPI.")
    ] = None,
    separate: Annotated[
        bool, typer.Option("--separate", help="Channels of one name are different money.")
    ] = False,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="Default: the champion's.")
    ] = None,
    budget: Annotated[Number, typer.Option(help="Money over the horizon; default: as now.")] = None,
    target_roas: Annotated[Number, typer.Option(help="Spend what returns this on average.")] = None,
    target_mroas: Annotated[
        Number, typer.Option(help="Spend until the last money returns this.")
    ] = None,
    what_if: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Evaluate a plan by hand: YAML, JSON, CSV.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="CHANNEL=AMOUNT", help="The same: tv=-10% or tv=500000."),
    ] = None,
    bounds: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bounds instead of the spec's: YAML, JSON.")
    ] = None,
    utility: Annotated[str | None, typer.Option(help="mean, var, cvar or sharpe.")] = None,
    risk_level: Annotated[Number, typer.Option(help="Tail share of var and cvar.")] = None,
    horizon: Annotated[Whole, typer.Option(help="Periods that are planned.")] = None,
    max_change: Annotated[Number, typer.Option(help="Largest move: 0.3 is 30 %.")] = None,
    beyond_observed: Annotated[
        Switch, typer.Option(help="Let the plan leave the range that was observed.")
    ] = None,
    by_entity: Annotated[Switch, typer.Option(help="Plan every entity.")] = None,
    flighting: Annotated[Switch, typer.Option(help="Plan every period.")] = None,
    method: Annotated[str | None, typer.Option(help="slsqp, trust-constr, l-bfgs-b.")] = None,
    starts: Annotated[Whole, typer.Option(help="Starting points.")] = None,
    draws: Annotated[Whole, typer.Option(help="Posterior draws that are used.")] = None,
    min_prob_gain: Annotated[
        Number, typer.Option(help="Withhold advice where P(gain > 0) is below.")
    ] = None,
    seed: Annotated[Whole, typer.Option(help="Seed of everything random.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the plan in the list.")] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Plan the coming spend from the champion, or evaluate a plan written by hand.

    Every plan is saved as a scenario. What is not given is as the run spec says. Advice that is
    withheld is an answer, too: exit code 0.
    """
    settings = _given(
        utility=utility, risk_level=risk_level, horizon=horizon, max_change=max_change,
        beyond_observed=beyond_observed, by_entity=by_entity, flighting=flighting, method=method,
        n_starts=starts, n_draws=draws, min_prob_gain=min_prob_gain,
    )  # fmt: skip
    asked = _given(
        budget=budget, target_roas=target_roas, target_mroas=target_mroas, name=name,
        random_seed=seed, separate=separate,
    )  # fmt: skip

    def work(answer: TextIO) -> int:
        from tasks.query.plans import draft_plan

        request = draft_plan(
            asked=asked | {"models": _models(dataset or [], weight or [], run)},
            settings=settings,
            bounds=bounds,
            what_if=what_if,
            changes=change or [],
        )
        return _make_plan(request, answer, as_json=as_json)

    process.run_verb(work, as_json=as_json, debug=debug)


def scenarios(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names or ids of plans.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show the plans that are named side by side.")
    ] = False,
    dataset: DatasetOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List saved plans, newest first; show one by its name, or compare several side by side.

    Nothing is deleted: where a name is used again, the newer plan has it, and the older one is
    found by its id.
    """

    def work(answer: TextIO) -> int:
        if compare:
            return _compare(names or [], dataset, answer, as_json=as_json)
        if not names:
            return _list(dataset, answer, as_json=as_json)
        if len(names) > 1:
            raise SpecError("Several plans are named; add --compare to see them side by side.")
        return _show(names[0], dataset, answer, as_json=as_json)

    process.run_verb(work, as_json=as_json, debug=debug)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _models(
    datasets: Sequence[str], weights: Sequence[str], run_id: str | None
) -> list[dict[str, Any]]:
    """Return ``PlanRequest.models`` as the options say."""
    from tasks.query.runs import dataset_of_run

    if run_id is not None and len(datasets) > 1:
        raise SpecError(
            "--run names one run, but there are several datasets; leave it out to plan from their "
            "champions."
        )
    if not datasets:
        if run_id is None:
            raise SpecError("--dataset: name the dataset to plan for; `mmm runs` lists them.")
        datasets = [dataset_of_run(run_id)]
    weighted = dict(_read_weight(entry, datasets) for entry in weights)
    return [_given(dataset_id=name, run_id=run_id, weight=weighted.get(name)) for name in datasets]


def _read_weight(entry: str, datasets: Sequence[str]) -> tuple[str, float]:
    dataset, _, text = entry.rpartition("=")
    if dataset not in datasets:
        hint = suggest(dataset, datasets, "write it as ID=2.5.")
        raise SpecError(f"--weight: {entry!r} names no dataset of this plan; {hint}")
    try:
        return dataset, float(text)
    except ValueError as error:
        raise SpecError(f"--weight: {text!r} is not a number; write {dataset}=2.5.") from error


def _make_plan(request: "PlanRequest", answer: TextIO, *, as_json: bool) -> int:
    from flows.cli.render import plans
    from tasks.query.plans import open_made_plan
    from tasks.store.home import current_home
    from tasks.store.storage import require_writable

    try:
        require_writable(current_home())
    except StorageError as error:
        return _plan_for_reader(request, error, answer, as_json=as_json)
    made = open_made_plan(report := _report_of(request))
    if as_json:
        process.print_answer(answer, made)
    else:
        answer.write(plans.render_plan(made))
        answer.write(plans.render_place(report))
    return 0


def _report_of(request: "PlanRequest") -> "PlanReport":
    """Make the plan: under Prefect where an API is named, which then shows it; else at once."""
    from flows import engines, what_if
    from flows.services import servers

    if request.what_if is not None:
        return what_if.evaluate_by_hand(request)
    if servers.names_an_api():
        return process.call_flow(_open_flow, request, engines=engines.PLAN)
    return what_if.plan_at_once(request)


def _plan_for_reader(
    request: "PlanRequest", error: StorageError, answer: TextIO, *, as_json: bool
) -> int:
    """Answer somebody who may only read the home; the plan is not saved, and that is said."""
    from flows.cli.render import plans
    from flows.what_if import plan_unsaved
    from tasks.query.plans import show_unsaved

    made = show_unsaved(plan_unsaved(request))
    if as_json:
        process.print_answer(answer, made)
    else:
        answer.write(plans.render_plan(made))
    sys.stderr.write(f"mmm: The plan is not saved: {error}\n")
    return 0


def _open_flow() -> "Callable[[PlanRequest], PlanReport]":
    from flows.plan_budget import plan_budget

    return plan_budget


def _list(dataset: str | None, answer: TextIO, *, as_json: bool) -> int:
    from flows.cli.render import plans
    from tasks.query.plans import all_scenarios

    found = all_scenarios(dataset)
    if as_json:
        process.print_answer(answer, found)
    else:
        answer.write(plans.render_scenarios(found.scenarios, datetime.now(UTC)))
    return 0


def _show(name: str, dataset: str | None, answer: TextIO, *, as_json: bool) -> int:
    from flows.cli.render import plans
    from tasks.query.plans import show_plan

    shown = show_plan(name, dataset)
    if as_json:
        process.print_answer(answer, shown)
    else:
        answer.write(plans.render_plan(shown))
    return 0


def _compare(names: Sequence[str], dataset: str | None, answer: TextIO, *, as_json: bool) -> int:
    from flows.cli.render import plans
    from tasks.query.plans import compare_plans, open_scenario

    if len(names) < 2:
        raise SpecError("--compare: name at least two plans; `mmm scenarios` lists them.")
    found = [open_scenario(name, dataset) for name in names]
    if as_json:
        process.print_answer(answer, compare_plans(found))
    else:
        answer.write(plans.render_comparison(found))
    return 0
