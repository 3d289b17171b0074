"""Whether what work needs is there: the home, the warehouse, MLflow."""

from collections.abc import Callable

from schemas.answers.service import ReadyCheck
from schemas.errors import MmmError
from tasks.store.home import current_home
from tasks.store.storage import require_writable
from tasks.store.tracking.server import require_answer
from tasks.store.warehouse.across import require_all_open

_BRIEF_SECONDS = 2.0


def check_storage() -> list[ReadyCheck]:
    """Return one check per thing that stores what a run makes."""
    home = current_home()

    def warehouse() -> None:
        require_all_open(home, wait_seconds=_BRIEF_SECONDS)

    return [
        run_check("home", lambda: require_writable(home)),
        run_check("warehouse", warehouse),
        run_check("MLflow", lambda: require_answer(home)),
    ]


def run_check(name: str, check: Callable[[], None]) -> ReadyCheck:
    """Return whether a check passes, and what it says where it does not."""
    try:
        check()
    except MmmError as error:
        return ReadyCheck(name=name, is_ready=False, detail=str(error))
    return ReadyCheck(name=name, is_ready=True)
