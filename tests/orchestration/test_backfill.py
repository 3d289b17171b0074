"""A replay gives what the live weeks gave, does nothing twice, and goes on after a bad week."""

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from support.brief import BRIEF_SAMPLER, LENIENT_GATES

from schemas.answers.backfill import BackfillReport, BackfillRequest, ReplayOutcome
from schemas.documents.results import RefitReport, RunStatus
from schemas.errors import DataContractError, SamplingError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.store.home import Home
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.promotions import list_promotions

pytestmark = pytest.mark.orchestration

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
FIRST = date(2026, 11, 9)
SECOND, THIRD = FIRST + timedelta(weeks=1), FIRST + timedelta(weeks=2)
SPEC = {
    "dataset_id": "acme",
    "grain": "WEEK",
    "sampler": BRIEF_SAMPLER,
    "gates": LENIENT_GATES,
}
KNOWLEDGE = ("canonical.", "ops.batches", "ops.restatements")


def replay(home: Home, first: date, last: date, **options) -> BackfillReport:
    from flows.backfill import backfill

    request = BackfillRequest(
        spec_file=str(home.root / "spec.json"), first_date=first, last_date=last, **options
    )
    return backfill(request)


def count(home: Home, table: str) -> int:
    with reading(home, "acme") as con:
        return con.execute(f"select count(*) from {table}").fetchone()[0]


def keep_knowledge_only(home: Home) -> None:
    """Take from a warehouse all that runs have done; what was known, and when, stays."""
    with writing(home, "acme") as con:
        tables = con.execute("select schema_name || '.' || table_name from duckdb_tables()")
        for (table,) in tables.fetchall():
            if not table.startswith(KNOWLEDGE):
                con.execute(f"delete from {table}")


class Homes(NamedTuple):
    live: Home
    reports: list[RefitReport]
    later: Home
    replayed: BackfillReport
    again: BackfillReport


@pytest.fixture(scope="module")
def homes(prefect_env, tmp_path_factory) -> Homes:
    """Two live weeks; then the same in a home that has only what was known."""
    from flows.refit_weekly import refit_weekly

    root = tmp_path_factory.mktemp("backfill")
    live, later = Home(root / "live"), Home(root / "later")
    panel = pd.read_csv(DEMO, dtype=str).iloc[-84:]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MMM_HOME", str(live.root))
        live.root.mkdir()
        reports = []
        for day, rows in ((FIRST, panel.iloc[:-1]), (SECOND, restate(panel))):
            file = live.root / f"to_{day}.csv"
            rows.to_csv(file, index=False)
            spec = RunSpec.model_validate(SPEC)
            reports.append(refit_weekly(RefitRequest(spec=spec, data=str(file), as_of=day)))
        shutil.copytree(live.warehouses, later.warehouses)
        (later.root / "spec.json").write_text(json.dumps(SPEC))
        patch.setenv("MMM_HOME", str(later.root))
        keep_knowledge_only(later)
        replayed = replay(later, FIRST, THIRD)
        again = replay(later, FIRST, SECOND)
    return Homes(live, reports, later, replayed, again)


def restate(panel: pd.DataFrame) -> pd.DataFrame:
    """Raise the KPI of ten old weeks, so that the second week has something to review."""
    changed = panel.copy()
    weeks = changed.index[20:30]
    changed.loc[weeks, "sales"] = (changed.loc[weeks, "sales"].astype(float) * 1.3).map(
        "{:.2f}".format
    )
    return changed


@pytest.mark.slow
def test_each_week_has_the_snapshot_the_verdict_and_the_reasons_of_the_live_run(homes):
    reported = [(p.snapshot_id, p.verdict) for p in homes.replayed.periods[:2]]
    assert reported == [(r.snapshot_id, r.verdict) for r in homes.reports]
    reasons = [
        json.loads((homes.later.run_dir(p.run_id) / Artifact.DIAGNOSTICS).read_text())["reasons"]
        for p in homes.replayed.periods[:2]
    ]
    # A replay reports of a restatement since when it is accepted; a live run decides.
    replayed = [[re.sub(r" Accepted on [0-9-]+\.", "", r) for r in week] for week in reasons]
    assert replayed == [report.reasons for report in homes.reports]
    assert sum(r.startswith("restated_history") for r in replayed[1]) == 1


@pytest.mark.slow
def test_results_are_those_of_the_live_runs(homes):
    for report, period in zip(homes.reports, homes.replayed.periods, strict=False):
        live, replayed = Path(report.artifacts_dir), homes.later.run_dir(period.run_id)
        for name in (Artifact.CONTRIBUTIONS, Artifact.FORECAST, Artifact.FITTED):
            pd.testing.assert_frame_equal(
                pd.read_parquet(live / name), pd.read_parquet(replayed / name)
            )
        for name in (Artifact.ROI_METRICS, Artifact.POSTERIOR_SUMMARY):
            assert json.loads((live / name).read_text()) == json.loads(
                (replayed / name).read_text()
            )


@pytest.mark.slow
def test_champions_follow_each_other_as_they_did(homes):
    reported = [
        [(row.action, row.version, row.from_version) for row in list_promotions(home, "acme")]
        for home in (homes.live, homes.later)
    ]
    assert reported[0] == reported[1]
    assert [p.became_champion for p in homes.replayed.periods[:2]] == [True, True]


@pytest.mark.slow
def test_a_week_without_new_data_is_not_fitted(homes):
    last = homes.replayed.periods[2]
    assert (last.as_of, last.outcome, last.run_id) == (THIRD, ReplayOutcome.UNCHANGED, None)
    assert last.snapshot_id == homes.replayed.periods[1].snapshot_id
    assert homes.replayed.exit_code == 0


@pytest.mark.slow
def test_doing_it_again_repeats_nothing_and_freezes_no_second_forecast(homes):
    assert [p.outcome for p in homes.again.periods] == [ReplayOutcome.DONE] * 2
    assert [p.run_id for p in homes.again.periods] == [p.run_id for p in homes.replayed.periods[:2]]
    assert all(p.became_champion and p.r_hat_max for p in homes.again.periods)
    assert count(homes.later, "ops.runs") == 2
    assert count(homes.later, "mart.forecasts") == count(homes.live, "mart.forecasts")


@pytest.fixture
def stood_in(prefect_env, home, monkeypatch):
    """Replay with refits that end as they are notified; the home knows one file."""
    from flows import backfill as module

    (home.root / "spec.json").write_text(json.dumps(SPEC))
    pd.read_csv(DEMO, dtype=str).to_csv(home.root / "panel.csv", index=False)
    asked = []

    def run(*outcomes, **options):
        left = list(outcomes)

        def refit(request):
            asked.append(request)
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return RefitReport(
                run_id=f"acme-{len(asked)}", dataset_id="acme", snapshot_id=f"s{len(asked)}",
                status=RunStatus.OUTPUTS_READY, verdict=outcome, reasons=["r_hat_max is 1.3"],
                champion="acme@1", model_version=len(asked), artifacts_dir="", mlflow_run_id=None,
                metrics={"r_hat_max": 1.3}, findings=[], timings={},
            )  # fmt: skip

        monkeypatch.setattr(module, "refit_weekly", refit)
        last = FIRST + timedelta(weeks=len(outcomes) - 1, days=3)
        return replay(home, FIRST, last, **options), asked

    return run


def test_a_week_that_ends_badly_does_not_stop_the_next(stood_in):
    report, asked = stood_in(
        Verdict.PASS, DataContractError("no KPI"), SamplingError("no draws"),
        ZeroDivisionError("x"), Verdict.FAIL, Verdict.PASS,
    )  # fmt: skip
    assert [p.outcome.value for p in report.periods] == [
        "accepted", "bad data", "rejected", "failed", "rejected", "accepted",
    ]  # fmt: skip
    assert [p.reason for p in report.periods][1:5] == [
        "no KPI", "no draws", "ZeroDivisionError: x", "r_hat_max is 1.3",
    ]  # fmt: skip
    assert [p.became_champion for p in report.periods] == [True, *[False] * 5]
    assert report.exit_code == 1
    assert [r.as_of for r in asked] == [FIRST + timedelta(weeks=n) for n in range(6)]


def test_the_file_is_given_on_the_first_date_only(stood_in, home):
    _, asked = stood_in(Verdict.PASS, Verdict.PASS, data=str(home.root / "panel.csv"))
    assert [r.data for r in asked] == [str(home.root / "panel.csv"), None]
    assert all(r.is_replay for r in asked)


def test_a_file_that_the_home_came_to_know_later_cannot_be_replayed(stood_in, home):
    from tasks.ingest.task import ingest_file
    from tasks.store.warehouse.batches import accept_batch, insert_batch

    batch = ingest_file.fn(str(home.root / "panel.csv"), RunSpec.model_validate(SPEC))
    with writing(home, "acme") as con:
        insert_batch(con, batch)
        accept_batch(con, "acme", batch.batch_id, SECOND)
    with pytest.raises(DataContractError, match=f"knows the file from {SECOND}"):
        stood_in(Verdict.PASS, data=str(home.root / "panel.csv"))
