"""A served site in this process, as a browser sees it."""

import re
import warnings
from datetime import UTC, datetime

import pytest
from support.reports import forge_documents

from flows.api.app import build_api, build_server, is_upload
from flows.api.security import Door
from flows.web.app import add_pages, is_public
from flows.web.routers.sign_in import SIGN_IN_PATH
from schemas.documents.results import RunRecord, RunStatus
from schemas.outcomes import Verdict
from tasks.store.files.artifacts import write_json, write_parquet
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.runs import write_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a library that the lock lacks
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:8099"


class Browser(TestClient):
    """A client that asks for pages, keeps cookies, and sends forms as a page has them."""

    def page(self, path, status=200):
        """Return the text of a page, which has to answer with a status."""
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def proof(self, path="/"):
        """Return what forms of a page hold to show that they are of this browser."""
        return re.search(r'name="csrf_token" value="([^"]+)"', self.page(path))[1]

    def submit(self, path, fields=None, *, proof_from="/sign-in", **options):
        """Send a form with its proof."""
        data = {"csrf_token": self.proof(proof_from), **(fields or {})}
        options.setdefault("headers", {"origin": ADDRESS})
        return self.post(path, data=data, **{"follow_redirects": False, **options})


@pytest.fixture
def door():
    """What the site asks of a browser."""
    return Door(port=8099, is_upload=is_upload, is_public=is_public, sign_in=SIGN_IN_PATH)


@pytest.fixture(scope="session")
def site():
    """Pages and API; which home they are of is asked at every request."""
    return add_pages(build_api())


@pytest.fixture
def web(home, site, door):
    """A browser at the site of an empty home; nobody has to show a token yet."""
    headers = {"accept": "text/html,application/xhtml+xml"}
    server = build_server(door, site)
    with Browser(
        server, base_url=ADDRESS, raise_server_exceptions=False, headers=headers
    ) as browser:
        yield browser


@pytest.fixture
def finished_run(home):
    """Write a forged run of dataset ``brand``."""

    def write(run_id="run-1", day=2, verdict="PASS", **settings):
        moment = datetime(2026, 11, day, 12, tzinfo=UTC)
        record = RunRecord(
            run_id=run_id, dataset_id="brand", status=RunStatus.OUTPUTS_READY,
            verdict=Verdict(verdict), created_at=moment, updated_at=moment,
        )  # fmt: skip
        documents = forge_documents(n_periods=60, verdict=verdict, **settings)
        for name, file in documents.run.files.items():
            write_one = write_json if name.endswith(".json") else write_parquet
            write_one(home, home.run_dir(run_id) / name, file)
        with writing(home, record.dataset_id) as con:
            write_run(con, record)
        return record

    return write
