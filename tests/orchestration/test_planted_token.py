"""A token that is planted in the environment is found in no file of a home.

Failures carry texts furthest: into Prefect's database as state messages and log lines, into the
run's files, the warehouse, a webhook and the terminal. So every way of failing is gone here, in a
home of its own with a server of its own, and every byte that is left is searched.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.receivers import receiving

CHECKOUT = Path(__file__).resolve().parents[2]
TOKEN = "PlantedT0ken4711"  # noqa: S105 - made for this test

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

_FLOWS = f"""
import os, sys
from flows.services import servers
service = servers.start_ephemeral_api()
servers.require_prefect_api(service)
from prefect import flow, task
from flows.scheduled_refit import scheduled_refit
from schemas.spec.scheduled import ScheduledRefit

@task
def leaking_task():
    raise OSError("cannot post to https://hooks.example/s/{TOKEN}")

@flow(log_prints=True)
def leaking_flow():
    print("printed {TOKEN}")
    leaking_task()

for spec in ("reads_environment.yaml", "reads_file.yaml", "bad_data.yaml"):
    try:
        scheduled_refit(ScheduledRefit(spec_file=spec))
    except Exception as error:
        print(type(error).__name__, file=sys.stderr)
try:
    leaking_flow()
except OSError:
    pass
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    root = tmp_path / "home"
    root.mkdir()
    (tmp_path / "secrets.csv").write_text(f"token\n{TOKEN}\n")
    spec = "dataset_id: demo\ndata: panel.csv\n"
    texts = {
        "reads_environment.yaml": f"{spec}lift_tests: /proc/self/environ\n",
        "reads_file.yaml": f"{spec}lift_tests: ../secrets.csv\n",
        "bad_data.yaml": spec,
        "panel.csv": "period_start,sales\n2024-01-01,1\n",
    }
    for name, text in texts.items():
        (root / name).write_text(text)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))}
    return {**kept, "MMM_HOME": str(root), "SOME_TOKEN": TOKEN}


def places_of(token: str, *folders: Path) -> list[str]:
    """Files that hold the token, whatever their format."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(path) for path in files if token.encode() in path.read_bytes()]


def test_no_file_message_or_notice_holds_it(environment, tmp_path):
    home = Path(environment["MMM_HOME"])
    with receiving(path=f"/{TOKEN}") as received:
        environment["MMM_WEBHOOK_URL"] = received.url
        flows = subprocess.run(
            [sys.executable, "-c", _FLOWS], env=environment, cwd=CHECKOUT,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert flows.returncode == 0, flows.stderr[-3000:]
        said = [flows.stdout, flows.stderr]
        for arguments in (
            ["validate", "--data", "panel.csv", "--spec", "reads_environment.yaml", "--json"],
            ["refit", "--spec", "reads_file.yaml", "--json", "--debug"],
            ["refit", "--spec", "bad_data.yaml", "--json", "--debug"],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "flows.cli.app", *arguments],
                env={**environment, "PYTHONPATH": str(CHECKOUT)}, cwd=home,
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 2, done.stderr
            said += [done.stdout, done.stderr]
        notices = [json.dumps(notice) for notice in received.bodies]
    assert notices, "no failure was reported"
    assert not any(TOKEN in text for text in [*said, *notices])
    assert (home / ".prefect" / "prefect.db").is_file()
    assert places_of(TOKEN, home) == []
