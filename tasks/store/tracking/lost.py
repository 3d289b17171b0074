"""A store of MLflow that was there and is gone is reported as that, never begun anew in silence."""

from schemas.errors import CorruptArtifactError
from tasks.store.home import Home


def is_local(home: Home) -> bool:
    """Whether the home's own SQLite file is the store."""
    return home.tracking_uri == f"sqlite:///{home.mlruns / 'mlflow.db'}"


def is_lost(home: Home) -> bool:
    """Whether the store is gone though artifacts of its runs are there."""
    if not is_local(home) or (home.mlruns / "mlflow.db").exists():
        return False
    return any((home.mlruns / "artifacts").glob("*/*"))


def require_store_kept(home: Home) -> None:
    """Let nobody begin a new store, with versions from 1 again, where one was lost.

    Raises
    ------
    CorruptArtifactError
        If the store is gone; names what makes it again.
    """
    if is_lost(home):
        raise CorruptArtifactError(
            f"MLflow's store {home.mlruns / 'mlflow.db'} is gone, though artifacts of its runs are "
            "there. Restore it, or let `mmm repair` make it again from the run folders."
        )
