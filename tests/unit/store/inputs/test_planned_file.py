"""A file of planned periods ends up as rows of the spec, or is refused with line and column."""

import pytest

from schemas.errors import SpecError
from tasks.store.inputs.spec_file import read_run_spec


def spec_with(tmp_path, content, spec="dataset_id: demo\nplanned: coming.csv\n"):
    (tmp_path / "coming.csv").write_text(content, encoding="utf-8")
    path = tmp_path / "run_spec.yaml"
    path.write_text(spec, encoding="utf-8")
    return read_run_spec(path)


def test_rows_end_up_in_the_spec_and_empty_cells_stay_unknown(tmp_path):
    text = "period_start,entity_id,spend_tv,ctrl_promo\n2026-01-05,north,1000.5,\n2026-01-12,,0,1\n"
    first, second = spec_with(tmp_path, text).planned
    assert (str(first.period_start), first.entity) == ("2026-01-05", "north")
    assert first.values == {"spend_tv": 1000.5}
    assert (second.entity, second.values) == (None, {"spend_tv": 0.0, "ctrl_promo": 1.0})


def test_key_columns_and_decimal_mark_are_those_of_the_spec(tmp_path):
    spec = "dataset_id: d\nplanned: coming.csv\ndecimal: ','\ncolumns: {period_start: week}\n"
    (row,) = spec_with(tmp_path, "week;spend_tv\n2026-01-05;1,5\n", spec).planned
    assert row.values == {"spend_tv": 1.5}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "needs a header with period_start"),
        ("spend_tv\n1\n", "column 'period_start' is missing"),
        ("period_start,a,a\n2026-01-05,1,2\n", "column 'a' is there twice"),
        ("period_start,a\n2026-01-05,x\n", "line 2, column a: 'x' is not a number"),
        ("period_start,a\n2026-01-05,inf\n", "line 2, column a: 'inf' is not a number"),
        ("period_start,a\n05/01/26,1\n", "line 2, column period_start: '05/01/26' is no day"),
        ("period_start,a\n2026-01-05\n", "line 2: has 1 cells, the header has 2"),
        ("period_start,a\n2026-01-05,1\n2026-01-05,2\n", "2026-01-05 is planned twice"),
    ],
)
def test_a_bad_file_names_line_column_and_rule(tmp_path, content, message):
    with pytest.raises(SpecError, match=r"coming\.csv|run_spec\.yaml") as refusal:
        spec_with(tmp_path, content)
    assert message in str(refusal.value)


def test_a_file_elsewhere_is_not_followed(tmp_path):
    spec = "dataset_id: d\nplanned: /etc/hostname\n"
    with pytest.raises(SpecError, match="planned in the run spec"):
        spec_with(tmp_path, "x\n", spec)
