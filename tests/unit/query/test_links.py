"""Links to other services: to those alone that are known to be there."""

from tasks.query.links import links_of
from tasks.store.home import PAGES_VARIABLE


def test_mlflow_is_linked_where_it_was_started_and_not_where_nobody_did(published, monkeypatch):
    monkeypatch.delenv(PAGES_VARIABLE, raising=False)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert links_of("run-1") == []
    monkeypatch.setenv(PAGES_VARIABLE, "http://127.0.0.1:5999")
    (link,) = links_of("run-1")
    assert link.name == "MLflow"
    assert link.href.startswith("http://127.0.0.1:5999/#/experiments/")
