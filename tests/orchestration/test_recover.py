"""A recovery check runs: before a first refit and after it, resumed, on record, in the report."""

import json

import mlflow
import pandas as pd
import pytest
from support.worlds import CHANNELS, make_rows

from schemas.answers.recovery import DrawnFrom, WorldKind
from schemas.errors import DataContractError, SpecError
from schemas.spec.recover import RecoverRequest
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.models.ridge.kind import RidgeKind
from tasks.store.home import current_home
from tasks.store.runs.recoveries import find_recovery

pytestmark = pytest.mark.orchestration

SPEC = {
    "dataset_id": "acme",
    "data": "rows.csv",
    "target_col": "sales",
    "channels": CHANNELS,
    "draws": 60,
    "optimizer": {"n_draws": 50, "horizon": 4},
    "model": {
        "kind": "ridge",
        "yearly_seasonality": 1,
        "adstock": {"l_max": 4},
        "ridge": {"refit_share": 0.0, "decay": 0.2, "half_saturation": 0.6, "slope": 1.0},
    },
}
SECTION = "Can this data answer the question?"


@pytest.fixture
def home(prefect_env, tmp_path, monkeypatch):
    monkeypatch.setenv("MMM_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    make_rows(1, 70).to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path


def ask(home, **changes):
    path = home / "spec.json"
    path.write_text(json.dumps({**SPEC, **changes}), encoding="utf-8")
    return RecoverRequest(spec_file=str(path), n_worlds=5)


@pytest.mark.slow
def test_before_a_first_refit_and_after_it(home):
    from flows.recover import recover
    from flows.refit_weekly import refit_weekly

    request = ask(home)
    before = recover(request)
    assert (before.drawn_from, before.run_id, before.n_worlds) == (DrawnFrom.FIT, None, 5)
    assert set(before.channels) == {"tv", "search", "email", "rival"}
    assert [row.kind for row in before.kinds] == list(WorldKind)
    assert before.advice.n == 5
    assert not list(home.glob("data/landing/*")), "a file that was never refitted is stored"
    assert not list(home.glob("data/runs/*"))
    assert not list(home.glob("data/steps/*"))

    spec = RunSpec.model_validate(SPEC)
    report = refit_weekly(RefitRequest(spec=spec, data=str(home / "rows.csv")))
    judged = json.loads((home / "data/runs" / report.run_id / "diagnostics.json").read_text())
    (cited,) = [note for note in judged["notes"] if note.startswith("recovery:")]
    assert f"(5, on these media to {before.last_period})" in cited
    after = recover(request)
    assert (after.drawn_from, after.run_id) == (DrawnFrom.POSTERIOR, report.run_id)
    assert find_recovery(current_home(), spec) == after
    assert not list(home.glob("data/steps/*"))
    assert [path.name for path in home.glob("data/runs/*")] == [report.run_id]
    page = (home / "data" / "runs" / report.run_id / "report.html").read_text(encoding="utf-8")
    assert SECTION in page
    run = mlflow.MlflowClient().get_run(after.mlflow_run_id)
    assert run.data.params["run_id"] == report.run_id
    other = RunSpec.model_validate({**SPEC, "controls": ["ctrl_price"]})
    assert find_recovery(current_home(), other) is None
    seeded = RunSpec.model_validate({**SPEC, "random_seed": 9})
    assert find_recovery(current_home(), seeded) == after


@pytest.mark.slow
def test_an_interrupted_check_takes_over_the_refits_that_had_ended(home, monkeypatch):
    from flows.recover import recover
    from flows.refit_weekly import refit_weekly

    refit_weekly(RefitRequest(spec=RunSpec.model_validate(SPEC), data=str(home / "rows.csv")))
    fits, whole, go_on = [], RidgeKind.fit, []

    def counted(self, panel, *rest):
        fits.append(float(panel["kpi"].sum()))
        if len(fits) == 3 and not go_on:
            raise KeyboardInterrupt
        return whole(self, panel, *rest)

    monkeypatch.setattr(RidgeKind, "fit", counted)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - however Prefect passes it on
        recover(ask(home))
    begun = list(fits)
    fits.clear()
    go_on.append(True)
    report = recover(ask(home))
    assert len(begun) == 3
    assert fits[0] == pytest.approx(begun[2])
    assert (len(fits), report.n_worlds) == (3, 5)


def test_what_cannot_be_fitted_ends_it_before_any_refit(home, monkeypatch):
    from flows.recover import recover

    monkeypatch.setattr(RidgeKind, "fit", lambda *_: pytest.fail("a fit was begun"))
    with pytest.raises(SpecError, match="the spec names none"):
        recover(ask(home, data=None))
    rows = pd.read_csv(home / "rows.csv")
    rows.loc[3, "spend_tv"] = -5
    rows.to_csv(home / "rows.csv", index=False)
    with pytest.raises(DataContractError, match="spend_tv"):
        recover(ask(home))
    make_rows(1, 20).to_csv(home / "rows.csv", index=False)
    with pytest.raises((SpecError, DataContractError)):
        recover(ask(home))
