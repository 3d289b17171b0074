"""An MLflow server that does not answer, reported as what it is before anything waits for it.

MLflow's own client tries for minutes, call by call, and then raises what a refusal raises too.
"""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import ResourceUnavailableError
from tasks.store.home import Home

ANSWER_SECONDS = 5.0


def require_answer(home: Home) -> None:
    """Ask the server of the home's tracking address, if it has one, whether it is there.

    Raises
    ------
    ResourceUnavailableError
        If it does not answer.
    """
    if not home.is_tracking_served:
        return
    address = home.tracking_pages
    try:
        urllib.request.urlopen(f"{address}/health", timeout=ANSWER_SECONDS).close()  # noqa: S310 - http or https
    except urllib.error.HTTPError:
        return  # it answers; whether it lets us in is for MLflow to say
    except (OSError, ValueError) as error:
        raise ResourceUnavailableError(
            f"MLflow at {address} (MLFLOW_TRACKING_URI) does not answer: {error}. Start it and run "
            "again: what has been fitted is kept. Without MLFLOW_TRACKING_URI the home has a store "
            "of its own."
        ) from error


@contextmanager
def asking(home: Home) -> Iterator[None]:
    """Report a server that has gone from one that refuses.

    Raises
    ------
    ResourceUnavailableError
        If MLflow failed and its server does not answer any more.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException:
        require_answer(home)
        raise


def run_address(home: Home, experiment_id: str, mlflow_run_id: str) -> str:
    """Return the address of a run's page in MLflow.

    Parameters
    ----------
    home
        The home.
    experiment_id, mlflow_run_id
        Where the run is in its store.
    """
    return f"{home.tracking_pages}/#/experiments/{experiment_id}/runs/{mlflow_run_id}"
