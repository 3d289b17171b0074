"""SQL of ``mart.changes``: why returns moved between two runs."""

from typing import TYPE_CHECKING

from schemas.documents.changes import ChannelChange, Explanation, Factor

if TYPE_CHECKING:
    import duckdb

_PARTS = (*(factor.value for factor in Factor), "unsplit")
CHANGE_COLUMNS = (
    "run_a", "run_b", "dataset_id", "channel", "quantity", "before", "after", *_PARTS,
    *(f"{name}_mcse" for name in _PARTS), "main_cause", "sentence",
)  # fmt: skip


def write_changes(con: "duckdb.DuckDBPyConnection", explanation: Explanation) -> None:
    """Replace the rows of one pair of runs."""
    con.execute(
        "delete from mart.changes where run_a = ? and run_b = ?",
        [explanation.run_a, explanation.run_b],
    )
    columns, marks = ", ".join(CHANGE_COLUMNS), ", ".join("?" * len(CHANGE_COLUMNS))
    for row in explanation.channels:
        con.execute(
            f"insert into mart.changes ({columns}) values ({marks})",  # noqa: S608 - constant columns
            [explanation.run_a, explanation.run_b, explanation.dataset_id, *_cells(row)],
        )


def _cells(row: ChannelChange) -> list[object]:
    parts = [*(row.parts.get(factor) for factor in Factor), row.unsplit]
    return [
        row.channel, row.quantity, row.before, row.after,
        *(None if part is None else part.value for part in parts),
        *(None if part is None else part.mcse for part in parts),
        row.main_cause, row.sentence,
    ]  # fmt: skip
