"""The webhook is called once, or the log says why not; nothing is raised, no token is shown."""

import base64
import logging
import time

import pytest
from support.receivers import receiving

from flows.services.servers import free_port
from tasks.store import webhook

DOCUMENT = {"kind": "failure", "text": "refit-weekly failed for demo."}


@pytest.fixture(autouse=True)
def quick(monkeypatch, caplog):
    monkeypatch.setattr(webhook, "RETRY_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", 0.5)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    caplog.set_level(logging.INFO)


def post_to(monkeypatch, url):
    monkeypatch.setenv(webhook.VARIABLE, url)
    return webhook.post_json(DOCUMENT)


def test_a_document_arrives_once_as_json(monkeypatch, caplog):
    with receiving() as receiver:
        assert post_to(monkeypatch, receiver.url)
    assert receiver.bodies == [DOCUMENT]
    assert receiver.content_types == ["application/json"]
    assert "127.0.0.1 was notified" in caplog.text


def test_nothing_is_sent_where_nothing_is_named(monkeypatch):
    monkeypatch.delenv(webhook.VARIABLE, raising=False)
    assert not webhook.is_configured()
    assert not webhook.post_json(DOCUMENT)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_passing_fault_is_tried_once_more(monkeypatch, status):
    with receiving(status, 200) as receiver:
        assert post_to(monkeypatch, receiver.url)
    assert receiver.bodies == [DOCUMENT, DOCUMENT]


def test_a_lasting_fault_is_reported_after_two_tries(monkeypatch, caplog):
    with receiving(500) as receiver:
        assert not post_to(monkeypatch, receiver.url)
    assert len(receiver.bodies) == 2
    assert "HTTP 500" in caplog.text


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_is_not_tried_again(monkeypatch, caplog, status):
    with receiving(status) as receiver:
        assert not post_to(monkeypatch, receiver.url)
    assert len(receiver.bodies) == 1
    assert f"HTTP {status}" in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_because_its_target_would_get_an_empty_request(monkeypatch, status):
    with receiving() as target, receiving(status, Location=target.url) as receiver:
        assert not post_to(monkeypatch, receiver.url)
    assert not target.bodies


@pytest.mark.parametrize(
    ("user", "sent"), [("me:pass%20word@", "me:pass word"), ("me@", "me:"), ("", None)]
)
def test_user_and_password_of_the_address_are_sent_as_a_header(monkeypatch, user, sent):
    with receiving() as receiver:
        assert post_to(monkeypatch, receiver.url.replace("http://", f"http://{user}"))
    expected = f"Basic {base64.b64encode(sent.encode()).decode()}" if sent else None
    assert receiver.authorizations == [expected]


def test_a_receiver_that_is_down_fails_in_time(monkeypatch, caplog):
    assert not post_to(monkeypatch, f"http://127.0.0.1:{free_port()}/services/secret-token")
    assert "ConnectionRefusedError" in caplog.text


def test_a_slow_receiver_is_left_after_the_timeout(monkeypatch, caplog):
    with receiving(seconds=3.0) as receiver:
        started = time.monotonic()
        assert not post_to(monkeypatch, receiver.url)
        assert time.monotonic() - started < 2.5
    assert "TimeoutError" in caplog.text or "timeout" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/secret-token",
        "ftp://host/secret-token",
        "secret-token",
        "http://",
        "http://[secret-token",
    ],
)
def test_only_http_addresses_are_used(monkeypatch, caplog, url):
    assert not post_to(monkeypatch, url)
    assert "not an http or https address" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/secret-token",
        "http://user:secret-token@127.0.0.1:1/",
        "http://127.0.0.1:1/secret-token with a space",
        "http://127.0.0.1:1/?key=secret-token",
        "http://127.0.0.1:secret-token/",
        "https://127.0.0.1:1/secret-token\n",
        "ftp://host/secret-token",
    ],
)
def test_no_log_line_holds_more_of_the_address_than_its_host(monkeypatch, caplog, url):
    assert not post_to(monkeypatch, url)
    assert caplog.records
    assert "secret-token" not in caplog.text
