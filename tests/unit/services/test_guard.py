"""What a browser says of a page decides; a program that says nothing passes to the credential."""

import asyncio

import pytest

from flows.services.guard import Guard, allowed_names
from schemas.errors import SpecError

PORT = 4200
OWN = {"host": "127.0.0.1:4200"}


def ask(headers, *, method="GET", kind="http", names=()):
    """Send one request through the guard; return its messages, or ["passed"]."""
    sent = []

    async def app(scope, receive, send):
        sent.append("passed")

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": method, "path": "/api/flows/", "headers": pairs}
    asyncio.run(Guard(app, port=PORT, names=names)(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"host": "localhost:4200"},
        {"host": "[::1]:4200"},
        {"host": "localhost:8080"},  # a tunnel ends at another port
        {**OWN, "origin": "http://127.0.0.1:4200"},
        {**OWN, "origin": "http://localhost:4200"},
        {"host": "localhost:8080", "origin": "http://localhost:8080"},
        {**OWN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
        {**OWN, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        {
            **OWN,
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_our_own_pages_and_programs_pass(headers, kind):
    assert ask(headers, kind=kind) == ["passed"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "attacker.example:4200"},
        {"host": "127.0.0.1.attacker.example"},
        {"host": "attacker.example@127.0.0.1@evil"},
        {"host": "[::1"},
        {"host": "attacker.example", "origin": "http://attacker.example"},
        {**OWN, "origin": "http://attacker.example"},
        {**OWN, "origin": "http://127.0.0.1:3000"},
        {**OWN, "origin": "http://127.0.0.1.attacker.example:4200"},
        {**OWN, "origin": "null"},
        {**OWN, "origin": "file://"},
        {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {**OWN, "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
        {
            **OWN,
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "iframe",
        },
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_foreign_pages_and_names_are_refused(headers, kind):
    sent = ask(headers, kind=kind)
    assert "passed" not in sent
    if kind == "http":
        assert sent[0]["status"] == 403
        assert not any(name.startswith(b"access-control") for name, _ in sent[0]["headers"])
    else:
        assert sent[0]["type"] == "websocket.close"


def test_a_link_may_be_followed_but_not_posted():
    headers = {
        **OWN,
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    assert ask(headers, method="GET") == ["passed"]
    assert "passed" not in ask(headers, method="POST")


def test_two_hosts_or_origins_are_refused():
    def doubled(name, *values):
        sent = []

        async def app(scope, receive, send):
            sent.append("passed")

        async def send(message):
            sent.append(message)

        pairs = [(b"host", b"127.0.0.1:4200")] if name != "host" else []
        pairs += [(name.encode(), value.encode()) for value in values]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": pairs}
        asyncio.run(Guard(app, port=PORT)(scope, send, send))
        return sent

    assert "passed" not in doubled("host", "127.0.0.1:4200", "attacker.example")
    assert "passed" not in doubled("origin", "http://127.0.0.1:4200", "http://attacker.example")


def test_a_name_of_the_operator_passes():
    headers = {"host": "mmm.example.com", "origin": "https://mmm.example.com"}
    assert "passed" not in ask(headers)
    assert ask(headers, names=["MMM.example.com"]) == ["passed"]


@pytest.mark.parametrize("named", ["*", "*.example.com", "http://a.example", "a.example:80"])
def test_a_name_that_would_open_the_door_is_refused(monkeypatch, named):
    monkeypatch.setenv("MMM_ALLOWED_HOSTS", f"good.example, {named}")
    with pytest.raises(SpecError, match="not a host name"):
        allowed_names()


def test_names_are_read(monkeypatch):
    monkeypatch.setenv("MMM_ALLOWED_HOSTS", " a.example, B.example ,")
    assert allowed_names() == ["a.example", "B.example"]


def test_answers_may_not_be_framed_by_others():
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(app, port=PORT)(scope, send, send))
    assert (b"x-frame-options", b"SAMEORIGIN") in sent[0]["headers"]
