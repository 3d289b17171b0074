"""What a value costs on the disk, and that it is there once though no key of a table says so."""

from datetime import date

import duckdb
import pytest

from schemas.errors import DataContractError
from tasks.store.warehouse.canonical import apply_staged, stage_batch
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.places import warehouse_of

MONDAY = date(2026, 11, 2)
LONG = """
    copy (select role, 'store ' || e as entity_id, date '2023-01-02' + (7 * w)::integer
                 as period_start, 'channel ' || c as name, hash(e, w, c, role) / 1e12 as value
            from range({entities}) t(e), range(104) u(w), range(8) v(c),
                 (values ('activity'), ('spend')) x(role))
      to '{path}' (format parquet)
"""


def long_rows(tmp_path, entities):
    path = tmp_path / "long.parquet"
    with duckdb.connect() as con:
        con.execute(LONG.format(entities=entities, path=path))
    return path


def accept(con, path, batch_id="b1"):
    stage_batch(con, path, dataset_id="demo", batch_id=batch_id, accepted=False)
    return apply_staged(
        con, dataset_id="demo", batch_id=batch_id, known_from=MONDAY, accepted=False
    )


def test_a_value_takes_at_most_forty_bytes(home, tmp_path):
    with writing(home, "demo") as con:
        accept(con, long_rows(tmp_path, 60))
    with reading(home, "demo") as con:
        (n_cells,) = con.execute("select count(*) from canonical.media").fetchone()
    assert n_cells == 60 * 104 * 8 * 2
    assert warehouse_of(home, "demo").stat().st_size / n_cells <= 40


def test_the_same_rows_again_are_the_same_values(home, tmp_path):
    path = long_rows(tmp_path, 1)
    for batch_id in ("b1", "b2"):
        with writing(home, "demo") as con:
            assert accept(con, path, batch_id) == 0
    with reading(home, "demo") as con:
        assert con.execute("select count(*) from canonical.media").fetchone() == (104 * 8 * 2,)


@pytest.mark.parametrize("roles", [("spend", "spend"), ("kpi", "kpi"), ("kpi", "unit_value")])
def test_two_rows_of_one_value_are_refused_and_nothing_is_written(home, tmp_path, roles):
    path = tmp_path / "twice.parquet"
    with duckdb.connect() as con:
        rows = ", ".join(f"('{role}', 'all', date '2023-01-02', 'n', 1.0)" for role in roles)
        con.execute(
            "copy (select * from (values " + rows + ") t(role, entity_id, period_start, name, "
            f"value)) to '{path}' (format parquet)"
        )
    with (
        pytest.raises(DataContractError, match="'n' of all, 2023-01-02 is there twice"),
        writing(home, "demo") as con,
    ):
        accept(con, path)
    assert not warehouse_of(home, "demo").exists()
