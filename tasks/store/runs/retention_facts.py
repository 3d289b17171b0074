"""What pruning has to know of a dataset: from the warehouse, the disk and MLflow; all read-only."""

import json
import logging
import os
from typing import TYPE_CHECKING

from schemas.answers.pruning import BatchFacts, DatasetFacts, ItemKind, PlanFacts, RunFacts
from schemas.names import Alias, Artifact
from schemas.spec.retention import RetentionSpec
from schemas.spec.run_spec import RunSpec
from tasks.store.home import Home
from tasks.store.inputs.landing import landing_path
from tasks.store.tracking import aliases
from tasks.store.tracking.files import open_existing_store
from tasks.store.warehouse.connection import reading
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.prunings import list_prunings
from tasks.store.warehouse.runs import list_runs

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

_BATCHES = """
    select b.batch_id, b.status, b.received_at,
           b.batch_id in (
               select batch_id from canonical.kpi where dataset_id = $dataset
               union select batch_id from canonical.media where dataset_id = $dataset
               union select batch_id from canonical.controls where dataset_id = $dataset),
           b.status = 'ACCEPTED' and row_number() over (
               partition by b.status order by b.known_from desc, b.received_at desc) = 1
      from ops.batches b where b.dataset_id = $dataset order by b.received_at, b.batch_id
"""
_PLANS = """
    select scenario_id, created_at from mart.scenarios
     where string_split(dataset_ids, ' + ')[1] = $dataset and made_by <> 'refit'
     order by created_at, scenario_id
"""
_UNSCORED = """
    select distinct f.run_id from mart.forecasts f where f.dataset_id = $dataset
       and not exists (select 1 from mart.forecast_scores s
                        where s.forecast_run_id = f.run_id and s.period_start = f.period_start)
"""


def read_retention(home: Home, dataset_id: str) -> RetentionSpec:
    """Return the policy of the newest run whose spec can be read; the default where none can."""
    for record in list_runs(home, dataset_id):
        path = home.run_dir(record.run_id) / Artifact.RUN_SPEC
        try:
            return RunSpec.model_validate(json.loads(path.read_text(encoding="utf-8"))).retention
        except (OSError, ValueError) as error:
            log.info("%s says nothing of retention: %s", path, type(error).__name__)
    return RetentionSpec()


def gather_facts(home: Home, dataset_id: str) -> DatasetFacts:
    """Return what decides on the files of a dataset.

    Raises
    ------
    UnknownRunError
        If the dataset has no run, while others have.
    ResourceUnavailableError
        If the warehouse or the MLflow store cannot be had; without it nobody knows the champion.
    """
    held, history = _aliases(home, dataset_id), tuple(list_promotions(home, dataset_id))
    decided = {history[-1].version} if history else set()
    named = {version for version, names in held.items() if Alias.CHAMPION in names}
    with reading(home, dataset_id) as con:
        unscored = {str(row[0]) for row in _rows(con, _UNSCORED, dataset_id)}
        batches = _rows(con, _BATCHES, dataset_id)
        plans = _rows(con, _PLANS, dataset_id)
    return DatasetFacts(
        dataset_id=dataset_id,
        runs=_runs(home, dataset_id, held, unscored),
        batches=tuple(
            BatchFacts(
                batch_id=row[0], status=row[1], received_at=row[2], has_values=row[3],
                is_newest=row[4],
                has_file=os.path.lexists(landing_path(home, dataset_id, str(row[0]))),
            )
            for row in batches
        ),
        plans=tuple(
            PlanFacts(
                scenario_id=row[0], created_at=row[1],
                has_files=os.path.lexists(home.plan_dir(str(row[0]))),
            )
            for row in plans
        ),
        history=history,
        champions=frozenset(v for v in named | decided if v is not None),
    )  # fmt: skip


def _runs(
    home: Home, dataset_id: str, held: dict[int, tuple[str, ...]], unscored: set[str]
) -> tuple[RunFacts, ...]:
    prunings = list_prunings(home, dataset_id)
    pruned = {row.item_id for row in prunings if row.kind is ItemKind.RUN}
    return tuple(
        RunFacts(
            run_id=record.run_id,
            status=record.status,
            verdict=record.verdict,
            version=record.model_version,
            aliases=held.get(record.model_version or 0, ()),
            created_at=record.created_at,
            ended_at=record.updated_at,
            has_unscored=record.run_id in unscored,
            is_pruned=record.run_id in pruned,
        )
        for record in list_runs(home, dataset_id)
    )


def _aliases(home: Home, dataset_id: str) -> dict[int, tuple[str, ...]]:
    """Aliases of the dataset's registered model by version; none where there is no model."""
    client = open_existing_store(home)
    if client is None:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    for alias, version in aliases.aliases_of(client, dataset_id).items():
        found[version] = (*found.get(version, ()), alias)
    return found


def _rows(con: "duckdb.DuckDBPyConnection", query: str, dataset_id: str) -> list[tuple]:  # type: ignore[type-arg]
    return con.execute(query, {"dataset": dataset_id}).fetchall()
