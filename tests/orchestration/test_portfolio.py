"""Brands of a portfolio keep out of each other's way, and a second run goes on with what is left.

Most tests have the real flow with processes that fit nothing (``support.brand_process``); the slow
one refits, kills and continues.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from support.brief import BRIEF_SAMPLER, LENIENT_GATES

from schemas.answers.portfolio import BrandOutcome
from schemas.errors import ResourceUnavailableError, SpecError
from schemas.spec.portfolio import PortfolioRequest
from tasks.store.home import Home
from tasks.store.runs import portfolios

pytestmark = pytest.mark.orchestration

TESTS = Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent


@pytest.fixture
def group(prefect_env, home, monkeypatch):
    """Run a portfolio of brands whose names say what becomes of them."""
    from flows import portfolio
    from flows.services import brand_workers

    monkeypatch.setattr(brand_workers, "MODULE", "support.brand_process")
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    shown = []
    monkeypatch.setattr(portfolio, "listeners", [lambda *facts: shown.append(facts)])

    def run(*names, request=None, **keys):
        (home.root / "brands").mkdir(exist_ok=True)
        for name in names:
            (home.root / "panel.csv").write_text("period_start,sales\n")
            text = f"dataset_id: {name}\ndata: ../panel.csv\n"
            (home.root / "brands" / f"{name}.yaml").write_text(text)
        file = home.root / "portfolio.yaml"
        brands = {"brands": [f"brands/{name}.yaml" for name in names]}
        file.write_text(json.dumps({"portfolio_id": "group", "workers": 2, **brands, **keys}))
        return portfolio.refit_portfolio(PortfolioRequest(file=str(file), **(request or {})))

    run.shown = shown
    return run


def outcomes(report):
    return {brand.dataset_id: brand.outcome.value for brand in report.brands}


def test_what_becomes_of_one_brand_is_nothing_to_the_others(group, home):
    names = ("a", "killed_b", "rejected_c", "poisoned_d", "hangs_e", "locked_f", "g", "quits_h")
    report = group(*names, timeout_minutes=0.1)
    assert outcomes(report) == {
        "a": "accepted", "killed_b": "crashed", "rejected_c": "rejected",
        "poisoned_d": "bad input", "hangs_e": "timed out", "locked_f": "unavailable",
        "g": "accepted", "quits_h": "crashed",
    }  # fmt: skip
    assert report.exit_code == 1
    reasons = {brand.dataset_id: brand.reason for brand in report.brands}
    assert "it said last: last words of killed_b" in reasons["killed_b"]
    assert "timeout_minutes" in reasons["hangs_e"]
    assert [n for _, n, _ in group.shown] == list(range(1, 9))
    table = pd.read_csv(report.summary_csv)
    assert list(table["dataset_id"]) == list(names)
    assert json.loads(Path(report.summary_csv).with_suffix(".json").read_text())["brands"]


def test_bad_brands_are_rows_and_the_others_are_refitted(group, home):
    twin = home.root / "twin.yaml"
    twin.write_text("dataset_id: b\n")
    broken = home.root / "broken.yaml"
    broken.write_text("dataset_id: [")
    files = ["brands/a.yaml", "brands/b.yaml", "twin.yaml", "broken.yaml", "gone.yaml", "no/*.yaml"]
    report = group("a", "b", brands=files)
    assert [brand.outcome.value for brand in report.brands] == ["accepted"] + ["bad input"] * 5
    assert [brand.number for brand in report.brands] == [1, 2, 3, 4, 5, 6]
    reasons = [brand.reason for brand in report.brands]
    assert "b.yaml, twin.yaml" in reasons[1] == reasons[2]
    assert "not valid YAML" in reasons[3]
    assert "gone.yaml" in reasons[4]
    assert "no/*.yaml" in reasons[5]


def test_the_same_again_does_what_is_left_and_nothing_twice(group, home):
    first = group("a", "killed_b", "rejected_c")
    second = group("a", "killed_b", "rejected_c")
    assert outcomes(second) == outcomes(first)
    assert [brand.is_earlier for brand in second.brands] == [True, False, True]
    third = group("a", "killed_b", "rejected_c", request={"again": True})
    assert not any(brand.is_earlier for brand in third.brands)
    (home.root / "brands" / "a.yaml").write_text("dataset_id: a\ndata: ../panel.csv\ngrain: WEEK\n")
    changed = group("rejected_c")
    assert changed.brands[0].is_earlier


def test_the_flow_run_of_a_dead_process_ends_crashed_and_no_other(prefect_env):
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows.services.brand_flow_runs import close_flow_runs, tag_of

    @flow(name="refit-weekly")
    def refit() -> None:
        """Is never called."""

    with get_client(sync_client=True) as client:
        runs = {}
        for name, run_id in (("a", "group-1"), ("b", "group-1"), ("a", "group-2")):
            made = client.create_flow_run(
                refit, name=f"refit-{name}", tags=[tag_of(run_id)], state=Running()
            )
            runs[name, run_id] = made.id
        assert close_flow_runs("group-1", "a", "killed by SIGKILL") == 1
        states = {key: client.read_flow_run(made).state for key, made in runs.items()}
    assert {key: state.is_crashed() for key, state in states.items()} == {
        ("a", "group-1"): True, ("b", "group-1"): False, ("a", "group-2"): False,
    }  # fmt: skip
    assert states["a", "group-1"].message == "killed by SIGKILL"


def test_one_run_in_mlflow_stands_for_the_whole(group, home):
    from tasks.store.tracking.experiments import open_store

    report = group("a", "rejected_b")
    run = open_store(home).get_run(report.mlflow_run_id)
    assert run.info.status == "FINISHED"
    assert {
        "n_accepted": 1.0,
        "n_rejected": 1.0,
        "n_brands": 2.0,
    }.items() <= run.data.metrics.items()
    assert run.data.tags["mmm.portfolio"] == report.portfolio_run_id


def test_a_portfolio_that_runs_elsewhere_or_cannot_be_read_starts_nothing(group, home):
    with (
        portfolios.portfolio_lock(home, "group"),
        pytest.raises(ResourceUnavailableError, match="Portfolio 'group' is locked"),
    ):
        group("a")
    with pytest.raises(SpecError, match="workers"):
        group("a", workrs=2)
    assert group.shown == []


def test_dask_is_refused_where_it_is_not_installed_or_does_not_answer(group, monkeypatch):
    from flows.services import dask_runner

    monkeypatch.setattr(dask_runner, "find_spec", lambda _name: None)
    with pytest.raises(SpecError, match="make setup EXTRAS=dask"):
        group("a", runner="dask")
    with pytest.raises(ResourceUnavailableError, match=r"127\.0\.0\.1:9 "):
        dask_runner.require_scheduler("tcp://127.0.0.1:9")


def test_an_unreachable_scheduler_is_told_per_brand(group, monkeypatch):
    from flows import portfolio

    def refuse(address, _workers):
        raise ResourceUnavailableError(f"The Dask scheduler at {address} does not answer.")

    monkeypatch.setattr(portfolio, "require_dask", lambda _address: None)
    monkeypatch.setattr(portfolio, "open_dask", refuse)
    report = group("a", "b", runner="dask", dask_address="tcp://127.0.0.1:9")
    assert outcomes(report) == {"a": "unavailable", "b": "unavailable"}
    assert report.exit_code == 4


SMALL = {
    "sampler": BRIEF_SAMPLER,
    "gates": LENIENT_GATES,
}  # fmt: skip


@pytest.mark.slow
def test_a_killed_portfolio_leaves_no_process_and_is_continued(tmp_path):
    """The real command: killed after its first brand, then run again to the end."""
    panel = pd.read_csv(CHECKOUT / "data" / "demo" / "panel.csv", dtype=str)
    for place, name in enumerate(("a", "b", "c")):
        panel.iloc[place:].to_csv(tmp_path / f"{name}.csv", index=False)
        (tmp_path / f"{name}.yaml").write_text(f"dataset_id: {name}\ndata: {name}.csv\n")
    file = tmp_path / "portfolio.yaml"
    keys = {"portfolio_id": "group", "brands": ["?.yaml"], "workers": 1, "defaults": SMALL}
    file.write_text(json.dumps(keys))
    command = [sys.executable, "-m", "flows.cli.app", "portfolio", "--file", str(file), "--json"]
    environment = {**os.environ, "MMM_HOME": str(tmp_path / "home"), "PYTHONPATH": str(CHECKOUT)}
    first = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in first.stderr:
        if line.startswith("1/3"):
            break
    time.sleep(1)
    children = [p.pid for p in psutil.Process(first.pid).children(recursive=True)]
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert children
    assert wait_until_gone(children)
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    report = json.loads(second.stdout.splitlines()[-1])
    assert [b["outcome"] for b in report["brands"]] == ["accepted"] * 3, second.stderr[-2000:]
    assert [b["is_earlier"] for b in report["brands"]] == [True, False, False]
    assert len(list(Home(tmp_path / "home").portfolios.iterdir())) == 1
    assert {b["champion"] for b in report["brands"]} == {"a@1", "b@1", "c@1"}


def wait_until_gone(pids, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) for pid in pids):
            return True
        time.sleep(0.2)
    return False


def test_every_outcome_has_its_row_in_the_readme():
    page = (CHECKOUT / "flows" / "README.md").read_text(encoding="utf-8")
    section = page.partition("## Many brands")[2].partition("\n## ")[0]
    assert [o.value for o in BrandOutcome if f"| {o.value} |" not in section] == []
