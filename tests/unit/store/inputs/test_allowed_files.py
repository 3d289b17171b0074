"""A spec opens what lies beside it or under a stated root; nothing else of the machine."""

from pathlib import Path

import pytest

from flows.spec_files import find_file
from schemas.errors import SpecError
from tasks.store.credential import api_credential, credential_path
from tasks.store.inputs.allowed_files import require_allowed
from tasks.store.inputs.lift_test_file import read_lift_tests
from tasks.store.inputs.spec_file import data_path, read_run_spec

SECRET = "https://hooks.example/s/planted"  # noqa: S105


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """A folder with a spec, far from home, checkout and the folder of the command."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere, tmp_path / "specs" / "data", tmp_path / "cwd"):
        folder.mkdir(parents=True)
    (elsewhere / "secret.csv").write_text(f"MMM_WEBHOOK_URL={SECRET}\n")
    monkeypatch.setenv("MMM_HOME", str(home))
    monkeypatch.chdir(tmp_path / "cwd")

    def write(**keys):
        path = tmp_path / "specs" / "spec.yaml"
        lines = [f"{key}: {value}" for key, value in {"dataset_id": "demo", **keys}.items()]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.mark.parametrize(
    "named",
    [
        "/proc/self/environ", "/etc/passwd", "../elsewhere/secret.csv",
        "data/../../elsewhere/secret.csv",
        "~/.netrc", "/dev/stdin", "../home/.prefect/api_auth",
    ],
)  # fmt: skip
def test_a_spec_may_not_name_a_file_elsewhere(spec, named):
    for key in ("lift_tests", "data"):
        path = spec(**{key: named})
        with pytest.raises(SpecError, match=rf"{key} in the run spec: .*MMM_DATA_ROOTS") as caught:
            data_path(read_run_spec(path), spec_path=path, override=None)
        assert SECRET not in str(caught.value)


def test_a_link_leads_nowhere_else(spec, tmp_path):
    (tmp_path / "specs" / "link.csv").symlink_to(tmp_path / "elsewhere" / "secret.csv")
    with pytest.raises(SpecError, match="outside the folders"):
        read_run_spec(spec(lift_tests="link.csv"))


def test_files_beside_and_below_the_spec_may_be_named(spec, tmp_path):
    for place in ("panel.csv", "data/panel.csv"):
        (tmp_path / "specs" / place).write_text("x\n1\n")
        path = spec(data=place)
        found = data_path(read_run_spec(path), spec_path=path, override=None)
        assert found == (tmp_path / "specs" / place).resolve()


def test_stated_roots_and_the_folder_of_the_command_may_be_named(spec, tmp_path, monkeypatch):
    path = spec(data="../elsewhere/secret.csv")
    monkeypatch.setenv("MMM_DATA_ROOTS", f"/nowhere:{tmp_path / 'elsewhere'}")
    assert data_path(read_run_spec(path), spec_path=path, override=None)
    monkeypatch.delenv("MMM_DATA_ROOTS")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert data_path(read_run_spec(path), spec_path=path, override=None)


def test_the_root_folder_as_working_folder_opens_nothing(spec, monkeypatch):
    monkeypatch.chdir("/")
    with pytest.raises(SpecError, match="outside"):
        read_run_spec(spec(lift_tests="/etc/passwd"))


def test_the_credential_of_the_home_is_never_named(spec, tmp_path, monkeypatch):
    from tasks.store.home import current_home

    api_credential(current_home())
    monkeypatch.setenv("MMM_DATA_ROOTS", str(tmp_path))
    with pytest.raises(SpecError, match="outside"):
        require_allowed(credential_path(current_home()), named_by="data")


def test_what_the_command_line_names_is_the_users_own(spec, tmp_path):
    path, other = spec(), tmp_path / "elsewhere" / "secret.csv"
    assert data_path(read_run_spec(path), spec_path=path, override=other) == other.resolve()


@pytest.mark.parametrize("named", ["/etc/passwd", "/proc/self/environ", "../elsewhere/secret.csv"])
def test_a_form_may_not_name_a_file_elsewhere(spec, tmp_path, named):
    (tmp_path / "home" / "x").mkdir()
    with pytest.raises(SpecError, match=r"spec_file: "):
        find_file(named, parameter="spec_file")


def test_a_form_may_name_files_of_the_home(spec, tmp_path):
    (tmp_path / "home" / "spec.yaml").write_text("dataset_id: demo\n")
    assert find_file("spec.yaml", parameter="spec_file") == tmp_path / "home" / "spec.yaml"


@pytest.mark.parametrize(
    "text", [f"MMM_WEBHOOK_URL={SECRET}\n", f"channel,{SECRET}\n1,2\n", f"a=1\0b={SECRET}\0"]
)
def test_a_file_that_is_no_table_of_lift_tests_is_not_quoted(tmp_path: Path, text):
    path = tmp_path / "lift.csv"
    path.write_text(text)
    with pytest.raises(SpecError, match="column 'delta_kpi' is missing") as caught:
        read_lift_tests(path)
    assert "planted" not in str(caught.value)
