"""MLflow's own tables as we read them without its client: a new release keeps them or fails."""

import pytest

from schemas.names import Alias
from tasks.store.tracking import experiments
from tasks.store.tracking.local_registry import local_run_of


@pytest.fixture
def client(home):
    from mlflow import MlflowClient

    home.mlruns.mkdir(parents=True, exist_ok=True)
    # Named twice: a test before this one may have chosen another registry for the process.
    return MlflowClient(home.tracking_uri, home.tracking_uri)


def register(client, name, run_tag):
    experiment = client.get_experiment_by_name(name)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(name)
    run = client.create_run(experiment_id, tags={experiments.RUN_TAG: run_tag})
    return client.create_model_version(name, "mlruns/none", run.info.run_id).version


def test_the_file_and_the_client_name_the_same_run(home, client):
    client.create_registered_model("shop")
    register(client, "shop", "run-1")
    second = register(client, "shop", "run-2")
    assert local_run_of(home, "shop", Alias.CHAMPION) is None
    client.set_registered_model_alias("shop", str(Alias.CHAMPION), second)
    held = client.get_model_version_by_alias("shop", str(Alias.CHAMPION))
    tagged = client.get_run(held.run_id).data.tags[experiments.RUN_TAG]
    assert local_run_of(home, "shop", Alias.CHAMPION) == tagged == "run-2"
    assert local_run_of(home, "other", Alias.CHAMPION) is None


def test_a_file_that_is_no_store_says_nothing(home):
    home.mlruns.mkdir(parents=True, exist_ok=True)
    (home.mlruns / "mlflow.db").write_bytes(b"not a database")
    assert local_run_of(home, "shop", Alias.CHAMPION) is None
