"""Going back through the API: who has seen what, and what pages say at once."""

import logging

import pytest
from support.publishing import publish_run

from tasks.publish import task

PLACE = "/api/v1/champions/demo"


@pytest.fixture
def two_versions(web, finished, monkeypatch):
    """A site with the champion ``demo@2``, and ``demo@1`` before it."""
    monkeypatch.setattr(task, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(task, "build_figures", lambda _: {})
    for run_id in ("run-1", "run-2"):
        publish_run(finished(run_id=run_id))
    return web


def roll_back(web, seen, to=1):
    headers = {"if-match": seen, "origin": "http://127.0.0.1:8099", "accept": "application/json"}
    asked = {"to": to, "reason": "a file was wrong"}
    return web.post(f"{PLACE}/rollback", json=asked, headers=headers)


def test_going_back_is_seen_at_once_by_programs_and_pages(two_versions):
    web = two_versions
    before = web.get(PLACE)
    assert before.json()["champion"]["version"] == 2
    assert "<h2>demo@2</h2>" in web.page("/champions?dataset_id=demo")

    done = roll_back(web, before.headers["etag"])
    assert (done.status_code, done.json()["champion"]) == (200, "demo@1")
    after = web.get(PLACE)
    assert after.json()["champion"]["version"] == 1
    assert after.headers["etag"] != before.headers["etag"]
    page = web.page("/champions?dataset_id=demo")
    assert "<h2>demo@1</h2>" in page
    assert "a file was wrong" in page


def test_who_saw_another_champion_changes_nothing(two_versions):
    web = two_versions
    seen = web.get(PLACE).headers["etag"]
    assert roll_back(web, seen).status_code == 200
    now = web.get(PLACE)
    late = roll_back(web, seen, to=2)
    assert late.status_code == 412
    assert late.headers["etag"] == now.headers["etag"]
    assert web.get(PLACE).json() == now.json()
