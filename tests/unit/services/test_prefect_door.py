"""The page through which links lead to Prefect: where it leads, and that it holds no secret."""

import re
import warnings

import pytest
from starlette.responses import PlainTextResponse

from flows.services.prefect_door import with_door
from tasks.store.credential import api_credential
from tasks.store.home import PREFECT_DOOR

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a library that the lock lacks
    from starlette.testclient import TestClient


@pytest.fixture
def prefect(home):
    """Prefect's application behind the door; it answers its own name."""
    return TestClient(with_door(PlainTextResponse("prefect")))


def target(answer):
    return re.search(r'data-target="([^"]*)"', answer.text)[1]


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/runs/flow-run/747f53ea-0c61", "/runs/flow-run/747f53ea-0c61"),
        ("/runs", "/runs"),
        ("", "/"),
        ("//attacker.example", "/"),
        ("https://attacker.example/runs", "/"),
        ("javascript:alert(1)", "/"),
        ('/runs/"><script>', "/"),
        ("/runs/../mmm/open", "/"),
    ],
)
def test_it_leads_to_pages_of_prefect_alone(prefect, asked, led):
    assert target(prefect.get(PREFECT_DOOR, params={"to": asked})) == led


def test_it_holds_no_secret_and_lets_no_foreign_script_in(prefect, home):
    answer = prefect.get(PREFECT_DOOR)
    assert api_credential(home).partition(":")[2] not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', answer.text):
        assert prefect.get(address).status_code == 200, address
    assert prefect.get("/mmm/app.js").status_code == 404
    assert prefect.post(PREFECT_DOOR).status_code == 405


def test_everything_else_is_prefects(prefect):
    for path in ("/", "/api/health", "/runs", "/mmm"):
        assert prefect.get(path).text == "prefect"
