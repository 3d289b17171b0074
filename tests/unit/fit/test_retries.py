"""The loop over forged fits: what is taken, what is written, what it may cost."""

import json

import pytest
from support.attempts import ForgedTasks

from flows.retries import try_until_sampled
from flows.timing import Timings
from schemas.errors import SamplingError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.refs import FeaturesRef, FileRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.fit.task import select_fit
from tasks.store.files.artifacts import open_ref, read_json

FILE = FileRef(path="x", sha256="0" * 64)
FEATURES = FeaturesRef(snapshot_id="s", features=FILE, metadata=FILE, scaler=FILE)
RUN = "run-1"


@pytest.fixture
def climb(home, monkeypatch):
    """Run an escalation without Prefect; return the judged fit and the forged tasks."""

    def run(*outcomes, seconds=1.0, timings=None, **sampler):
        spec = RunSpec.model_validate({"dataset_id": "d", "sampler": sampler})
        tasks = ForgedTasks(home, list(outcomes), seconds)
        timings = timings or Timings()
        monkeypatch.setattr("flows.retries.fit_posterior", tasks)
        monkeypatch.setattr("flows.retries.diagnose_posterior", tasks.diagnose)
        tried = try_until_sampled(FEATURES, [], spec, StepKey(run_id=RUN), timings)
        return select_fit.fn(spec, tried, RUN), tasks

    return run


def story(home):
    return json.loads((home.run_dir(RUN) / Artifact.ESCALATION).read_text())


def test_a_fit_that_is_sampled_well_is_not_repeated_and_leaves_no_story(climb, home):
    fit, tasks = climb("none")
    assert len(tasks.settings) == 1
    assert fit.diagnostics.verdict is Verdict.PASS
    assert not (home.run_dir(RUN) / Artifact.ESCALATION).exists()


def test_the_files_of_the_fit_that_is_taken_are_those_of_the_run(climb, home):
    fit, _ = climb("divergences", "divergences", "none")
    assert fit.posterior.posterior.path == f"data/runs/{RUN}/posterior.nc"
    for ref in (fit.posterior.posterior, fit.posterior.metadata):
        assert read_json(home, ref)["rung"] == 2
    assert read_json(home, fit.diagnostics.file)["divergences"] == 2
    for ref in (fit.posterior.posterior, fit.posterior.metadata, fit.diagnostics.file):
        assert open_ref(home, ref).parent == home.run_dir(RUN)
    summary = home.run_dir(RUN) / Artifact.POSTERIOR_SUMMARY
    assert json.loads(summary.read_text()) == {"rung": 2}
    assert story(home)["chosen"] == 2
    assert [row["kind"] for row in story(home)["rungs"]] == ["as_specified", "careful", "patient"]


def test_a_fit_that_is_given_up_never_touches_the_files_of_the_run(climb, home):
    climb("divergences", seconds=1e4, timeout_minutes=1e4 / 60)
    names = {p.name for p in home.run_dir(RUN).iterdir()}
    assert Artifact.ESCALATION not in names
    assert json.loads((home.run_dir(RUN) / "posterior.nc").read_text()) == {"rung": 0}


def test_where_every_fit_fails_the_run_is_rejected_with_the_reason(climb, home):
    fit, tasks = climb("divergences")
    assert len(tasks.settings) == 4
    assert fit.diagnostics.verdict is Verdict.FAIL
    assert "No fit of 4 was sampled well" in fit.diagnostics.reasons[-1]
    assert read_json(home, fit.diagnostics.file)["reasons"] == fit.diagnostics.reasons
    assert story(home)["stopped"] == "sampler.escalation.max_retries is 3"


def test_the_retries_can_be_switched_off(climb, home):
    fit, tasks = climb("divergences", escalation={"max_retries": 0})
    assert len(tasks.settings) == 1
    assert fit.diagnostics.verdict is Verdict.FAIL
    assert not (home.run_dir(RUN) / Artifact.ESCALATION).exists()


def test_all_fits_together_stay_within_the_time(climb):
    _, tasks = climb("divergences", seconds=10, escalation={"max_minutes": 1})
    # 10 s, then 22.5 s expected and 10 s taken, then 10 * 2 * 1.5 = 30 s and 10 s taken, and
    # the graph, 4 times as dear as the kernel, no more.
    assert len(tasks.settings) == 3
    assert tasks.limits == [3600, 50, 40]


def test_a_first_fit_that_stops_with_an_error_is_an_error(climb):
    with pytest.raises(SamplingError, match="it broke"):
        climb(SamplingError("it broke"))


@pytest.mark.parametrize("error", [SamplingError("it broke"), TimeoutError("too slow")])
def test_a_later_fit_that_stops_with_an_error_is_a_failed_retry(climb, home, error):
    fit, _ = climb("divergences", error, "none")
    assert fit.diagnostics.verdict is Verdict.PASS
    assert story(home)["rungs"][1]["error"] == f"{type(error).__name__}: {error}"
    assert story(home)["rungs"][1]["verdict"] is None


def test_seconds_of_all_fits_add_up(climb):
    timings = Timings()
    with timings.stage("fit"):
        pass
    timings.seconds["fit"] = 5.0
    climb("ess", "none", timings=timings)
    assert timings.seconds["fit"] >= 5.0
    assert set(timings.seconds) == {"fit", "diagnose"}
