"""Files of a published run are what they were, or whoever reads them says so."""

import pytest

from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from tasks.store.files.artifacts import write_json
from tasks.store.runs.digests import recorded_digest, require_unchanged, write_digests


@pytest.fixture
def folder(home):
    for name in (Artifact.PLAN, Artifact.RUN_STATUS):
        write_json(home, home.run_dir("run-1") / name, {"n": 1})
    write_digests(home, "run-1")
    return home.run_dir("run-1")


def test_a_file_that_was_changed_is_named(folder):
    require_unchanged(folder, Artifact)
    (folder / Artifact.PLAN).write_text("{}")
    with pytest.raises(CorruptArtifactError, match=r"plan\.json was changed after it was publ"):
        require_unchanged(folder, Artifact)


def test_what_changes_rightly_is_not_on_record(folder):
    assert recorded_digest(folder / Artifact.RUN_STATUS) is None
    (folder / Artifact.RUN_STATUS).write_text("{}")
    require_unchanged(folder, Artifact)


def test_a_run_of_an_earlier_version_is_read_unchecked(folder):
    (folder / Artifact.DIGESTS).unlink()
    (folder / Artifact.PLAN).write_text("{}")
    require_unchanged(folder, Artifact)


def test_a_record_that_is_not_whole_is_no_permission(folder):
    (folder / Artifact.DIGESTS).write_text('{"plan.json": "0')
    with pytest.raises(CorruptArtifactError, match=r"digests\.json is not whole"):
        require_unchanged(folder, [Artifact.PLAN])


def test_writing_it_again_changes_nothing(home, folder):
    before = (folder / Artifact.DIGESTS).read_bytes()
    write_digests(home, "run-1")
    assert (folder / Artifact.DIGESTS).read_bytes() == before
