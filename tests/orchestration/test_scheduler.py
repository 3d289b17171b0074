"""A real Prefect server must create scheduled runs.

With SQLAlchemy 2.1, Prefect 3.8 starts, serves and runs flows, but its scheduler never inserts a
run; nothing but a missing weekly refit would report. So this test looks.
"""

import pytest

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

SCHEDULE_SECONDS = 60


def test_a_cron_deployment_gets_scheduled_runs(server):
    flow = server.created("/flows/", {"name": "weekly"})
    cron = {"schedule": {"cron": "0 6 * * 1", "timezone": "UTC"}, "active": True}
    deployment = server.created(
        "/deployments/", {"name": "acme", "flow_id": flow["id"], "schedules": [cron]}
    )
    wanted = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    runs = server.wait_for(
        lambda: server.created("/flow_runs/filter", wanted),
        seconds=SCHEDULE_SECONDS,
        what="scheduled run",
    )
    assert all(run["state"]["type"] == "SCHEDULED" for run in runs)
