"""The deployments of prefect.yaml: readable, registered, scheduled, run by a worker."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx
import psutil
import pytest
import yaml
from support.receivers import Receiver, receiving

from tasks.store.home import Home
from tasks.store.locks import dataset_lock
from tasks.store.webhook import VARIABLE

pytestmark = pytest.mark.orchestration

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS: dict[str, dict[str, Any]] = {d["name"]: d for d in DOCUMENT["deployments"]}
SCHEDULED = {name: d["schedules"][0] for name, d in DEPLOYMENTS.items() if "schedules" in d}
RUN_SECONDS = 180


def flow_of(name: str) -> Any:
    from prefect.flows import load_flow_from_entrypoint

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(CHECKOUT)
        return load_flow_from_entrypoint(DEPLOYMENTS[name]["entrypoint"])


def test_prefect_reads_the_file_and_drops_no_key_of_it():
    from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel

    read = PrefectYamlModel.model_validate(DOCUMENT)
    names = [
        "refit-weekly",
        "plan-budget",
        "backfill",
        "backtest",
        "refit-portfolio",
        "recover",
        "score-forecasts",
        "prune-history",
    ]
    assert [d.name for d in read.deployments] == names
    unknown = {key for d in DEPLOYMENTS.values() for key in d} - set(DeploymentConfig.model_fields)
    assert not unknown


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_names_a_flow_that_takes_its_parameters(name):
    assert flow_of(name).validate_parameters(DEPLOYMENTS[name]["parameters"])


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_runs_one_at_a_time_and_queues_the_next(name):
    wanted = {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert DEPLOYMENTS[name]["concurrency_limit"] == wanted


def test_the_form_of_a_refit_says_what_each_field_is():
    from prefect.utilities.callables import parameter_schema

    form = parameter_schema(flow_of("refit-weekly")).definitions["ScheduledRefit"]
    assert form["required"] == ["spec_file"]
    assert form["additionalProperties"] is False
    titles = [p["title"] for p in form["properties"].values()]
    assert titles == ["Run spec", "Input file", "As of", "Accept restatement"]
    assert all(p["description"] for p in form["properties"].values())


WEEKDAYS = {"MON": 0, "SUN": 6}


@pytest.mark.parametrize(
    ("name", "weekday", "hour"),
    [("refit-weekly", 0, 6), ("score-forecasts", 0, 8), ("prune-history", 6, 5)],
)
@pytest.mark.parametrize(
    "change", [datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)]
)
def test_the_clock_change_moves_no_scheduled_run(name, weekday, hour, change):
    from prefect.server.schemas.schedules import CronSchedule

    schedule = CronSchedule(cron=SCHEDULED[name]["cron"], timezone="Europe/Berlin")
    dates = asyncio.run(schedule.get_dates(n=4, start=change - timedelta(days=14)))
    local = [d.astimezone(ZoneInfo("Europe/Berlin")) for d in dates]
    assert {(d.weekday(), d.hour, d.minute) for d in local} == {(weekday, hour, 0)}
    assert len({d.utcoffset() for d in local}) == 2
    assert SCHEDULED[name]["timezone"] == "Europe/Berlin"


UNUSABLE = [
    ("refit-weekly", {"request": {"spec_file": 5}}),
    ("refit-weekly", {"request": {"spec_file": ""}}),
    ("refit-weekly", {"request": {"spec_file": "a.yaml", "weeks": 3}}),
    ("refit-weekly", {"request": {}}),
    ("refit-weekly", {"request": {"spec_file": "a.yaml", "accept_restatement": "all"}}),
    ("plan-budget", {"request": {"models": []}}),
    ("plan-budget", {"request": {"models": [{"dataset_id": "demo"}], "budget": -5}}),
    ("score-forecasts", {"dataset_id": 5}),
    ("backfill", {"request": {"spec_file": "a.yaml", "first_date": "yesterday"}}),
    ("prune-history", {"dry_run": "perhaps"}),
]
"""Parameters that no run is to be made of, by deployment."""


@pytest.mark.parametrize(("name", "parameters"), UNUSABLE)
def test_the_form_refuses_parameters_that_cannot_be_used(name, parameters):
    """What a server judges by: the schema that is registered, and Prefect's own validation."""
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.schema_tools import validation

    given = DEPLOYMENTS[name]["parameters"] | parameters
    form = parameter_schema(flow_of(name)).model_dump_for_openapi()
    with pytest.raises(validation.ValidationError, match="Validation failed"):
        validation.validate(given, form, raise_on_error=True)


class Site(NamedTuple):
    """A server with the deployments registered, a worker for them, and a webhook receiver."""

    server: Any
    worker: Any
    receiver: Receiver
    home: Home
    ids: dict[str, str]

    def submit(self, name: str, parameters: dict[str, Any]) -> httpx.Response:
        document = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return self.server.client.post(
            f"/deployments/{self.ids[name]}/create_flow_run", json=document, timeout=30
        )

    def state_of(self, run: dict[str, Any]) -> dict[str, Any]:
        return self.server.client.get(f"/flow_runs/{run['id']}", timeout=30).json()["state"]

    def wait_for_state(self, run: dict[str, Any], *types: str) -> dict[str, Any]:
        return self.server.wait_for(
            lambda: (state := self.state_of(run))["type"] in types and state,
            seconds=RUN_SECONDS,
            what=f"flow run in {' or '.join(types)}",
        )


@pytest.fixture(scope="module")
def site(server, tmp_path_factory) -> Iterator[Site]:
    from flows.services import servers, ui

    root = tmp_path_factory.mktemp("site")
    with receiving() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.setenv(VARIABLE, receiver.url)
        patch.setenv("PREFECT_WORKER_QUERY_SECONDS", "2")
        (pool,) = ui.work_pools()
        worker = ui.start_worker(pool, server.api_url)
        try:
            servers.require_healthy(worker)
            ui.register_deployments(server.api_url)
            ui.register_deployments(server.api_url)
            found = server.created(
                "/deployments/filter", {"work_pools": {"name": {"any_": [pool]}}}
            )
            ids = {d["name"]: d["id"] for d in found}
            yield Site(server, worker, receiver, Home(root.resolve()), ids)
        finally:
            worker.close()


@pytest.mark.slow
def test_all_are_registered(site):
    assert sorted(site.ids) == sorted(DEPLOYMENTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEDULED)
def test_scheduled_runs_are_made_for_their_day_by_local_clocks(site, name):
    wanted = {
        "deployments": {"id": {"any_": [site.ids[name]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = site.server.wait_for(
        lambda: site.server.created("/flow_runs/filter", wanted), seconds=60, what="scheduled run"
    )
    zone = ZoneInfo(SCHEDULED[name]["timezone"])
    starts = [datetime.fromisoformat(run["expected_start_time"]).astimezone(zone) for run in runs]
    cron = SCHEDULED[name]["cron"].split()
    wanted = {(WEEKDAYS[cron[4]], int(cron[1]), 0)}
    assert {(s.weekday(), s.hour, s.minute) for s in starts} == wanted
    assert len(set(starts)) == len(starts)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), UNUSABLE)
def test_parameters_that_cannot_be_used_are_refused_when_submitted(site, name, parameters):
    answer = site.submit(name, parameters)
    assert answer.status_code == httpx.codes.CONFLICT
    assert "Validation failed" in answer.text


@pytest.mark.slow
def test_a_flow_run_that_is_killed_is_reported_by_the_worker(site):
    with dataset_lock(site.home, "demo", wait_seconds=1):  # so that the refit waits where it is
        run = site.submit("refit-weekly", {}).json()
        site.wait_for_state(run, "RUNNING")
        family = psutil.Process(site.worker.process.pid).children(recursive=True)
        engines = [p for p in family if "prefect.engine" in " ".join(p.cmdline())]
        assert engines
        for process in engines:
            process.kill()
        assert site.wait_for_state(run, "CRASHED", "FAILED", "COMPLETED")["type"] == "CRASHED"
        site.server.wait_for(lambda: site.receiver.bodies, seconds=60, what="notification")
    (reported,) = site.receiver.bodies
    assert (reported["kind"], reported["dataset_id"]) == ("failure", "demo")
    assert "SIGKILL" in reported["text"]
    assert run["id"] in reported["link"]
