"""A backtest runs: as known then, side by side, resumed after an interruption, on record."""

import json
from datetime import date

import mlflow
import pandas as pd
import pytest
from support.accepted import accept_file
from support.worlds import CHANNELS, make_rows

from schemas.refs import StepKey
from schemas.spec.backtest import BacktestRequest
from schemas.spec.run_spec import RunSpec
from tasks.models.ridge.kind import RidgeKind

pytestmark = pytest.mark.orchestration

RESTATED = 60
SPEC = {
    "dataset_id": "acme",
    "target_col": "sales",
    "channels": CHANNELS,
    "draws": 20,
    "model": {
        "kind": "ridge",
        "yearly_seasonality": 1,
        "adstock": {"l_max": 4},
        "ridge": {"refit_share": 0.0, "decay": 0.2, "half_saturation": 0.6, "slope": 1.0},
    },
}


@pytest.fixture(scope="module")
def home(prefect_env, tmp_path_factory):
    """A home that knew 70 weeks, then 80 with one week of the past restated."""
    root = tmp_path_factory.mktemp("backtest")
    rows = make_rows(1, 80)
    starts = rows["period_start"]
    rows[:70].to_csv(root / "early.csv", index=False)
    later = rows.copy()
    later.loc[RESTATED, "sales"] += 40
    later.to_csv(root / "late.csv", index=False)
    shorter = {**SPEC, "model": {**SPEC["model"], "yearly_seasonality": 0}}
    (root / "one.json").write_text(json.dumps(SPEC), encoding="utf-8")
    (root / "flat.json").write_text(json.dumps(shorter), encoding="utf-8")
    other = {**SPEC, "target_col": "act_tv"}
    (root / "other.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        spec = RunSpec.model_validate(SPEC)
        for name, day in (("early", starts[69]), ("late", starts[79])):
            accept_file(spec, root / f"{name}.csv", (day + pd.Timedelta(days=7)).date())
        yield root


@pytest.fixture(scope="module")
def request_of(home):
    def ask(*names, **settings):
        return BacktestRequest(
            spec_files=[str(home / f"{n}.json") for n in names],
            **{"n_slices": 2, "horizon": 4, "step": 6, "workers": 1, **settings},
        )

    return ask


@pytest.mark.slow
def test_specs_are_scored_side_by_side_and_put_on_record(request_of):
    from flows.backtest import backtest

    report = backtest(request_of("one", "flat"))
    assert [c.candidate for c in report.candidates] == ["one/ridge", "flat/ridge"]
    for candidate in report.candidates:
        assert (candidate.n_slices, candidate.n_scored, candidate.n_failed) == (2, 8, 0)
        assert candidate.crps > 0
        assert set(candidate.return_spread) == {"tv", "search", "email", "rival"}
    assert [s.n_fitted for s in report.slices] == [70, 76, 70, 76]
    client = mlflow.MlflowClient()
    parent = client.get_run(report.mlflow_run_id)
    nested = client.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{report.mlflow_run_id}'"
    )
    assert len(nested) == 4
    assert parent.data.metrics["n_failed/one/ridge"] == 0


def test_a_date_uses_what_was_known_on_its_day(home, request_of):
    """The week that was restated later has its old value where the warehouse knew it then."""
    from flows.backtest import name_candidates
    from tasks.canonicalize.task_slices import freeze_slice, plan_slices
    from tasks.store.files.artifacts import read_parquet
    from tasks.store.home import current_home

    request = request_of("one")
    plan = plan_slices.fn(request, name_candidates(request))
    frozen = [
        freeze_slice.fn(StepKey(run_id="test", retry=f"slice_{s.number}"), plan.candidates[0], s)
        for s in plan.slices
    ]
    assert [data.as_known for data in frozen] == [True, False]
    wide = [read_parquet(current_home(), data.snapshot.wide) for data in frozen]
    assert [len(rows) for rows in wide] == [70, 76]
    known_then, known_now = (rows.set_index("period_start")["sales"] for rows in wide)
    week = known_then.index[RESTATED]
    assert known_now[week] == pytest.approx(known_then[week] + 40)
    assert plan.slices[0].as_of == date(2022, 1, 3) + pd.Timedelta(weeks=70)


def test_an_interrupted_backtest_takes_over_the_fits_that_had_ended(request_of, monkeypatch):
    from flows.backtest import backtest

    fits, whole, report_now = [], RidgeKind.fit, []

    def counted(self, panel, *rest):
        fits.append(panel.sizes["date"])
        if len(fits) == 2 and not report_now:
            raise KeyboardInterrupt
        return whole(self, panel, *rest)

    monkeypatch.setattr(RidgeKind, "fit", counted)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - however Prefect passes it on
        backtest(request_of("one", horizon=3, step=7))
    interrupted = list(fits)
    fits.clear()
    report_now.append(True)
    report = backtest(request_of("one", horizon=3, step=7))
    assert len(interrupted) == 2
    assert len(fits) == 1
    assert report.candidates[0].n_slices == 2


def test_specs_of_several_kpis_and_names_twice_are_refused(request_of):
    from flows.backtest import backtest
    from schemas.errors import SpecError

    with pytest.raises(SpecError, match="differ in KPI"):
        backtest(request_of("one", "other"))
    with pytest.raises(SpecError, match="Two candidates are called one/ridge"):
        backtest(request_of("one", "one"))


def test_what_a_spec_cannot_have_at_a_date_ends_it_before_any_fit(request_of, monkeypatch):
    from flows.backtest import backtest
    from schemas.errors import SpecError

    monkeypatch.setattr(RidgeKind, "fit", lambda *_: pytest.fail("a fit was begun"))
    with pytest.raises(SpecError, match=r"one/ridge at 2022-[^$]*needs a full year"):
        backtest(request_of("one", n_slices=3, step=14))


def without_times(report):
    """What does not depend on when and how fast it ran."""
    told = report.model_dump(mode="json", exclude={"mlflow_run_id", "seconds", "workers"})
    for row in [*told["candidates"], *told["slices"]]:
        del row["seconds"]
    return told


@pytest.mark.slow
def test_processes_side_by_side_give_the_same_results_as_one(request_of, capfd):
    from flows.backtest import backtest

    alone = backtest(request_of("one", horizon=2))
    together = backtest(request_of("one", horizon=2, workers=2))
    assert (alone.workers, together.workers) == (1, 2)
    assert without_times(together) == without_times(alone)
    assert "leaked" not in capfd.readouterr().err, "ended as the command ends, without a page of it"


@pytest.mark.slow
def test_a_process_that_dies_is_told_with_what_to_do(home, request_of):
    from support.deadly import die

    from flows.services.process_pool import run_all
    from schemas.errors import ResourceUnavailableError

    with pytest.raises(ResourceUnavailableError, match="--workers 1"):
        run_all(die, [1, 2], 2)


@pytest.fixture(scope="module")
def truth(home):
    """A truth in which search brings nothing and TV all there is."""
    curve = {"retention": 0.2, "half_saturation": 0.5, "slope": 1.0, "input_scale": 50.0}
    betas = {"tv": 40.0, "search": 0.0, "email": 1.0, "rival": -1.0}
    known = {"l_max": 4, "channels": {n: {**curve, "beta": b} for n, b in betas.items()}}
    (home / "truth.json").write_text(json.dumps(known), encoding="utf-8")
    del known["channels"]["search"]
    (home / "part.json").write_text(json.dumps(known), encoding="utf-8")
    return str(home / "truth.json")


def test_advice_is_held_against_a_known_truth(request_of, truth):
    from flows.backtest import backtest

    report = backtest(request_of("one", truth_file=truth))
    assert [one.advice is not None for one in report.slices] == [True, True]
    found = report.candidates[0]
    assert (found.n_advised, found.n_losing <= found.n_followed) == (2, True)
    assert found.regret == pytest.approx(sum(s.advice.regret for s in report.slices) / 2)
    assert found.regret > 0
    assert found.elpd_loo is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "line 1"), ('{"l_max": 4}', "channels"), ('{"l_max": 0, "channels": {}}', "l_max")],
)
def test_a_truth_that_cannot_be_used_ends_it_before_any_fit(
    home, request_of, monkeypatch, text, said
):
    from flows.backtest import backtest
    from schemas.errors import SpecError

    monkeypatch.setattr(RidgeKind, "fit", lambda *_: pytest.fail("a fit was begun"))
    (home / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        backtest(request_of("one", truth_file=str(home / "bad.json")))


def test_a_truth_without_a_channel_of_the_data_ends_it_before_any_fit(
    home, request_of, truth, monkeypatch
):
    from flows.backtest import backtest
    from schemas.errors import SpecError

    monkeypatch.setattr(RidgeKind, "fit", lambda *_: pytest.fail("a fit was begun"))
    with pytest.raises(SpecError, match="no channel 'search'"):
        backtest(request_of("one", truth_file=str(home / "part.json")))
