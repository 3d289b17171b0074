"""Whatever text arrives as a run spec, it is one or is refused with its problems."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import SpecError
from schemas.spec.run_spec import RunSpec
from tasks.store.inputs.spec_file import parse_document, read_run_spec

DEMO = Path(__file__).resolve().parents[3] / "data" / "demo" / "run_spec.yaml"
KEYS = [*RunSpec.model_fields, "decay", "kind", "prior", "__class__", "<<", "", "ü", "a.b"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["mmm", "/etc/passwd", "!!python/object/apply:os.system ['id']", "2023-13-01"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
OFTEN = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(folder: Path, text: str, suffix: str) -> None:
    path = folder / f"spec{suffix}"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    spec = refused = None
    try:
        spec = read_run_spec(path)
    except SpecError as error:
        refused = error
    assert isinstance(spec, RunSpec) or str(refused)


@OFTEN
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_a_good_spec_with_any_value_under_any_key(tmp_path, key, value):
    document = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    read(tmp_path, json.dumps({**document, key: value}), ".json")


@OFTEN
@given(text=st.text(max_size=200), suffix=st.sampled_from([".yaml", ".json", ""]))
def test_any_text(tmp_path, text, suffix):
    read(tmp_path, text, suffix)


@OFTEN
@given(
    at=st.integers(0, 2000), piece=st.text(max_size=6) | st.sampled_from(["&a", "*a", "? ", "- "])
)
def test_a_good_spec_with_a_piece_of_text_put_in(tmp_path, at, piece):
    text = DEMO.read_text(encoding="utf-8")
    at %= len(text)
    read(tmp_path, text[:at] + piece + text[at:], ".yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\n"
        "f: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f]\nchannels: [*g,*g,*g]\n",
        "a: &a {b: *a}\n",
        "[" * 5000,
        '{"a":' * 5000,
        "!!python/object/apply:os.system ['true']",
        "dataset_id: " + "x" * 100_000,
    ],
    ids=["entities that multiply", "a circle", "depth", "depth in JSON", "a call", "length"],
)
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_bomb_of_text_is_refused_at_once(tmp_path, text, suffix):
    path = tmp_path / f"spec{suffix}"
    path.write_text(text)
    with pytest.raises(SpecError):
        read_run_spec(path)


def test_more_than_a_hundred_levels_are_refused_as_they_are_read():
    assert parse_document("[" * 100 + "]" * 100, name="spec.yaml")
    with pytest.raises(SpecError, match="nested too deeply"):
        parse_document("[" * 101 + "]" * 101, name="spec.yaml")
