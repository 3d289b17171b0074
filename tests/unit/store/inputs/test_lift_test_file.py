"""Lift tests from a file: what is written is what is read, and a bad cell is named."""

import csv
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SpecError
from schemas.spec.lift_tests import LiftTest
from schemas.spec.run_spec import RunSpec
from tasks.store.inputs.lift_test_file import read_lift_tests
from tasks.store.inputs.spec_file import read_run_spec

HEADER = "channel,entity,start,end,delta_spend,delta_kpi,standard_error\n"
GOOD = "tv,north,2024-01-01,2024-01-28,1000,2500.5,400\n"


@pytest.fixture
def lift_file(tmp_path):
    def write(content, name="lift.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


NAMES = st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters='"'), min_size=1, max_size=20
)
NUMBERS = st.floats(-1e12, 1e12).filter(lambda x: x != 0)


@st.composite
def lift_tests(draw):
    start = draw(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
    return LiftTest(
        channel=draw(NAMES),
        entity=draw(st.none() | NAMES),
        start=start,
        end=start + timedelta(days=draw(st.integers(0, 400))),
        delta_spend=draw(NUMBERS),
        delta_kpi=draw(NUMBERS),
        standard_error=draw(st.floats(1e-9, 1e12)),
    )


@given(
    given_tests=st.lists(lift_tests(), max_size=5, unique=True), separator=st.sampled_from(",;\t")
)
def test_what_is_written_is_read(tmp_path_factory, given_tests, separator):
    stream = io.StringIO()
    table = csv.DictWriter(stream, list(LiftTest.model_fields), delimiter=separator)
    table.writeheader()
    table.writerows(t.model_dump(mode="json") for t in given_tests)
    path = tmp_path_factory.mktemp("lift") / "lift.csv"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    spec = RunSpec(dataset_id="x", lift_tests=read_lift_tests(path))
    assert spec.lift_tests == given_tests


def test_the_rows_end_up_in_the_spec(lift_file, tmp_path):
    lift_file(HEADER + GOOD)
    spec_path = tmp_path / "spec.yaml"
    spec_path.write_text("dataset_id: demo\nlift_tests: lift.csv\n")
    spec = read_run_spec(spec_path)
    assert spec.lift_tests == [
        LiftTest(
            channel="tv",
            entity="north",
            start=date(2024, 1, 1),
            end=date(2024, 1, 28),
            delta_spend=1000,
            delta_kpi=2500.5,
            standard_error=400,
        )
    ]
    assert RunSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_the_decimal_mark_of_the_spec_counts(lift_file, tmp_path):
    lift_file(HEADER.replace(",", ";") + "tv;;2024-01-01;2024-01-28;1000,5;-2,5;0,25\n")
    spec_path = tmp_path / "spec.yaml"
    spec_path.write_text("dataset_id: demo\ndecimal: ','\nlift_tests: lift.csv\n")
    test = read_run_spec(spec_path).lift_tests[0]
    assert (test.delta_spend, test.delta_kpi, test.standard_error) == (1000.5, -2.5, 0.25)
    assert test.entity is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "lift.csv is empty"),
        (HEADER.replace("end", "ende"), r"lift\.csv, line 1: column 'ende' is unknown; did you"),
        (HEADER.replace(",end", ""), "line 1: column 'end' is missing"),
        (HEADER.replace("entity", "channel"), "line 1: column 'channel' is there twice"),
        (HEADER + GOOD + "tv,1\n", "line 3: has 2 cells, the header has 7"),
        (HEADER + "\n" + GOOD.replace(",400", ",0"), "line 3, column standard_error: .*greater"),
        (HEADER + GOOD.replace(",400", ","), "line 2, column standard_error: is empty"),
        (HEADER + GOOD.replace(",400", ",nan"), "line 2, column standard_error"),
        (HEADER + GOOD.replace("2500.5", "inf"), "line 2, column delta_kpi: .*finite"),
        (HEADER + GOOD.replace("2500.5", "much"), "line 2, column delta_kpi: .*'much'"),
        (HEADER + GOOD.replace(",1000", ",0"), "line 2, .*delta_spend is 0"),
        (HEADER + GOOD.replace("2024-01-28", "2023-01-28"), "line 2, .*is before start"),
        (HEADER + GOOD.replace("2024-01-28", "28.1.2024"), "line 2, column end: must be a date"),
        (HEADER + GOOD + GOOD, "line 3: repeats line 2"),
        (HEADER + '"tv', r"line 2: unexpected end"),
        (b"\xff\xfe", "is not UTF-8"),
        ("x" * 1_000_001, "larger than"),
    ],
)
def test_a_bad_file_names_line_column_and_rule(lift_file, content, message):
    with pytest.raises(SpecError, match=message):
        read_lift_tests(lift_file(content))


def test_all_problems_are_reported_at_once(lift_file):
    content = HEADER + GOOD.replace(",400", ",-1") + GOOD.replace("2500.5", "x") + "a\n"
    with pytest.raises(SpecError) as caught:
        read_lift_tests(lift_file(content))
    assert len(caught.value.problems) == 3


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"nowhere\.csv does not exist"):
        read_lift_tests(tmp_path / "nowhere.csv")
    with pytest.raises(SpecError, match="is a folder"):
        read_lift_tests(tmp_path)


@pytest.mark.parametrize(
    ("lift_tests", "message"),
    [
        ("lift.csv", "a path works in a spec file only"),
        ([{"channel": "tv"}], "lift_tests.0.start: required"),
        ([{"channel": "tv", "start": 20240101}], "lift_tests.0.start: must be a date"),
        ([{"chanel": "tv"}], "lift_tests.0.chanel: unknown key; did you mean 'channel'"),
    ],
)
def test_rows_in_the_spec_are_checked_alike(lift_tests, message):
    from schemas.spec.errors import parse_run_spec

    with pytest.raises(SpecError, match=message):
        parse_run_spec({"dataset_id": "x", "lift_tests": lift_tests})


def test_a_row_given_twice_and_a_kind_without_calibration_are_refused():
    row = {
        "channel": "tv",
        "start": "2024-01-01",
        "end": "2024-01-28",
        "delta_spend": 1,
        "delta_kpi": 2,
        "standard_error": 3,
    }
    with pytest.raises(ValueError, match="row 1 repeats row 0"):
        RunSpec(dataset_id="x", lift_tests=[row, dict(row)])
    with pytest.raises(ValueError, match="lift_tests: only kind mmm knows this"):
        RunSpec(dataset_id="x", lift_tests=[row], model={"kind": "log_student_t"})
