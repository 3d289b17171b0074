"""Steps that ended are not repeated; each retry of an escalation has a record of its own."""

import pytest

from schemas.refs import FileRef, StepKey
from schemas.spec.sampler import SamplerSpec
from tasks.store.files.artifacts import write_json
from tasks.store.home import current_home
from tasks.store.runs.resume import fit_dir, forget_steps, has_record, resumable

calls = []


@resumable
def sample(key: StepKey, settings: SamplerSpec) -> FileRef:
    """A step that counts its calls."""
    calls.append((settings.tune, key.retry))
    home = current_home()
    path = fit_dir(home, key) / "draws.json"
    return write_json(home, path, {"tune": settings.tune})


@pytest.fixture(autouse=True)
def _fresh(home):
    calls.clear()


def key_of(retry):
    return StepKey(run_id="run-1", retry=retry)


def climb():
    return [sample(key_of(retry), SamplerSpec(tune=100 * (retry + 1))) for retry in range(3)]


def test_a_step_that_ended_returns_what_it_returned():
    first = sample(key_of(None), SamplerSpec())
    assert sample(key_of(None), SamplerSpec()) == first
    assert calls == [(1000, None)]


def test_every_retry_is_taken_over_not_only_the_last():
    first = climb()
    assert climb() == first
    assert calls == [(100, 0), (200, 1), (300, 2)]


def test_retries_do_not_overwrite_each_other(home):
    paths = {ref.path for ref in climb()}
    assert len(paths) == 3
    assert not (home.run_dir("run-1") / "draws.json").exists()


def test_only_the_retry_whose_file_was_lost_is_done_again(home):
    refs = climb()
    (home.root / refs[1].path).unlink()
    climb()
    assert calls[3:] == [(200, 1)]


def test_the_first_retry_counts_as_the_step_itself(home):
    sample(key_of(0), SamplerSpec())
    assert has_record(home, "run-1", "sample")


def test_other_settings_are_another_step():
    sample(key_of(0), SamplerSpec(tune=100))
    sample(key_of(0), SamplerSpec(tune=200))
    assert calls == [(100, 0), (200, 0)]


def test_a_step_without_a_key_cannot_be_made():
    with pytest.raises(TypeError, match="first parameter of a resumable step is a StepKey"):

        @resumable
        def unkeyed(settings: SamplerSpec, key: StepKey) -> FileRef: ...


def test_what_is_forgotten_is_done_again_and_leaves_no_file(home):
    climb()
    forget_steps(home, "run-1")
    assert not (home.steps / "run-1").exists()
    sample(key_of(0), SamplerSpec(tune=100))
    assert calls[3:] == [(100, 0)]
