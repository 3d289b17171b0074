"""Links to other services: to those alone that are known to be there."""

from tasks.query.links import links_of
from tasks.store.home import PAGES_VARIABLE, PREFECT_DOOR, PREFECT_PAGES_VARIABLE


def test_mlflow_is_linked_where_it_was_started_and_not_where_nobody_did(published, monkeypatch):
    monkeypatch.delenv(PAGES_VARIABLE, raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert links_of("run-1") == []
    monkeypatch.setenv(PAGES_VARIABLE, "http://127.0.0.1:5999")
    (link,) = links_of("run-1")
    assert link.name == "MLflow"
    assert link.href.startswith("http://127.0.0.1:5999/#/experiments/")


def test_prefect_is_linked_through_the_door_where_its_pages_are_ours(published, monkeypatch):
    monkeypatch.delenv(PAGES_VARIABLE, raising=False)
    monkeypatch.delenv("PREFECT_UI_URL", raising=False)
    monkeypatch.setenv("PREFECT_API_URL", "http://user:secret@prefect.example/api")
    (elsewhere,) = links_of("run-1")
    assert elsewhere.href == "http://prefect.example/runs"
    monkeypatch.setenv(PREFECT_PAGES_VARIABLE, "http://127.0.0.1:4999")
    (ours,) = links_of("run-1")
    assert ours.href == f"http://127.0.0.1:4999{PREFECT_DOOR}?to=/runs"
