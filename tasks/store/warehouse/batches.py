"""Batches in the warehouse: what was received, and whether it was accepted.

Belongs here: SQL over ``ops.batches``. Does not: values (``warehouse_canonical``).
"""

from datetime import UTC, date, datetime

import duckdb

from schemas.refs import BatchRef


def insert_batch(con: duckdb.DuckDBPyConnection, batch: BatchRef) -> None:
    """Record a landed batch in the transaction that decides on it; a known one stays as it is."""
    con.execute(
        "insert into ops.batches (dataset_id, batch_id, source_name, sha256, landing_path, n_rows, "
        "received_at, status) values (?, ?, ?, ?, ?, ?, ?, 'LANDED') on conflict do nothing",
        [
            batch.dataset_id, batch.batch_id, batch.source_name, batch.source_sha256,
            batch.file.path, batch.n_rows, datetime.now(UTC),
        ],
    )  # fmt: skip


def accept_batch(
    con: duckdb.DuckDBPyConnection, dataset_id: str, batch_id: str, known_from: date
) -> None:
    """Mark a batch accepted; the day it first became known stays."""
    con.execute(
        "update ops.batches set status = 'ACCEPTED', known_from = coalesce(known_from, ?) "
        "where dataset_id = ? and batch_id = ?",
        [known_from, dataset_id, batch_id],
    )


def refuse_batch_row(con: duckdb.DuckDBPyConnection, dataset_id: str, batch_id: str) -> None:
    """Mark a batch refused, unless an earlier run accepted it."""
    con.execute(
        "update ops.batches set status = 'REFUSED' "
        "where dataset_id = ? and batch_id = ? and status <> 'ACCEPTED'",
        [dataset_id, batch_id],
    )


def known_since(con: duckdb.DuckDBPyConnection, dataset_id: str, batch_id: str) -> date | None:
    """Return the day from which an accepted batch is known; None where it was never accepted."""
    row = con.execute(
        "select known_from from ops.batches "
        "where dataset_id = ? and batch_id = ? and status = 'ACCEPTED'",
        [dataset_id, batch_id],
    ).fetchone()
    return row[0] if row else None


def was_accepted(con: duckdb.DuckDBPyConnection, dataset_id: str, batch_id: str) -> bool:
    """Say whether an earlier run accepted the batch."""
    row = con.execute(
        "select status = 'ACCEPTED' from ops.batches where dataset_id = ? and batch_id = ?",
        [dataset_id, batch_id],
    ).fetchone()
    return bool(row and row[0])
