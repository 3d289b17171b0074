"""Scoring through the warehouse: two forged runs, their files, and weeks that come in later."""

import shutil
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from support.forged_runs import forge_run
from support.worlds import build_world, make_rows, make_spec

from schemas.documents.features import FeatureMetadata
from schemas.documents.forecast_scores import Alarm, AlarmKind
from schemas.errors import UnknownRunError
from schemas.names import Artifact
from tasks.forecast import task as forecasting
from tasks.forecast import task_due
from tasks.forecast.assumptions import list_assumptions
from tasks.forecast.deployed import predict_deployed
from tasks.forecast.forecast import continue_panel, forecast_kpi
from tasks.forecast.scores import crps_of_draws
from tasks.forecast.summary import summarize_scores
from tasks.forecast.task_due import read_settled
from tasks.mathematics.panel import build_panel
from tasks.query.runs import select_datasets
from tasks.store.files.artifacts import read_document, read_parquet
from tasks.store.home import Home
from tasks.store.runs.plan_sources import open_source
from tasks.store.warehouse.connection import reading, writing
from tasks.store.warehouse.forecasts import write_forecasts
from tasks.store.warehouse.runs import read_run
from tasks.store.warehouse.scores import alarms_of, read_scores, write_alarms

HORIZON = 6
SPEC = {"optimizer": {"horizon": HORIZON}, "sampler": {"random_seed": 3}}
ROWS = make_rows(2, 68)
WEEKS = sorted(ROWS["period_start"].unique())


def publish(home, run_id, n_weeks):
    """A run on the first weeks, with its files and its frozen forecast."""
    world = build_world(ROWS[ROWS["period_start"] < WEEKS[n_weeks]], make_spec(**SPEC))
    forge_run(home, run_id, world)
    source = open_source(home, read_run(home, run_id))
    metadata = read_document(home, source.features.metadata, FeatureMetadata)
    model = forecasting._open_fit(home, source.posterior, source.features).model
    panel = build_panel(read_parquet(home, source.features.features), metadata)
    frame = forecast_kpi(model, panel, metadata, horizon=HORIZON, seed=3)
    continued = continue_panel(panel, metadata, HORIZON)
    supposed = list_assumptions(continued.isel(date=slice(n_weeks, None)), metadata)
    with writing(home, "world") as con:
        write_forecasts(con, run_id, "world", frame, supposed, kpi="sales")
    return model, panel, metadata


def learn(home, rows, batch="b1"):
    """Write rows to canonical as if a batch had been accepted; what is known is replaced."""
    tables = {
        "kpi": [("sales", "sales", None)],
        "media": [
            ("act_tv", "tv", "activity"),
            ("spend_tv", "tv", "spend"),
            ("spend_search", "search", "spend"),
            ("act_email", "email", "activity"),
            ("act_rival", "rival", "activity"),
        ],
        "controls": [("ctrl_price", "price", None)],
    }
    with writing(home, "world") as con:
        for table, columns in tables.items():
            for column, name, measure in columns:
                long = rows[["entity_id", "period_start"]].assign(
                    dataset_id="world", name=name, value=rows[column], batch_id=batch,
                    known_from=date(2024, 1, 1), **({"measure": measure} if measure else {}),
                )  # fmt: skip
                con.register("given", long)
                same = " and k.measure = g.measure" if measure else ""
                con.execute(
                    f"delete from canonical.{table} k using given g where k.name = g.name and "
                    f"k.entity_id = g.entity_id and k.period_start = g.period_start{same}"
                )
                con.execute(f"insert into canonical.{table} by name from given")
                con.unregister("given")


def until(n_weeks):
    return ROWS[ROWS["period_start"] < WEEKS[n_weeks]]


def score(**given):
    return forecasting.score_runs.fn("world", **given)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs after 60 and 61 weeks, and a third week known; made once, copied for every test."""
    template = Home(tmp_path_factory.mktemp("two-runs").resolve())
    models = {"r1": publish(template, "r1", 60), "r2": publish(template, "r2", 61)}
    learn(template, until(63))
    return template, models


@pytest.fixture
def two_runs(home, made):
    template, models = made
    shutil.copytree(template.root, home.root, dirs_exist_ok=True)
    return home, models


def table_of(home, name):
    with reading(home, "world") as con:
        moment = " replace (timezone('UTC', scored_at) as scored_at)" if "scores" in name else ""
        return con.execute(f"select *{moment} from {name} order by all").df()


def test_every_run_is_scored_on_what_is_known(two_runs):
    home, _ = two_runs
    reported = score()
    # Three weeks of r1 and two of r2; two markets and all of them; two bases.
    assert (reported.n_runs, reported.n_new, reported.n_changed, reported.notes) == (2, 30, 0, [])
    counts = read_scores(home, "world").groupby(["forecast_run_id", "basis"]).size()
    assert counts.to_dict() == {
        ("r1", "deployed"): 9, ("r1", "published"): 9,
        ("r2", "deployed"): 6, ("r2", "published"): 6,
    }  # fmt: skip


def test_a_ledger_with_nothing_to_do_is_read_as_it_would_be_scored(two_runs):
    home, _ = two_runs
    assert read_settled("world") is None
    score()
    forecasting.watch_residuals.fn("world")
    settled = read_settled("world")
    assert (settled.n_runs, settled.n_new, settled.notes) == (2, 0, [])
    assert settled.summaries == summarize_scores(read_scores(home, "world"))
    assert settled.alarms == alarms_of(home, "world")
    learn(home, until(64), batch="b2")
    assert read_settled("world") is None


def test_an_alarm_that_is_to_be_cleared_is_something_to_do(two_runs):
    home, _ = two_runs
    score()
    gone = Alarm(
        dataset_id="world", kind=AlarmKind.KPI_ABOVE_FORECAST, first_period=date(2020, 1, 6),
        raised_period=date(2020, 2, 3), raised_at=datetime(2024, 1, 1, tzinfo=UTC), detail="Old.",
    )  # fmt: skip
    forecasting.watch_residuals.fn("world")
    assert read_settled("world") is not None
    with writing(home, "world") as con:
        write_alarms(con, [gone])
    assert read_settled("world") is None


def test_deployed_scores_equal_the_stored_model_on_the_real_weeks(two_runs):
    home, models = two_runs
    score()
    model, panel, metadata = models["r1"]
    got = predict_deployed(model, panel, metadata, until(63), horizon=HORIZON, seed=3)
    scores = read_scores(home, "world")
    mine = scores.query("forecast_run_id == 'r1' and basis == 'deployed' and scope == 'all'")
    actual = until(63).groupby("period_start")["sales"].sum().tail(3).to_numpy()
    np.testing.assert_allclose(mine["actual"], actual)
    np.testing.assert_allclose(mine["crps"], crps_of_draws(got.draws[:, -1, :3], actual))
    happened = build_panel(until(63), metadata)
    together = model.expected(happened)[..., -3:].sum(axis=1).mean(axis=0)
    assert np.abs(mine["kpi_p50"].to_numpy() / together - 1).max() < 0.02


def test_scoring_again_changes_nothing(two_runs, monkeypatch):
    home, _ = two_runs
    score()
    before = table_of(home, "mart.forecast_scores")
    again = score()
    assert (again.n_new, again.n_changed) == (0, 0)
    pd.testing.assert_frame_equal(table_of(home, "mart.forecast_scores"), before)
    # Nor where everything is evaluated anew, as after a change of code.
    monkeypatch.setattr(task_due, "code_fingerprint", lambda *_: "f" * 64)
    afresh = score()
    assert (afresh.n_new, afresh.n_changed) == (0, 0)
    after = table_of(home, "mart.forecast_scores")
    pd.testing.assert_frame_equal(
        after.drop(columns="compared"), before.drop(columns="compared"), check_exact=True
    )
    assert (after["compared"] != before["compared"]).all()


def test_a_new_week_adds_scores_and_leaves_the_others(two_runs):
    home, _ = two_runs
    score()
    before = read_scores(home, "world").drop(columns="compared")
    learn(home, until(64), batch="b2")
    reported = score()
    assert (reported.n_new, reported.n_changed) == (12, 0)
    after = read_scores(home, "world").drop(columns="compared")
    kept = after[after["period_start"] < WEEKS[63]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before, rtol=1e-12)


def test_a_restated_kpi_is_scored_again_and_the_first_one_is_kept(two_runs):
    home, _ = two_runs
    score()
    restated = until(63).copy()
    cell = (restated["entity_id"] == "market_0") & (restated["period_start"] == WEEKS[62])
    before = restated.loc[cell, "sales"].item()
    restated.loc[cell, "sales"] = before + 100
    learn(home, restated, batch="b2")
    reported = score()
    assert (reported.n_new, reported.n_changed) == (0, 8), "the market and all, both runs and bases"
    changed = read_scores(home, "world").query("actual != first_actual")
    assert len(changed) == 8
    market = changed.query("scope == 'entity'")
    assert set(market["actual"]) == {before + 100}
    assert set(market["first_actual"]) == {before}
    assert (changed["scored_at"] > read_scores(home, "world")["scored_at"].min()).all()


def test_restated_media_change_what_the_model_as_deployed_says(two_runs):
    home, _ = two_runs
    score()
    restated = until(63).copy()
    restated.loc[restated["period_start"] == WEEKS[61], "act_tv"] += 300.0
    learn(home, restated, batch="b2")
    assert score().n_changed > 0
    assert (read_scores(home, "world").query("actual != first_actual")).empty


def test_a_run_whose_files_are_gone_is_scored_as_published_and_keeps_what_it_had(two_runs):
    home, _ = two_runs
    score()
    (home.run_dir("r1") / Artifact.POSTERIOR).unlink()
    learn(home, until(64), batch="b2")
    reported = score()
    assert [note for note in reported.notes if "r1: only the published" in note]
    scores = read_scores(home, "world").query("forecast_run_id == 'r1'")
    assert scores.groupby("basis").size().to_dict() == {"deployed": 9, "published": 12}
    assert score().notes == [], "nothing is tried again until something changes"


def test_a_market_that_left_is_not_scored_and_neither_is_the_sum(home):
    publish(home, "r1", 60)
    rows = until(63)
    gone = (rows["entity_id"] == "market_1") & (rows["period_start"] >= WEEKS[60])
    learn(home, rows[~gone])
    reported = score()
    scores = read_scores(home, "world")
    assert set(scores["entity_id"]) == {"market_0"}
    assert set(scores["basis"]) == {"published", "deployed"}
    assert [n.partition(";")[0] for n in reported.notes] == [
        "r1: no KPI of all in 3 period(s)",
        "r1: no KPI of market_1 in 3 period(s)",
    ]


def test_frozen_rows_are_as_they_were_after_scoring(two_runs):
    home, _ = two_runs
    before = [table_of(home, t) for t in ("mart.forecasts", "mart.forecast_assumptions")]
    score()
    learn(home, until(66), batch="b2")
    score()
    for table, frame in zip(("mart.forecasts", "mart.forecast_assumptions"), before, strict=True):
        pd.testing.assert_frame_equal(table_of(home, table), frame)


def test_a_lasting_shift_raises_one_alarm_and_the_truth_clears_it(two_runs):
    home, _ = two_runs
    shifted = until(66).copy()
    coming = shifted["period_start"] >= WEEKS[60]
    shifted.loc[coming, "sales"] *= 2
    learn(home, shifted)
    score()
    raised = forecasting.watch_residuals.fn("world")
    assert [alarm.kind.value for alarm in raised] == ["kpi_above_forecast"]
    assert alarms_of(home, "world") == raised
    assert forecasting.watch_residuals.fn("world") == []
    assert alarms_of(home, "world") == raised
    scores = read_scores(home, "world").query("scope == 'all' and basis == 'deployed'")
    calm = shifted.copy()
    medians = scores.drop_duplicates("period_start", keep="last").set_index("period_start")
    for start, reported in medians["kpi_p50"].items():
        at = calm["period_start"] == start
        calm.loc[at, "sales"] *= reported / calm.loc[at, "sales"].sum()
    learn(home, calm, batch="b2")
    score()
    assert forecasting.watch_residuals.fn("world") == []
    assert alarms_of(home, "world") == []
    assert alarms_of(home, "world", is_open=False)[0].cleared_at is not None


def test_ledgers_are_found_by_their_forecasts(two_runs):
    assert select_datasets(None, with_forecasts=True) == ["world"]
    assert select_datasets("world", with_forecasts=True) == ["world"]
    with pytest.raises(UnknownRunError, match="did you mean 'world'"):
        select_datasets("wrld", with_forecasts=True)


def test_without_a_forecast_nothing_is_scored(home):
    reported = score()
    assert (reported.n_runs, reported.n_new, reported.notes) == (0, 0, [])
    assert forecasting.watch_residuals.fn("world") == []


def test_a_run_of_which_nothing_is_due_says_nothing(home):
    publish(home, "r1", 60)
    learn(home, until(60))
    assert (score().n_new, score().notes) == (0, [])
