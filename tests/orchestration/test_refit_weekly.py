"""The weekly refit as a user lives it: week after week, a bad week, a bad fit.

One dataset goes through the whole flow with few draws and lenient gates; each test reads what the
weeks left behind. With the fast tests, ``test_toy_kind.py`` goes the same way without sampling.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import mlflow
import pandas as pd
import pytest
from support.brief import LENIENT_GATES
from support.consistency import assert_consistent

from flows.cli import app
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import CorruptArtifactError, DataContractError
from schemas.names import (
    CONTRIBUTION_COLUMNS,
    FITTED_COLUMNS,
    FORECAST_ACTUALS_COLUMNS,
    FORECAST_COLUMNS,
    Artifact,
)
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.store.home import Home
from tasks.store.runs.champions import find_champion
from tasks.store.warehouse.places import warehouse_of

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
SPEC = {
    "dataset_id": "acme",
    "sampler": {"draws": 400, "tune": 300, "chains": 2},
    "gates": LENIENT_GATES,
}


class Weeks(NamedTuple):
    home: Home
    first: RefitReport
    second: RefitReport
    rejected: RefitReport
    refusal: DataContractError


def refit(data: Path, **changes) -> RefitReport:
    from flows.refit_weekly import refit_weekly

    spec = RunSpec.model_validate({**SPEC, **changes})
    return refit_weekly(RefitRequest(spec=spec, data=str(data)))


@pytest.fixture(scope="module")
def weeks(prefect_env, tmp_path_factory) -> Iterator[Weeks]:
    root = tmp_path_factory.mktemp("weeks")
    panel = pd.read_csv(DEMO, dtype=str)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)

        def file(name: str, rows: pd.DataFrame) -> Path:
            rows.to_csv(root / name, index=False)
            return root / name

        first = refit(file("week1.csv", panel.iloc[:-1]))
        second = refit(file("week2.csv", panel))
        impossible = {**LENIENT_GATES, "sampling": {"ess_pass": 100_000, "ess_review": 99_999}}
        once = {**SPEC["sampler"], "escalation": {"max_retries": 0}}
        rejected = refit(root / "week2.csv", gates=impossible, sampler=once)
        broken = panel.assign(sales=["-", *panel["sales"][1:]])
        with pytest.raises(DataContractError) as refusal:
            refit(file("bad.csv", broken))
        yield Weeks(Home(root.resolve()), first, second, rejected, refusal.value)


def query(home: Home, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse_of(home, "acme")), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_two_weeks_are_two_snapshots_runs_and_versions(weeks):
    assert weeks.first.snapshot_id != weeks.second.snapshot_id
    assert weeks.first.mlflow_run_id != weeks.second.mlflow_run_id
    assert (weeks.first.model_version, weeks.second.model_version) == (1, 2)
    assert weeks.first.champion == "acme@1"


def test_every_artifact_of_a_run_is_there_with_its_public_columns(weeks):
    folder = Path(weeks.second.artifacts_dir)
    optional = {Artifact.PYMC_MARKETING, Artifact.ESCALATION}
    optional |= {Artifact.CAUSAL_GRAPH, Artifact.CAUSAL_GRAPH_PICTURE}  # of one kind alone
    missing = [a for a in Artifact if a not in optional and not (folder / a).is_file()]
    assert not missing
    assert tuple(pd.read_parquet(folder / Artifact.CONTRIBUTIONS)) == CONTRIBUTION_COLUMNS
    assert tuple(pd.read_parquet(folder / Artifact.FITTED)) == FITTED_COLUMNS
    status = json.loads((folder / Artifact.RUN_STATUS).read_text())
    assert status["status"] == RunStatus.OUTPUTS_READY


def test_contributions_in_the_mart_add_up_to_the_fitted_kpi(weeks):
    gap = query(
        weeks.home,
        f"""select max(abs(total - fitted_mean) / fitted_mean) from mart.fitted join (
              select run_id, entity_id, period_start, sum(contribution_mean) as total
              from mart.contributions group by all) using (run_id, entity_id, period_start)
            where run_id = '{weeks.second.run_id}'""",
    )
    assert gap[0][0] < 1e-9


def test_what_a_week_forecast_is_beside_what_happened_a_week_later(weeks):
    made = pd.read_parquet(Path(weeks.first.artifacts_dir) / Artifact.FORECAST)
    none_yet = pd.read_parquet(Path(weeks.first.artifacts_dir) / Artifact.FORECAST_ACTUALS)
    due = pd.read_parquet(Path(weeks.second.artifacts_dir) / Artifact.FORECAST_ACTUALS)
    assert (tuple(made), tuple(due)) == (FORECAST_COLUMNS, FORECAST_ACTUALS_COLUMNS)
    assert none_yet.empty
    assert set(due["forecast_run_id"]) == {weeks.first.run_id}
    assert due[["scope", "periods_ahead"]].to_numpy().tolist() == [["all", 1], ["entity", 1]]
    last = pd.read_csv(DEMO).iloc[-1]
    assert due["actual"].tolist() == [last["sales"]] * 2
    assert due["period_start"].eq(pd.Timestamp(last["period_start"])).all()
    ahead = made[made["periods_ahead"] == 1].sort_values("scope", ignore_index=True)
    summary = [c for c in FORECAST_COLUMNS if c.startswith("kpi_")]
    pd.testing.assert_frame_equal(due[summary], ahead[summary])


def test_only_accepted_fits_forecast(weeks):
    forecasters = query(weeks.home, "select distinct run_id from mart.forecasts order by 1")
    assert forecasters == sorted([(weeks.first.run_id,), (weeks.second.run_id,)])
    assert not (Path(weeks.rejected.artifacts_dir) / Artifact.FORECAST).exists()
    client = mlflow.MlflowClient(weeks.home.tracking_uri)
    logged = [f.path for f in client.list_artifacts(weeks.second.mlflow_run_id)]
    folder = [p for p in logged if "." not in p]
    logged += [f.path for p in folder for f in client.list_artifacts(weeks.second.mlflow_run_id, p)]
    assert {Path(p).name for p in logged} >= {Artifact.FORECAST, Artifact.FORECAST_ACTUALS}


def test_a_rejected_fit_is_recorded_and_leaves_the_champion(weeks):
    assert weeks.rejected.verdict is Verdict.FAIL
    assert weeks.rejected.model_version is None
    assert weeks.rejected.champion == weeks.second.champion
    assert weeks.rejected.mlflow_run_id
    assert any("ess_bulk_min" in reason for reason in weeks.rejected.reasons)


def test_the_same_file_twice_is_one_batch_and_one_snapshot(weeks):
    assert weeks.rejected.snapshot_id == weeks.second.snapshot_id
    assert query(weeks.home, "select count(*) from ops.batches where status = 'ACCEPTED'") == [(2,)]


def test_bad_data_is_refused_whole_and_leaves_canonical_as_it_was(weeks):
    assert "line 2" in str(weeks.refusal)
    assert "sales" in str(weeks.refusal)
    assert query(weeks.home, "select count(*) from canonical.kpi") == [(156,)]
    assert query(weeks.home, "select status from ops.batches where source_name = 'bad.csv'") == [
        ("REFUSED",)
    ]


def test_the_second_week_says_why_its_returns_changed(weeks):
    first, second = weeks.first.run_id, weeks.second.run_id
    reported = json.loads((Path(weeks.second.artifacts_dir) / Artifact.CHANGE).read_text())
    assert (reported["run_a"], reported["run_b"], reported["changed"]) == (
        first,
        second,
        ["new_periods"],
    )
    assert [fit["name"] for fit in reported["fits"]] == ["noise"]
    published = query(
        weeks.home,
        f"""select roas_mean from mart.roas where run_id = '{second}' and channel = 'tv'""",
    )
    rows = query(
        weeks.home,
        """select run_b, count(*), max(abs(noise + new_periods - after + before)),
                  max(after) filter (where channel = 'tv') from mart.changes group by all""",
    )
    assert rows == [(second, 5, pytest.approx(0, abs=1e-12), published[0][0])]
    client = mlflow.MlflowClient(weeks.home.tracking_uri)
    experiment = client.get_experiment_by_name("acme").experiment_id
    parent = f"tags.`mlflow.parentRunId` = '{weeks.second.mlflow_run_id}'"
    assert len(client.search_runs([experiment], parent)) == 1
    page = (Path(weeks.second.artifacts_dir) / Artifact.REPORT).read_text()
    assert "Why returns changed since the champion" in page
    assert all(row["sentence"] in page for row in reported["channels"])


def test_only_a_refit_with_a_champion_to_compare_with_is_explained(weeks):
    assert not (Path(weeks.first.artifacts_dir) / Artifact.CHANGE).exists()
    assert not (Path(weeks.rejected.artifacts_dir) / Artifact.CHANGE).exists()
    assert not list(weeks.home.steps.glob("*/explain")), "auxiliary fits leave nothing behind"


def test_a_failed_run_ends_in_error_with_its_reason(weeks):
    ended = query(weeks.home, "select status, reason from ops.runs where status = 'ERROR'")
    assert len(ended) == 1
    assert "sales" in ended[0][1]


def test_the_registered_champion_predicts_the_kpi_and_its_parts(weeks):
    mlflow.set_tracking_uri(weeks.home.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/acme@champion")
    rows = pd.read_parquet(Path(weeks.second.artifacts_dir) / Artifact.FEATURES)
    columns = model.metadata.get_input_schema().input_names()
    predicted = model.predict(rows[columns])
    parts = predicted.filter(like="contribution_").sum(axis=1)
    pd.testing.assert_series_equal(parts, predicted["kpi_mean"], check_names=False)


def test_the_same_snapshot_spec_and_seed_give_the_same_draws(weeks):
    posteriors = [
        Path(report.artifacts_dir, Artifact.POSTERIOR).read_bytes()
        for report in (weeks.second, weeks.rejected)
    ]
    assert posteriors[0] == posteriors[1]


def test_a_lost_mlflow_store_is_reported_and_made_again_from_the_run_folders(
    weeks, tmp_path, monkeypatch, capsys
):
    root = tmp_path / "home"
    shutil.copytree(weeks.home.root, root)
    (root / "mlruns" / "mlflow.db").unlink()
    monkeypatch.setenv("MMM_HOME", str(root))
    with pytest.raises(CorruptArtifactError, match=r"is gone.*`mmm repair` make it again"):
        find_champion(Home(root.resolve()), "acme")
    assert app.main(["repair", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)["mlflow"]
    runs = [weeks.first.run_id, weeks.second.run_id, weeks.rejected.run_id]
    assert done == {"runs_logged_again": runs, "runs_not_logged": [], "champions": ["acme@2"]}
    home = Home(root.resolve())
    assert find_champion(home, "acme").run_id == weeks.second.run_id
    assert_consistent(home)
    client = mlflow.MlflowClient(home.tracking_uri)
    assert sorted(int(v.version) for v in client.search_model_versions("name = 'acme'")) == [1, 2]
    mlflow.set_tracking_uri(home.tracking_uri)
    rows = pd.read_parquet(home.run_dir(weeks.second.run_id) / Artifact.FEATURES)
    model = mlflow.pyfunc.load_model("models:/acme@champion")
    predicted = model.predict(rows[model.metadata.get_input_schema().input_names()])
    assert predicted["kpi_mean"].notna().all()
    assert app.main(["repair"]) == 0
    assert "nothing had to be mended" in capsys.readouterr().out
