"""Restatements in the warehouse: what the staged batch changes of history, and what was decided.

Belongs here: SQL that measures the temporary tables ``known`` and ``staged`` against each other
(``warehouse_canonical.stage_batch`` makes them), and ``ops.restatements``.
Does not: moving values (``warehouse_canonical``), limits (``tasks.validate``).
"""
# ruff: noqa: S608 - SQL is made of constants; values are parameters

from collections.abc import Sequence
from datetime import UTC, date, datetime

import duckdb

from schemas.documents.restatements import HistoryChange, Restatement, RestatementDecision, Vanished
from schemas.outcomes import MAX_PLACES
from schemas.refs import CandidateRef
from tasks.store.warehouse.canonical import newest_batch, same_cell

SAME_NUMBER = 1e-9
"""Relative difference up to which two numbers differ by their formatting only."""
_COLUMNS = "role, name, n_values, n_known, n_entities, first_period, last_period, share"

_CHANGES = f"""
    select k.role, k.name, k.entity_id, k.period_start, k.value as old, s.value as new,
           case when s.role is null then $accepted and k.batch_id = $batch
                else k.value is distinct from s.value and not coalesce(
                     abs(k.value - s.value) <= {SAME_NUMBER} * greatest(abs(k.value), abs(s.value)),
                     false) end as changed
      from known k left join staged s on {same_cell("k", "s")}
     where k.period_start <= $as_of
       and exists (select 1 from staged c where c.role = k.role and c.name = k.name)
"""


def describe_history(
    con: duckdb.DuckDBPyConnection,
    *,
    dataset_id: str,
    batch_id: str | None,
    accepted: bool,
    as_of: date,
) -> HistoryChange:
    """Say what the newest knowledge of a panel changes of the knowledge before.

    Parameters
    ----------
    con
        Warehouse, with the batch staged where there is one.
    dataset_id, as_of
        What is read, and the day whose knowledge counts.
    batch_id
        The staged batch; None without a file.
    accepted
        Whether the batch was accepted before. A file that is given again, and a run without a file,
        are told what was decided then, so that doing it again makes no doubt go away.
    """
    if batch_id is not None:
        restated = measure_restatements(con, batch_id=batch_id, accepted=accepted, as_of=as_of)
        if restated or not accepted:
            vanished = None if accepted else find_vanished(con, as_of=as_of)
            return HistoryChange(restated=restated, vanished=vanished)
    newest = newest_batch(con, dataset_id, as_of)
    if newest is None:
        return HistoryChange()
    restated, since = _accepted_restatements(con, dataset_id, newest[0], as_of)
    return HistoryChange(restated=restated, accepted_from=since)


def measure_restatements(
    con: duckdb.DuckDBPyConnection, *, batch_id: str, accepted: bool, as_of: date
) -> list[Restatement]:
    """Measure what the staged batch changes of periods that had begun, per role and name.

    Parameters
    ----------
    con
        Warehouse with a staged batch.
    batch_id, accepted
        The batch, and whether it was accepted before: then its own rows that its present reading
        no longer has are changes, too.
    as_of
        Periods that start later are plans, not history.
    """
    rows = con.execute(
        f"""select role, name, count(*) filter (changed), count(*),
                   count(distinct entity_id) filter (changed),
                   min(period_start) filter (changed), max(period_start) filter (changed),
                   coalesce(fsum(abs(coalesce(new, 0) - coalesce(old, 0))) filter (changed), 0)
                     as moved,
                   coalesce(fsum(abs(old)), 0) as base
              from ({_CHANGES}) group by role, name having count(*) filter (changed) > 0
             order by role, name""",
        {"batch": batch_id, "accepted": accepted, "as_of": as_of},
    ).fetchall()
    return [
        Restatement(
            role=role, name=name, n_values=n_values, n_known=n_known, n_entities=n_entities,
            first_period=first, last_period=last, share=_share(moved, base),
        )
        for role, name, n_values, n_known, n_entities, first, last, moved, base in rows
    ]  # fmt: skip


def _share(moved: float, base: float) -> float:
    if base == 0:
        return 1.0 if moved > 0 else 0.0
    return round(moved / base, 6)


def find_vanished(con: duckdb.DuckDBPyConnection, *, as_of: date) -> Vanished | None:
    """Find rows that are known and, within the dates of the staged batch, not in it."""
    con.execute(
        f"""create or replace temp table vanished as
            select distinct k.entity_id, k.period_start from known k
             where k.period_start <= $as_of
               and k.period_start between (select min(period_start) from staged)
                                      and (select max(period_start) from staged)
               and exists (select 1 from staged c where c.role = k.role and c.name = k.name)
               and not exists (select 1 from staged s where {same_cell("k", "s")})""",
        {"as_of": as_of},
    )
    is_sent = "entity_id in (select entity_id from staged)"
    gone = con.execute(
        f"select entity_id, period_start, count(*) over () from vanished where {is_sent} "
        f"order by period_start desc, entity_id limit {MAX_PLACES}"
    ).fetchall()
    absent = con.execute(
        f"select distinct entity_id from vanished where not {is_sent} order by entity_id"
    ).fetchall()
    if not gone and not absent:
        return None
    return Vanished(
        n_rows=gone[0][2] if gone else 0,
        places=[f"{entity}, {period}" for entity, period, _ in gone],
        absent_entities=[entity for (entity,) in absent[:MAX_PLACES]],
        n_absent_entities=len(absent),
    )


def write_restatements(
    con: duckdb.DuckDBPyConnection,
    candidate: CandidateRef,
    restated: Sequence[Restatement],
    decision: RestatementDecision,
) -> None:
    """Record a decision on a candidate's batch; made again on the same day, its moment stays."""
    for one in restated:
        con.execute(
            f"""insert into ops.restatements
                  (dataset_id, batch_id, decision, known_from, decided_at, {_COLUMNS})
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                on conflict do update set n_values = excluded.n_values,
                  n_known = excluded.n_known, n_entities = excluded.n_entities,
                  first_period = excluded.first_period, last_period = excluded.last_period,
                  share = excluded.share""",
            [
                candidate.dataset_id, candidate.batch_id, decision.value, candidate.known_from,
                datetime.now(UTC), one.role, one.name, one.n_values, one.n_known, one.n_entities,
                one.first_period, one.last_period, one.share,
            ],
        )  # fmt: skip


def _accepted_restatements(
    con: duckdb.DuckDBPyConnection, dataset_id: str, batch_id: str, as_of: date
) -> tuple[list[Restatement], date | None]:
    """Return what a batch changed when it was accepted last by a day, and when that was."""
    rows = con.execute(
        f"""select {_COLUMNS}, known_from from ops.restatements
             where dataset_id = $dataset and batch_id = $batch and decision = 'accepted'
               and known_from <= $as_of
           qualify known_from = max(known_from) over () order by role, name""",
        {"dataset": dataset_id, "batch": batch_id, "as_of": as_of},
    ).fetchall()
    names = _COLUMNS.split(", ")
    restated = [Restatement(**dict(zip(names, row[:-1], strict=True))) for row in rows]
    return restated, rows[0][-1] if rows else None
