"""Nothing outside the home is ever removed, whatever a name or a link says."""

import os

import pytest

from schemas.errors import MmmError
from tasks.store.files.removal import RefusedRemovalError, measure, remove


@pytest.fixture
def outside(tmp_path_factory):
    """A folder of somebody else, which must be whole after every test."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "precious.txt").write_text("a year of work")
    yield folder
    assert (folder / "precious.txt").read_text() == "a year of work"


@pytest.fixture
def folder(home):
    made = home.run_dir("run-1")
    (made / "figures").mkdir(parents=True)
    (made / "posterior.nc").write_bytes(b"x" * 100)
    (made / "run_spec.json").write_bytes(b"y" * 10)
    (made / "figures" / "roas.png").write_bytes(b"z" * 5)
    return made


def test_what_is_measured_is_what_goes_and_names_that_are_kept_stay(home, folder):
    keep = ("run_spec.json", "not_there.json")
    assert measure(home, folder, room=home.runs, keep=keep) == 105
    remove(home, folder, room=home.runs, keep=keep)
    assert [path.name for path in folder.iterdir()] == ["run_spec.json"]
    assert measure(home, folder, room=home.runs, keep=keep) == 0
    remove(home, folder, room=home.runs)
    assert not folder.exists()


def test_what_is_gone_already_is_fine(home):
    for path in (home.run_dir("none"), home.run_dir("none") / "deeper" / "still"):
        assert measure(home, path, room=home.runs) == 0
        remove(home, path, room=home.runs)


def test_a_kept_name_is_a_name_in_the_folder_itself(home, folder):
    (folder / "figures" / "run_spec.json").write_bytes(b"w" * 7)
    assert measure(home, folder, room=home.runs, keep=("run_spec.json",)) == 112
    remove(home, folder, room=home.runs, keep=("run_spec.json",))
    assert [path.name for path in folder.iterdir()] == ["run_spec.json"]


@pytest.mark.parametrize(
    "name", ["..", "../..", "../../etc", "../plans/x", "a/../../../x", "/etc", "", "."]
)
def test_a_hostile_name_is_refused(home, outside, name):
    for act in (measure, remove):
        with pytest.raises(RefusedRemovalError, match="left alone"):
            act(home, home.run_dir(name), room=home.runs)


def test_a_room_outside_of_the_home_is_refused(home, outside):
    with pytest.raises(RefusedRemovalError):
        remove(home, outside / "precious.txt", room=outside)


def test_a_link_in_place_of_the_folder_is_refused(home, outside):
    home.runs.mkdir(parents=True)
    home.run_dir("run-1").symlink_to(outside, target_is_directory=True)
    for act in (measure, remove):
        with pytest.raises(RefusedRemovalError, match="is a link"):
            act(home, home.run_dir("run-1"), room=home.runs)
    assert home.run_dir("run-1").is_symlink()


@pytest.mark.parametrize("level", ["data", "data/runs"])
def test_a_link_on_the_way_is_refused(home, outside, level):
    (outside / "run-1").mkdir()
    if level == "data":
        (outside / "runs").mkdir()
        (outside / "runs" / "run-1").mkdir()
    place = home.root / level
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside, target_is_directory=True)
    for act in (measure, remove):
        with pytest.raises(RefusedRemovalError, match="on its way"):
            act(home, home.run_dir("run-1"), room=home.runs)
    assert (outside / "run-1").is_dir()


def test_a_link_inside_goes_as_a_link(home, outside, folder):
    (folder / "mine").symlink_to(outside, target_is_directory=True)
    (folder / "figures" / "theirs.txt").symlink_to(outside / "precious.txt")
    assert measure(home, folder, room=home.runs) < 1000
    remove(home, folder, room=home.runs, keep=("run_spec.json",))
    assert [path.name for path in folder.iterdir()] == ["run_spec.json"]


def test_what_the_system_does_not_let_go_is_reported(home, folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(MmmError, match=r"Permission denied.*mend its permissions"):
        remove(home, folder, room=home.runs, keep=("run_spec.json",))
