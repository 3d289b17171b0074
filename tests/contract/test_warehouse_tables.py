"""Tables and columns that a company's own SQL may read."""

from tasks.store.warehouse import reading

CANONICAL = {
    "kpi": ["dataset_id", "entity_id", "period_start", "name", "value"],
    "media": ["dataset_id", "entity_id", "period_start", "name", "measure", "value"],
    "controls": ["dataset_id", "entity_id", "period_start", "name", "value"],
}


def test_canonical_tables_have_their_columns_and_every_row_its_batch(home):
    with reading(home) as con:
        for table, columns in CANONICAL.items():
            found = [row[0] for row in con.execute(f"describe canonical.{table}").fetchall()]
            assert found[: len(columns)] == columns
            assert {"batch_id", "known_from"} <= set(found)


def test_there_are_three_schemas(home):
    with reading(home) as con:
        query = "select distinct table_schema from information_schema.tables"
        assert {row[0] for row in con.execute(query).fetchall()} == {"canonical", "ops", "mart"}
