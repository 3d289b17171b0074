"""Tables and columns that a company's own SQL may read."""

from schemas.answers.pruning import MARKED_KINDS, Pruning
from schemas.answers.stability import FloorRow
from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS, SCORE_COLUMNS, Alarm
from schemas.documents.restatements import Restatement
from schemas.names import FORECAST_COLUMNS
from tasks.store.warehouse.changes import CHANGE_COLUMNS
from tasks.store.warehouse.connection import reading

CANONICAL = {
    "kpi": ["dataset_id", "entity_id", "period_start", "name", "value"],
    "media": ["dataset_id", "entity_id", "period_start", "name", "measure", "value"],
    "controls": ["dataset_id", "entity_id", "period_start", "name", "value"],
}


def test_canonical_tables_have_their_columns_and_every_row_its_batch(home):
    with reading(home, "demo") as con:
        for table, columns in CANONICAL.items():
            found = [row[0] for row in con.execute(f"describe canonical.{table}").fetchall()]
            assert found[: len(columns)] == columns
            assert {"batch_id", "known_from"} <= set(found)


def test_there_are_three_schemas(home):
    with reading(home, "demo") as con:
        query = "select distinct table_schema from information_schema.tables"
        assert {row[0] for row in con.execute(query).fetchall()} == {"canonical", "ops", "mart"}


def test_forecasts_have_the_columns_of_their_file(home):
    with reading(home, "demo") as con:
        found = [row[0] for row in con.execute("describe mart.forecasts").fetchall()]
        supposed = [r[0] for r in con.execute("describe mart.forecast_assumptions").fetchall()]
        scores = [row[0] for row in con.execute("describe mart.forecast_scores").fetchall()]
        alarms = [row[0] for row in con.execute("describe ops.alarms").fetchall()]
    assert found == ["run_id", "dataset_id", "kpi", *FORECAST_COLUMNS]
    assert supposed == ["run_id", "dataset_id", *ASSUMPTION_COLUMNS]
    kept = ["first_actual", "scored_at", "compared"]
    assert scores == ["forecast_run_id", "dataset_id", *SCORE_COLUMNS[1:], *kept]
    assert alarms == list(Alarm.model_fields)


def test_changes_and_the_noise_floor_have_their_columns(home):
    with reading(home, "demo") as con:
        changes = [row[0] for row in con.execute("describe mart.changes").fetchall()]
        floor = [row[0] for row in con.execute("describe mart.noise_floor").fetchall()]
    assert changes == list(CHANGE_COLUMNS)
    assert changes[:7] == [
        "run_a", "run_b", "dataset_id", "channel", "quantity", "before", "after",
    ]  # fmt: skip
    assert changes[7:12] == ["noise", "new_periods", "restated", "spec_or_code", "unsplit"]
    assert floor == list(FloorRow.model_fields)


def test_restatements_can_be_read_with_sql(home):
    with reading(home, "demo") as con:
        found = [row[0] for row in con.execute("describe ops.restatements").fetchall()]
    decided = ["decision", "known_from", "decided_at"]
    measured = list(Restatement.model_fields)
    assert found == ["dataset_id", "batch_id", *measured[:2], *decided, *measured[2:]]


def test_what_was_pruned_has_a_row_of_its_own(home):
    with reading(home, "demo") as con:
        columns = [row[0] for row in con.execute("describe ops.prunings").fetchall()]
    assert columns == list(Pruning.model_fields)
    assert [kind.value for kind in MARKED_KINDS] == ["run", "landing", "plan"]
