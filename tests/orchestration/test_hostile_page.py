"""A page that is open in a browser on this machine gets nothing out of our servers, nor into them.

The page creates a deployment whose pull step is a shell command: before there was a guard, the
worker of `mmm ui` ran it. Every way that a page has is tried: a fetch with and without a preflight,
a form, a socket, and a foreign name that leads to loopback.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from support import hostile_page

from flows.services import servers, ui
from tasks.store.credential import api_credential
from tasks.store.home import Home

pytestmark = [
    pytest.mark.orchestration,
    pytest.mark.slow,  # the guard itself is in unit/services/test_guard.py
    pytest.mark.skipif(
        hostile_page.browser() is None,
        reason="no Chromium is installed; `make browser` says how to get Debian's",
    ),
]

SHELL_STEP = {"prefect.deployments.steps.run_shell_script": {"script": "touch /tmp/attacked"}}


class Served(NamedTuple):
    """The servers of `mmm ui`, and who may ask them."""

    prefect: str
    mlflow: str
    credential: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("ui")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.setenv("PREFECT_HOME", str(root / ".prefect"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        started = [
            ui.start_prefect_server(servers.free_port()),
            ui.start_mlflow_ui(servers.free_port()),
        ]
        try:
            for service in started:
                servers.require_healthy(service)
            credential = api_credential(Home(root))
            yield Served(started[0].address, started[1].address, credential)
        finally:
            servers.close_all(started)


def attacks_on_prefect(address: str) -> list[dict[str, Any]]:
    api = f"{address}/api"
    deployment = {
        "name": "evil", "flow_id": "{flow}", "work_pool_name": "steady-mmm",
        "entrypoint": "x.py:x", "pull_steps": [SHELL_STEP],
    }  # fmt: skip
    typed = {"way": "fetch", "method": "POST", "typed": True}
    return [
        {"name": "flow", **typed, "url": f"{api}/flows/", "body": {"name": "by-fetch"}},
        {"name": "deployment", **typed, "url": f"{api}/deployments/", "body": deployment},
        {"name": "run", **typed, "url": f"{api}/deployments/{{deployment}}/create_flow_run",
         "body": {}},
        {"name": "blob", "way": "fetch", "method": "POST", "mode": "no-cors",
         "url": f"{api}/flows/", "body": {"name": "by-blob"}},
        {"name": "form", "way": "form", "url": f"{api}/flows/", "body": {"name": "by-form"}},
        {"name": "read", **typed, "url": f"{api}/flows/filter", "body": {}},
        {"name": "csrf", "way": "fetch", "url": f"{api}/csrf-token?client=page"},
        {"name": "settings", "way": "fetch", "url": f"{address}/ui-settings"},
        {"name": "socket", "way": "socket",
         "url": f"{api.replace('http', 'ws')}/events/out",
         "send": [{"type": "filter", "filter": {}}]},
    ]  # fmt: skip


def attacks_on_mlflow(address: str) -> list[dict[str, Any]]:
    api = f"{address}/api/2.0/mlflow"
    create = f"{api}/experiments/create"
    return [
        {"name": "fetch", "way": "fetch", "method": "POST", "typed": True, "url": create,
         "body": {"name": "by-fetch"}},
        {"name": "blob", "way": "fetch", "method": "POST", "mode": "no-cors", "url": create,
         "body": {"name": "by-blob"}},
        {"name": "form", "way": "form", "url": create, "body": {"name": "by-form"}},
        {"name": "read", "way": "fetch", "url": f"{api}/experiments/search?max_results=5"},
        {"name": "graphql", "way": "fetch", "method": "POST", "mode": "no-cors",
         "url": f"{address}/graphql", "body": {"query": "{__typename}"}},
    ]  # fmt: skip


def saw_nothing(answers: dict[str, Any]) -> bool:
    """Say whether the page could read no answer and opened no socket."""
    blind = {"refused", "closed", "sent", 0}  # 0: an answer that the browser keeps from the page
    return all(answer["status"] in blind for answer in answers.values())


def test_a_foreign_page_reaches_nothing_of_prefect(served):
    answers = hostile_page.attack(attacks_on_prefect(served.prefect))
    assert saw_nothing(answers), answers
    with httpx.Client(auth=tuple(served.credential.split(":", 1)), trust_env=False) as client:
        token = client.get(f"{served.prefect}/api/csrf-token", params={"client": "test"}).json()
        headers = {"Prefect-Csrf-Token": token["token"], "Prefect-Csrf-Client": "test"}
        for kind in ("flows", "deployments", "flow_runs"):
            url = f"{served.prefect}/api/{kind}/filter"
            assert client.post(url, json={}, headers=headers).json() == []


def test_a_foreign_page_reaches_nothing_of_mlflow(served):
    answers = hostile_page.attack(attacks_on_mlflow(served.mlflow))
    assert saw_nothing(answers), answers
    url = f"{served.mlflow}/api/2.0/mlflow/experiments/search?max_results=50"
    known = tuple(served.credential.split(":", 1))
    found = httpx.get(url, auth=known, trust_env=False).json()["experiments"]
    assert {one["name"] for one in found} == {"Default"}


@pytest.mark.parametrize("path", ["/api/admin/version", "/api/health", "/", "/ui-settings"])
def test_a_foreign_name_for_loopback_is_refused_by_prefect(served, path):
    port = served.prefect.rsplit(":", 1)[1]
    assert "Refused" in hostile_page.seen_at(f"http://rebound.example:{port}{path}")


@pytest.mark.parametrize("path", ["/version", "/ajax-api/2.0/mlflow/experiments/search", "/"])
def test_a_foreign_name_for_loopback_is_refused_by_mlflow(served, path):
    port = served.mlflow.rsplit(":", 1)[1]
    assert "Refused" in hostile_page.seen_at(f"http://rebound.example:{port}{path}")


def test_a_program_without_the_credential_is_refused(served):
    answer = httpx.post(f"{served.prefect}/api/flows/filter", json={}, trust_env=False)
    assert answer.status_code in {401, 403}
    wrong = httpx.get(
        f"{served.prefect}/api/admin/version", auth=("mmm", "guessed"), trust_env=False
    )
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    "path", ["/", "/version", "/graphql", "/api/2.0/mlflow/experiments/search"]
)
def test_a_program_without_the_credential_gets_nothing_of_mlflow(served, path):
    url = f"{served.mlflow}{path}"
    name, password = served.credential.split(":", 1)
    for shown in (None, ("mmm", "guessed"), (name, ""), (name, f"{password}x")):
        answer = httpx.get(url, auth=shown, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert password not in answer.text
    assert httpx.get(f"{served.mlflow}/health", trust_env=False).status_code == 200


def test_our_own_pages_open(served):
    assert "prefect" in hostile_page.seen_at(f"{served.prefect}/").lower()
    # A browser that was told the credential shows it so.
    shown = served.mlflow.replace("http://", f"http://{served.credential}@")
    assert "mlflow" in hostile_page.seen_at(f"{shown}/").lower()


def test_the_attack_works_where_nothing_guards(tmp_path: Path):
    """Else the tests above would pass with a page that attacks nothing."""
    taken: list[str] = []

    class Open(BaseHTTPRequestHandler):
        def do_OPTIONS(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            taken.append(json.loads(self.rfile.read(size))["name"])
            self._answer(b'{"id": "7"}')

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            for name, value in {
                "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*",
                "Content-Length": str(len(body)),
            }.items():  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Open)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        first = [a for a in attacks_on_prefect(address) if a["name"] in {"flow", "blob", "form"}]
        answers = hostile_page.attack(first)
    finally:
        server.shutdown()
        server.server_close()
    assert answers["flow"]["status"] == 200
    assert sorted(taken) == ["by-blob", "by-fetch", "by-form"]
