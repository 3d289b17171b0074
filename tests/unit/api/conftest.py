"""A served API in this process, over a home with one published run."""

import warnings

import pytest

from flows.api.app import build_api, build_server, is_upload
from flows.api.security import Door

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a library that the lock lacks
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:8099"


@pytest.fixture(scope="session")
def application():
    """The application; which home it answers for is asked at every request."""
    return build_api()


@pytest.fixture
def api(home, application):
    """The API behind its doors; nobody has to show a token yet."""
    server = build_server(Door(port=8099, is_upload=is_upload), application)
    with TestClient(server, base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client
