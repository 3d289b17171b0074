"""SQL of ``ops.promotions``: every decision on the champion alias, oldest first, never changed."""

from datetime import UTC
from typing import TYPE_CHECKING

from schemas.documents.promotions import MadeBy, Promotion, PromotionAction
from tasks.store.home import Home
from tasks.store.warehouse.across import ask

if TYPE_CHECKING:
    import duckdb

_COLUMNS = "dataset_id, decided_at, version, run_id, from_version, action, reason, made_by"


def write_promotion(con: "duckdb.DuckDBPyConnection", row: Promotion) -> None:
    """Add one decision in the open transaction; a refit decides once, so a retry adds nothing."""
    if row.made_by is MadeBy.REFIT and _has_decided(con, row.run_id):
        return
    con.execute(
        f"insert into ops.promotions ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant columns
        [
            row.dataset_id, row.decided_at, row.version, row.run_id, row.from_version,
            row.action.value, row.reason, row.made_by.value,
        ],
    )  # fmt: skip


def list_promotions(home: Home, dataset_id: str) -> list[Promotion]:
    """Return all decisions on a dataset's champion in the order they were made."""
    rows = ask(
        home,
        dataset_id,
        f"select {_COLUMNS} from ops.promotions where dataset_id = ? "  # noqa: S608 - constant columns
        "order by rowid",  # as written: a clock that was set back must not change the order
        [dataset_id],
    )
    return [
        Promotion(
            dataset_id=row[0],
            decided_at=row[1].astimezone(UTC),
            version=row[2],
            run_id=row[3],
            from_version=row[4],
            action=PromotionAction(row[5]),
            reason=row[6],
            made_by=MadeBy(row[7]),
        )
        for row in rows
    ]


def _has_decided(con: "duckdb.DuckDBPyConnection", run_id: str) -> bool:
    found = con.execute(
        "select count(*) from ops.promotions where run_id = ? and made_by = 'refit'", [run_id]
    ).fetchone()
    return bool(found and found[0])
