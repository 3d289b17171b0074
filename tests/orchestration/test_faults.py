"""What goes wrong on a Monday: the champion stays, and nothing in the home contradicts itself."""

import json
import shutil
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from support import faults
from support.consistency import assert_consistent
from support.mondays import BEFORE, DATASET, GOOD, ask, write_weeks

from flows.cli import app
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import (
    CorruptArtifactError,
    DataContractError,
    MmmError,
    ResourceUnavailableError,
    SamplingError,
    SpecError,
    StorageError,
)
from schemas.names import Artifact
from tasks.store.home import Home
from tasks.store.locks import dataset_lock
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.places import warehouse_of
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.runs import list_runs

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]


class Monday(NamedTuple):
    """A home with a champion, this week's file, and the flow's module, to be tampered with."""

    home: Home
    data: Path
    flow: object

    def refit(self, **changes) -> RefitReport:
        return self.flow.refit_weekly(ask(self.data, **changes))

    def newest(self):
        return list_runs(self.home, DATASET)[0]

    def champion(self) -> int:
        return find_champion(self.home, DATASET).version

    def assert_unharmed(self) -> None:
        assert self.champion() == 1
        assert [row.version for row in list_promotions(self.home, DATASET)] == [1]
        assert_consistent(self.home)


@pytest.fixture(scope="module")
def started(prefect_env, tmp_path_factory) -> tuple[Path, Path]:
    """A home with last week's champion, and this week's file."""
    from flows.refit_weekly import refit_weekly

    root = tmp_path_factory.mktemp("started")
    weeks = write_weeks(tmp_path_factory.mktemp("weeks"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        report = refit_weekly(ask(weeks[BEFORE], weeks_later=0))
        assert report.champion == "acme@1"
        assert_consistent(Home(root.resolve()))
    return root, weeks[GOOD]


@pytest.fixture
def monday(started, tmp_path, monkeypatch) -> Monday:
    from flows import refit_weekly

    root = tmp_path / "home"
    shutil.copytree(started[0], root)
    monkeypatch.setenv("MMM_HOME", str(root))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Monday(Home(root.resolve()), started[1], refit_weekly)


@pytest.fixture
def samplings(monkeypatch) -> list[int]:
    """Count the fits that are really sampled, those that explain a change too."""
    from tasks.models import sampling

    counted, sample = [], sampling.sample_posterior

    def count(*args, **kwargs):
        counted.append(1)
        return sample(*args, **kwargs)

    monkeypatch.setattr(sampling, "sample_posterior", count)
    return counted


def fails(monday: Monday, error: type[MmmError], code: int, said: str, **changes) -> None:
    """Refit, and see it end with an error of that exit code whose message says so."""
    with pytest.raises(error, match=said) as caught:
        monday.refit(**changes)
    assert caught.value.exit_code == code


@pytest.mark.slow
def test_a_disk_that_fills_while_publishing_loses_nothing_but_time(monday, monkeypatch, samplings):
    publish = monday.flow.publish_run

    def publish_when_full(*args, **kwargs):
        with faults.full_disk(free_bytes=64_000):
            return publish.with_options(retries=0)(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(monday.flow, "publish_run", publish_when_full)
        said = "mlruns cannot be written: .*disk is full or failing"
        fails(monday, StorageError, 1, said, choose=[])
    assert "cannot be written" in monday.newest().reason
    monday.assert_unharmed()

    (posterior,) = monday.home.steps.glob(f"*/*/{Artifact.POSTERIOR}")
    faults.flip_a_byte(posterior)
    until_then = len(samplings)
    # No other shape is tried beside it, so that each fit is one sampling.
    assert monday.refit(choose=[]).champion == "acme@2"
    assert len(samplings) == until_then + 1, "what the disk has spoilt is fitted again"
    assert_consistent(monday.home)


def test_a_disk_that_is_full_from_the_start_says_so(monday):
    with faults.full_disk(free_bytes=64_000):
        fails(monday, StorageError, 1, r"acme\.duckdb cannot be written: File too large")
    monday.assert_unharmed()
    assert len(list_runs(monday.home)) == 1


def test_a_home_that_cannot_be_written_names_the_file_and_can_still_be_read(monday, capsys):
    home = monday.home.root
    with faults.read_only(home):
        fails(monday, StorageError, 1, r"acme\.lock cannot be written: Permission denied")
        assert app.main(["runs", "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["runs"]) == 1
        # Nothing is due, so there is nothing to write.
        assert app.main(["score", "--dataset", DATASET]) == 0
        capsys.readouterr()
        assert app.main(["rollback", "--dataset", DATASET, "--to", "1", "--reason", "a test"]) == 1
        assert "cannot be written" in capsys.readouterr().err


def test_an_mlflow_that_is_not_there_is_reported_before_anything_is_fitted(
    monday, monkeypatch, samplings
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", faults.dead_server())
    fails(monday, ResourceUnavailableError, 4, "MLflow at http.* does not answer")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert samplings == []
    assert len(list_runs(monday.home)) == 1
    monday.assert_unharmed()


@pytest.mark.slow
def test_an_mlflow_that_goes_away_promotes_nothing_and_the_next_run_finishes_it(
    monday, monkeypatch, samplings
):
    publish = monday.flow.publish_run

    def publish_without_mlflow(*args, **kwargs):
        with monkeypatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", faults.dead_server())
            return publish.with_options(retries=0)(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(monday.flow, "publish_run", publish_without_mlflow)
        fails(monday, ResourceUnavailableError, 4, "does not answer")
    interrupted, until_then = monday.newest(), len(samplings)
    assert (interrupted.status, interrupted.model_version) == (RunStatus.ERROR, None)
    monday.assert_unharmed()

    report = monday.refit()
    assert (report.run_id, report.champion) == (interrupted.run_id, "acme@2")
    assert until_then
    assert len(samplings) == until_then, "nothing is fitted again"
    assert_consistent(monday.home)


def test_a_warehouse_that_another_program_holds_is_waited_for_and_then_given_up(
    monday, monkeypatch
):
    faults.wait_no_longer(monkeypatch, 0.3)
    with faults.held_by_another(warehouse_of(monday.home, DATASET)):
        fails(monday, ResourceUnavailableError, 4, r"acme\.duckdb is locked by another process")
    monday.assert_unharmed()
    assert len(list_runs(monday.home)) == 1


def test_a_second_refit_of_a_dataset_waits_and_then_gives_up(monday, monkeypatch):
    impatient = partial(monday.flow.exclusive, wait_seconds=0.2)
    monkeypatch.setattr(monday.flow, "exclusive", impatient)
    with dataset_lock(monday.home, DATASET, wait_seconds=0):
        fails(monday, ResourceUnavailableError, 4, "Dataset 'acme' is locked by another process")
    monday.assert_unharmed()


def test_a_reader_gets_what_was_committed_last_while_a_writer_is_at_work(
    monday, monkeypatch, capsys
):
    from tasks.store.warehouse.connection import writing

    faults.wait_no_longer(monkeypatch, 0.3)
    run_id = monday.newest().run_id
    with writing(monday.home, DATASET) as con:
        con.execute("update ops.runs set status = 'ERROR'")
        assert app.main(["runs", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["runs"][0]["status"] == "OUTPUTS_READY"
        assert app.main(["show", run_id, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["champion"] == "acme@1"
        con.execute("update ops.runs set status = 'OUTPUTS_READY'")
    monday.assert_unharmed()


@pytest.mark.parametrize("fault", ["raises", "returns no numbers"])
def test_a_sampler_that_fails_ends_in_a_typed_error(monday, monkeypatch, fault):
    from tasks.models import sampling

    sample = sampling._sample_nutpie

    def broken(*args):
        if fault == "raises":
            raise RuntimeError("all initial points failed")
        tree = sample(*args)
        first = next(iter(tree["posterior"].data_vars.values()))
        first.to_numpy()[0, :10] = np.nan
        return tree

    monkeypatch.setattr(sampling, "_sample_nutpie", broken)
    said = "all initial points failed" if fault == "raises" else "are not finite"
    fails(monday, SamplingError, 3, said)
    assert monday.newest().status is RunStatus.ERROR
    assert not list(monday.home.steps.glob("*/fit_posterior.json"))
    monday.assert_unharmed()


@pytest.mark.slow
def test_a_clock_that_jumps_back_a_year_refits_nothing_until_it_is_right_again(
    monday, monkeypatch, samplings
):
    with monkeypatch.context() as patch:
        faults.set_clock(patch, timedelta(days=-365))
        fails(monday, SpecError, 2, r"is after today \(.* by this machine's clock\)")
    assert samplings == []
    monday.assert_unharmed()
    first, second = monday.newest(), monday.refit()
    assert second.champion == "acme@2"
    decisions = list_promotions(monday.home, DATASET)
    assert [row.run_id for row in decisions] == [first.run_id, second.run_id]
    assert_consistent(monday.home)


def test_a_clock_that_is_a_year_behind_cannot_rewrite_what_is_known(monday, monkeypatch):
    last = ask(monday.data).as_of
    faults.set_clock(monkeypatch, timedelta(days=-365 * 3))
    request = ask(monday.data).model_copy(update={"as_of": None})
    with pytest.raises(DataContractError, match="Set the clock right if it is behind") as caught:
        monday.flow.refit_weekly(request)
    assert caught.value.exit_code == 2
    assert str(last - timedelta(weeks=1)) in str(caught.value)
    monday.assert_unharmed()


@pytest.mark.parametrize("name", [Artifact.POSTERIOR, Artifact.ROI_METRICS, Artifact.FEATURES])
def test_a_plan_from_a_champion_whose_files_were_changed_is_refused(monday, name):
    from schemas.spec.plan_request import PlannedModel, PlanRequest
    from tasks.optimize.task import plan_spend
    from tasks.store.runs.plan_sources import find_planned_run, open_source

    model = PlannedModel(dataset_id=DATASET)
    faults.flip_a_byte(monday.home.run_dir(monday.newest().run_id) / name)
    source = open_source(monday.home, find_planned_run(monday.home, model))
    request = PlanRequest(models=[model], random_seed=1)
    with pytest.raises(CorruptArtifactError, match=f"{name} was changed") as caught:
        plan_spend.fn([source], request, "plan-1", str(monday.home.plan_dir("plan-1")))
    assert caught.value.exit_code == 1
    assert monday.champion() == 1


def test_an_export_and_a_comparison_notice_a_champions_changed_file(monday, tmp_path, capsys):
    from tasks.store.runs.documents import open_documents

    run_id = monday.newest().run_id
    path = monday.home.run_dir(run_id) / Artifact.CHANNEL_QUANTILES
    path.write_text(path.read_text().replace("1", "2"))
    with pytest.raises(CorruptArtifactError, match="was changed after it was published"):
        open_documents(monday.home, run_id, [Artifact.CHANNEL_QUANTILES])
    assert app.main(["export", run_id, "--format", "csv", "--out", str(tmp_path / "out")]) == 1
    assert "channel_quantiles.json was changed" in capsys.readouterr().err


def test_a_score_reports_that_a_champions_draws_were_changed(monday):
    from tasks.forecast.task import score_runs
    from tasks.store.warehouse.connection import writing

    with writing(monday.home, DATASET) as con:  # the KPI of the week that the champion has forecast
        con.execute(
            "insert into canonical.kpi select * replace (period_start + 7 as period_start) "
            "from canonical.kpi where period_start = (select max(period_start) from canonical.kpi)"
        )
    faults.flip_a_byte(monday.home.run_dir(monday.newest().run_id) / Artifact.POSTERIOR)
    scored = score_runs.fn(DATASET)
    assert any("posterior.nc was changed" in note for note in scored.notes)
    assert scored.n_new > 0
