"""SQL of budget plans (``mart.scenarios``, ``mart.plans``): saved, listed, found by name.

A name belongs to the newest plan of the same datasets that has it; earlier ones are found by id.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import duckdb
from pydantic import ValidationError

from schemas.answers.scenarios import MadeBy, Scenario
from schemas.documents.plan import Advice, Plan, PlanModel
from schemas.errors import CorruptArtifactError, UnknownRunError
from schemas.hints import suggest
from tasks.store.home import Home
from tasks.store.warehouse.across import ask_all

_JOINED = " + "
"""Between the parts of ``dataset_ids`` and ``run_ids``; no dataset id has a plus or a space."""
_SCENARIO_COLUMNS = (
    "scenario_id", "name", "dataset_ids", "run_ids", "made_by", "created_at", "utility", "unit",
    "horizon", "first_period", "budget", "current_budget", "gain_mean", "gain_low", "gain_high",
    "prob_gain", "advice", "reason", "mlflow_run_id",
)  # fmt: skip
_PLAN_COLUMNS = (
    "current", "planned", "candidate", "low", "high", "action", "reason", "mroas_mean",
    "mroas_low", "mroas_high", "prior_driven", "is_beyond_observed",
)  # fmt: skip
_FACTS = (
    "scenario_id", "name", "created_at", "horizon", "first_period", "budget", "current_budget",
    "gain_mean", "gain_low", "gain_high", "prob_gain", "reason",
)  # fmt: skip
"""Columns that a ``Plan`` and a ``Scenario`` hold under the same name."""


def write_plan(
    con: duckdb.DuckDBPyConnection, plan: Plan, made_by: MadeBy, mlflow_run_id: str | None
) -> str | None:
    """Save a plan in the open transaction ``con``, replacing what it saved before.

    Parameters
    ----------
    con
        Open transaction on the warehouse of ``owner_of`` the plan: both tables get it, or neither.
    plan
        The plan; its channels are rows of ``mart.plans``.
    made_by
        Who made it. A refit's plan has the run id as its ``scenario_id``.
    mlflow_run_id
        Where MLflow has it.

    Returns
    -------
    str | None
        Scenario id of an earlier plan of the same datasets that had this name; None if none had.
    """
    models = _sorted(plan.models)
    row = {fact: getattr(plan, fact) for fact in _FACTS} | {
        "dataset_ids": _JOINED.join(model.dataset_id for model in models),
        "run_ids": _JOINED.join(model.run_id for model in models),
        "made_by": MadeBy(made_by).value,
        "utility": plan.utility.value,
        "unit": plan.unit,
        "advice": plan.advice.value,
        "mlflow_run_id": mlflow_run_id,
    }
    earlier = con.execute(
        "select scenario_id from mart.scenarios where name = ? and dataset_ids = ? "
        "and scenario_id <> ? order by created_at desc, scenario_id desc limit 1",
        [plan.name, row["dataset_ids"], plan.scenario_id],
    ).fetchone()
    _insert(
        con,
        "mart.scenarios",
        (*_SCENARIO_COLUMNS, "document"),
        [*(row[column] for column in _SCENARIO_COLUMNS), plan.model_dump_json()],
    )
    con.execute("delete from mart.plans where scenario_id = ?", [plan.scenario_id])
    for channel, part in plan.channels.items():
        cells = part.model_dump(mode="json")
        _insert(
            con,
            "mart.plans",
            ("scenario_id", "channel", *_PLAN_COLUMNS),
            [plan.scenario_id, channel, *(cells[column] for column in _PLAN_COLUMNS)],
        )
    return str(earlier[0]) if earlier else None


def list_scenarios(home: Home, dataset_id: str | None = None) -> list[Scenario]:
    """Return saved plans, newest first; ``dataset_id`` None means of all datasets.

    Raises
    ------
    UnknownRunError
        If a dataset is named that has neither a plan nor a run, while others have.
    """
    columns = ", ".join(_SCENARIO_COLUMNS)
    query = (
        f"select {columns}, row_number() over (partition by name, dataset_ids "  # noqa: S608 - constant columns
        "order by created_at desc, scenario_id desc) = 1 from mart.scenarios "
        "where ? is null or list_contains(string_split(dataset_ids, ?), ?)"
    )
    given = [dataset_id, _JOINED, dataset_id]
    # All of them: a plan of several datasets is with the first, and speaks of runs of the others.
    rows = ask_all(home, query, given)
    known = "select run_id, model_version from ops.runs"
    versions: dict[str, int | None] = dict(ask_all(home, known)) if rows else {}
    found = [_scenario(row, versions) for row in rows]
    return sorted(found, key=lambda s: (s.created_at, s.scenario_id), reverse=True)


def owner_of(plan: Plan) -> str:
    """Return the dataset in whose warehouse a plan is saved: the first of its datasets by name."""
    return _sorted(plan.models)[0].dataset_id


def find_scenario(scenarios: Sequence[Scenario], name: str) -> Scenario:
    """Return the plan that ``name`` means: an id, or a name that its newest plan holds.

    Raises
    ------
    UnknownRunError
        Naming the nearest id or name; or if plans of several datasets have the name.
    """
    for scenario in scenarios:
        if scenario.scenario_id == name:
            return scenario
    named = [s for s in scenarios if s.name == name and s.has_name]
    if len(named) == 1:
        return named[0]
    if named:
        owners = ", ".join(_JOINED.join(s.dataset_ids) for s in named)
        raise UnknownRunError(
            f"{name!r} is a plan of several datasets ({owners}); add --dataset, or use its id."
        )
    known = list(dict.fromkeys(word for s in scenarios for word in (s.name, s.scenario_id)))
    hint = suggest(name, known, "`mmm scenarios` lists those that exist.")
    raise UnknownRunError(f"No plan {name!r}; {hint}")


def read_plan(home: Home, scenario_id: str) -> Plan:
    """Return a saved plan as it was made.

    Raises
    ------
    UnknownRunError
        If there is no such plan.
    CorruptArtifactError
        If what is stored is no longer a plan that this version reads.
    """
    query = "select document from mart.scenarios where scenario_id = ?"
    rows = ask_all(home, query, [scenario_id])
    if not rows:
        raise UnknownRunError(f"No plan {scenario_id!r}; `mmm scenarios` lists those that exist.")
    try:
        return Plan.model_validate_json(rows[0][0])
    except ValidationError as error:
        raise CorruptArtifactError(
            f"Plan {scenario_id} cannot be read by this version; make it again with `mmm plan`."
        ) from error


def _insert(
    con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], values: Sequence[Any]
) -> None:
    """Insert or replace one row; ``table`` and ``columns`` are constants of this module."""
    marks = ", ".join(["?"] * len(columns))
    con.execute(
        f"insert or replace into {table} ({', '.join(columns)}) values ({marks})",  # noqa: S608
        list(values),
    )


def _sorted(models: Sequence[PlanModel]) -> list[PlanModel]:
    return sorted(models, key=lambda model: model.dataset_id)


def _scenario(row: tuple[Any, ...], versions: dict[str, int | None]) -> Scenario:
    facts = dict(zip(_SCENARIO_COLUMNS, row, strict=False))
    run_ids = facts["run_ids"].split(_JOINED)
    return Scenario.model_validate(
        facts
        | {
            "has_name": row[-1],
            "dataset_ids": facts["dataset_ids"].split(_JOINED),
            "run_ids": run_ids,
            "model_versions": [versions.get(run_id) for run_id in run_ids],
            "created_at": facts["created_at"].astimezone(UTC),
            "first_period": str(facts["first_period"]),
            "advice": Advice(facts["advice"]),
        }
    )
