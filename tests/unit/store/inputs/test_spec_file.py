"""A run spec file that cannot be used says which file, which line, which key."""

import pytest

from schemas.errors import SpecError
from schemas.spec.run_spec import RunSpec
from tasks.store.inputs.spec_file import data_path, read_run_spec


@pytest.fixture
def spec_of(tmp_path):
    def write(content, name="spec.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("s.yaml", "dataset_id: demo\nsampler: {draws: 50}\n"),
        ("s.yml", "dataset_id: demo\r\ndraws: 50\r\n"),
        ("s.json", '{"dataset_id": "demo", "draws": 50}'),
        ("s.json", b'\xef\xbb\xbf{"dataset_id": "demo", "draws": 50}'),
        ("spec", '{"dataset_id": "demo", "draws": 50}'),
        ("spec.txt", "dataset_id: demo\ndraws: 50"),
    ],
)
def test_json_and_yaml_are_read_by_suffix_or_content(spec_of, name, content):
    got = read_run_spec(spec_of(content, name))
    assert (got.dataset_id, got.sampler.draws) == ("demo", 50)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.yaml", "dataset_id: a\ndataset_id: b", r"s\.yaml, line 2.*'dataset_id' is given twice"),
        ("s.yaml", "model: {kind: mmm, kind: mmm}", "'kind' is given twice"),
        ("s.json", '{"dataset_id": "a", "dataset_id": "b"}', "'dataset_id' is given twice"),
        ("s.yaml", "a: b\n c: [", r"s\.yaml, line 2"),
        ("s.json", '{"dataset_id": "a",\n oops}', r"s\.json, line 2, column 2"),
        ("s.json", '{"dataset_id": NaN}', "NaN is not a number"),
        ("s.json", "[" * 100_000, r"s\.json.*nested too deeply"),
        ("s.yaml", "", "is empty"),
        ("s.yaml", "- a\n- b", "expected a mapping"),
        ("s.yaml", "!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("s.yaml", b"\xff\xfe\x00", "not UTF-8"),
        ("s.yaml", b"a: \x07", "not valid YAML"),
        ("s.yaml", "dataset_id: a\nx: 2020-99-99", r"s\.yaml"),
        ("s.yaml", "dataset_id: a\nchanels: []", "did you mean 'channels'"),
        ("s.yaml", "a" * 1_000_001, "larger than"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(spec_of, name, content, message):
    with pytest.raises(SpecError, match=message):
        read_run_spec(spec_of(content, name))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(SpecError, match=r"nowhere\.yaml does not exist"):
        read_run_spec(tmp_path / "nowhere.yaml")
    with pytest.raises(SpecError, match="is a folder"):
        read_run_spec(tmp_path)


def test_data_is_relative_to_the_spec_and_the_option_wins(spec_of, tmp_path):
    (tmp_path / "panel.csv").write_text("x")
    other = tmp_path / "other.csv"
    other.write_text("x")
    spec, path = RunSpec(dataset_id="demo", data="panel.csv"), tmp_path / "spec.yaml"
    assert data_path(spec, spec_path=path, override=None) == (tmp_path / "panel.csv").resolve()
    assert data_path(spec, spec_path=path, override=other) == other.resolve()
    assert data_path(RunSpec(dataset_id="demo"), spec_path=path, override=None) is None
    with pytest.raises(SpecError, match=r"--data: .*gone\.csv does not exist"):
        data_path(spec, spec_path=path, override=tmp_path / "gone.csv")
