"""A server of its own: what it holds of a large file, many readers, a refit that it dies in."""

import json
import os
import signal
import time
import urllib.request

import pytest
from support.served_home import serve_process

from benchmarks.serving import (
    MAX_MB,
    addresses,
    peak_megabytes,
    read_at_once,
    upload_body,
    upload_form,
)
from flows.services import servers
from tasks.store.home import CHECKOUT, Home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A home that tests of this file share: what the first one fits, the last one reads."""
    return tmp_path_factory.mktemp("served").resolve()


def get(address, path, content=None, *, method="GET", kind="application/json"):
    asked = urllib.request.Request(f"{address}{path}", content, {"Content-Type": kind})  # noqa: S310
    asked.method = method
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - an address of the test
        return answer.read().decode()


def wait_for(look, what, seconds=900):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what in (found := look()):
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what!r} did not come; the last answer was {found[-2000:]}")


def test_a_server_that_dies_in_a_refit_and_starts_again_tells_the_truth(root):
    """SIGKILL: no handler runs. The refit is taken up, and page and API say the same of it."""
    port, spec = servers.free_port(), {"dataset_id": "shop", "model": {"kind": "ridge"}}
    body = (CHECKOUT / "data" / "demo" / "panel.csv").read_bytes()
    with serve_process(root, port) as service:
        file = "/api/v1/datasets/shop/file?name=shop.csv"
        get(service.address, file, body, method="PUT", kind="text/csv")
        asked = json.dumps({"spec": spec}).encode()
        job = json.loads(get(service.address, "/api/v1/runs", asked, method="POST"))
        status = f"/api/v1/runs/{job['job_id']}/status"
        wait_for(lambda: get(service.address, status), '"RUNNING"')
        page = get(service.address, f"/run/{job['job_id']}")
        assert "At work" in page
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
    with serve_process(root, port) as service:
        said = wait_for(lambda: get(service.address, status), '"job":"DONE"')
        progress = json.loads(said)
        assert progress["status"] == "OUTPUTS_READY"
        page = get(service.address, f"/run/{job['job_id']}")
        assert "Done" in page
        assert progress["run_id"] in page
        listed = json.loads(get(service.address, "/api/v1/runs?dataset_id=shop"))
        assert [run["run_id"] for run in listed["items"]] == [progress["run_id"]], (
            "one run, not two"
        )


def test_a_file_of_200_mb_is_never_held_in_memory(root):
    with serve_process(root) as service:
        assert upload_body(service.address, 200_000_000) == 201
        assert upload_form(service.address, 200_000_000) == 200
        assert peak_megabytes(service.process.pid) < MAX_MB
    kept = sum(path.stat().st_size for path in Home(root).uploads.rglob("big*.csv"))
    assert kept > 190_000_000


def test_fifty_readers_at_once_are_all_answered(root):
    with serve_process(root) as service:
        (run,) = json.loads(get(service.address, "/api/v1/runs?dataset_id=shop"))["items"]
        paths = addresses(run["run_id"])
        found = read_at_once(service.address, paths, readers=50, rounds=1)
    assert {(path, status) for path, status, _ in found if status != 200} == set()
    assert len(found) == 50 * len(paths)
