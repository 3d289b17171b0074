"""An MLflow server that does not answer is reported at once, without its password."""

import pytest
from mlflow.exceptions import MlflowException
from support.faults import dead_server
from support.receivers import receiving

from schemas.errors import ResourceUnavailableError
from tasks.store.tracking.server import asking, require_answer


def test_a_dead_server_is_named_without_its_password(home, monkeypatch):
    dead = dead_server()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", dead.replace("://", "://me:secret@"))
    with pytest.raises(ResourceUnavailableError, match=f"MLflow at {dead}") as caught:
        require_answer(home)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_store_in_the_home_has_no_server_to_ask(home):
    require_answer(home)


def test_only_a_failure_of_a_server_that_has_gone_may_pass(home, monkeypatch):
    refusal = MlflowException("name is too long")
    with receiving(path="") as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
        with pytest.raises(MlflowException) as caught, asking(home):
            raise refusal
        assert caught.value is refusal
    with pytest.raises(ResourceUnavailableError, match="does not answer"), asking(home):
        raise refusal
