"""MLflow's own tables as we read them without its client: a new release keeps them or fails."""

import pytest

from schemas.names import Alias
from tasks.store.runs.champions import describe_version
from tasks.store.tracking import experiments
from tasks.store.tracking.local_registry import local_champion, local_run_of


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


@pytest.mark.parametrize("version_tags", [{}, {"last_period": "2026-03-02"}])
def test_the_file_and_the_client_describe_the_same_champion(home, client, version_tags):
    client.create_registered_model("shop")
    register(client, "shop", "run-1")
    second = register(client, "shop", "run-2")
    run_id = client.get_model_version("shop", second).run_id
    client.log_param(run_id, "as_of", "2026-03-04")
    client.set_tag(run_id, "last_period", "2026-02-23")
    for key, value in version_tags.items():
        client.set_model_version_tag("shop", second, key, value)
    assert local_champion(home, "shop") is None
    client.set_registered_model_alias("shop", str(Alias.CHAMPION), second)
    told = describe_version(client, "shop", int(second))
    assert local_champion(home, "shop") == told
    assert (told.run_id, str(told.as_of)) == ("run-2", "2026-03-04")
    assert str(told.last_period) == version_tags.get("last_period", "2026-02-23")
    client.delete_registered_model_alias("shop", str(Alias.CHAMPION))
    assert local_champion(home, "shop") is None


def test_a_version_that_no_run_of_ours_made_is_left_to_the_client(home, client):
    client.create_registered_model("shop")
    made = client.create_model_version("shop", "mlruns/none")
    client.set_registered_model_alias("shop", str(Alias.CHAMPION), made.version)
    assert local_champion(home, "shop") is None


def test_a_file_that_is_no_store_says_nothing(home):
    home.mlruns.mkdir(parents=True, exist_ok=True)
    (home.mlruns / "mlflow.db").write_bytes(b"not a database")
    assert local_run_of(home, "shop", Alias.CHAMPION) is None
