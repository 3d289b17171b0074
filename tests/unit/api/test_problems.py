"""Every error is a problem document, whatever is asked and whoever asks."""

import asyncio
import base64

import pytest

from flows.api import security
from flows.api.app import build_api, build_server, is_upload
from flows.api.problems import MEDIA_TYPE
from flows.api.security import Door
from flows.web.app import add_pages
from tasks.store.credential import api_credential
from tasks.store.tokens import Role, list_tokens, make_token, revoke_token, tokens_path


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
    return answer.json()


def test_what_is_not_there_not_allowed_not_valid(api):
    is_problem(api.get("/nothing"), 404)
    is_problem(api.post("/health"), 405)
    assert "limit" in is_problem(api.get("/api/v1/runs?limit=0"), 422)["problems"][0]
    is_problem(api.get("/api/v1/runs?cursor=%21%21"), 400)
    is_problem(api.get("/api/v1/runs?cursor=abcd"), 400)
    ask = {"Content-Type": "application/json", "If-Match": "*"}
    is_problem(api.post("/api/v1/champions/d/accept", content=b"{", headers=ask), 422)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api, monkeypatch):
    monkeypatch.setattr(security, "MAX_BODY_BYTES", 1000)
    path = "/api/v1/champions/demo/accept"
    is_problem(api.post(path, content=b"x" * 1001), 413)
    is_problem(api.post(path, content=(b"x" * 100 for _ in range(11))), 413)


@pytest.mark.parametrize("path", ["/api/v1/champions/demo/accept", "/demo"])
def test_a_body_that_never_ends_is_refused(home, monkeypatch, path):
    """A byte now and then, by a program or a form, must not hold the server for ever."""
    monkeypatch.setattr(security, "BODY_SECONDS", 0.2)
    door = Door(port=8099, is_upload=is_upload)
    server, sent = build_server(door, add_pages(build_api())), []
    headers = [
        (b"host", b"127.0.0.1:8099"), (b"origin", b"http://127.0.0.1:8099"),
        (b"content-type", b"application/x-www-form-urlencoded"), (b"if-match", b"*"),
    ]  # fmt: skip

    async def receive():
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
             "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "root_path": "",
             "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8099)}  # fmt: skip
    asyncio.run(asyncio.wait_for(server(scope, receive, send), 20))
    assert sent[0]["status"] == 408
    assert "took longer" in b"".join(m.get("body", b"") for m in sent[1:]).decode()


def test_an_unforeseen_error_says_nothing_of_itself(home):
    from starlette.testclient import TestClient

    inside = build_api()

    @inside.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret of the server at /srv/place")

    client = TestClient(inside, raise_server_exceptions=False)
    said = is_problem(client.get("/broken"), 500)
    assert "secret" not in str(said)
    assert "/srv" not in str(said)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_foreign_hosts_and_pages_are_refused(api, headers):
    is_problem(api.get("/api/v1/runs", headers=headers), 403)


def test_every_answer_carries_a_policy_and_no_permission_for_other_origins(api):
    for path in ("/health", "/nothing", "/api/v1/runs"):
        headers = api.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_once_a_token_is_made_nobody_comes_in_without_one(api, home):
    assert api.get("/api/v1/runs").status_code == 200
    reader = make_token(home, "reader", Role.READ)
    writer = make_token(home, "writer", Role.WRITE)
    said = api.get("/api/v1/runs")
    is_problem(said, 401)
    assert said.headers["www-authenticate"].startswith("Bearer")
    is_problem(api.get("/api/v1/runs", headers=bearer("mmm_wrong")), 401)
    assert api.get("/health").status_code == 200
    assert api.get("/api/v1/runs", headers=bearer(reader)).status_code == 200
    path, ask = "/api/v1/champions/demo/rollback", {}
    is_problem(api.post(path, json=ask, headers=bearer(reader)), 403)
    is_problem(api.post(path, json=ask, headers=bearer(writer)), 428)
    revoke_token(home, "writer")
    is_problem(api.post(path, json=ask, headers=bearer(writer)), 401)


def test_a_wrong_token_is_refused_even_where_none_is_asked_for(api):
    assert api.get("/api/v1/runs").status_code == 200
    is_problem(api.get("/api/v1/runs", headers=bearer("mmm_wrong")), 401)


def test_the_credential_of_the_services_may_write(api, home):
    make_token(home, "someone", Role.READ)
    pair = base64.b64encode(api_credential(home).encode()).decode()
    answer = api.post(
        "/api/v1/champions/d/rollback", json={}, headers={"Authorization": f"Basic {pair}"}
    )
    is_problem(answer, 428)
    for wrong in ("Basic !!", "Basic eDp5", "Digest x", "Bearer"):
        is_problem(api.get("/api/v1/runs", headers={"Authorization": wrong}), 401)


def test_only_hashes_are_kept_and_only_for_their_owner(home):
    text = make_token(home, "reader", Role.READ)
    assert text not in tokens_path(home).read_text()
    assert tokens_path(home).stat().st_mode & 0o077 == 0
    assert [record.name for record in list_tokens(home)] == ["reader"]


def test_a_damaged_file_of_tokens_lets_nobody_in(api, home):
    make_token(home, "reader", Role.READ)
    tokens_path(home).write_text("{")
    is_problem(api.get("/api/v1/runs"), 500)


def test_writes_are_limited_and_reads_are_not(home, monkeypatch):
    monkeypatch.setattr(security, "WRITES_PER_MINUTE", 5)  # one every 12 seconds
    from starlette.testclient import TestClient

    client = TestClient(
        build_server(Door(port=8099)), base_url="http://127.0.0.1:8099",
        raise_server_exceptions=False,
    )  # fmt: skip
    codes = [client.post("/health").status_code for _ in range(security.WRITES_PER_MINUTE + 5)]
    assert codes[0] == 405
    assert codes[-1] == 429
    assert client.get("/health").status_code == 200


OPERATIONS = [
    (method, path, operation)
    for path, operations in build_api().openapi()["paths"].items()
    for method, operation in operations.items()
]


def test_every_operation_has_an_id_of_its_own_and_says_what_it_does():
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)
    assert all(operation.get("description") for _, _, operation in OPERATIONS)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
