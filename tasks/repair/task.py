"""Mend a home; a plain function, because what is broken may be what a flow needs."""

from schemas.answers.repair import RepairReport
from tasks.store.clock import latest_today
from tasks.store.home import current_home
from tasks.store.warehouse.repair import repair_warehouses


def repair_home() -> RepairReport:
    """Put back damaged warehouses of the current home, and dates that are wrong.

    Returns
    -------
    RepairReport
        What was wrong, what was done, and what could not be brought back.

    Raises
    ------
    CorruptArtifactError
        If nothing that was kept can be put back.
    """
    today = latest_today()
    return repair_warehouses(current_home(), today)
