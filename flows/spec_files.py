"""Run spec files that a deployment names."""

from pathlib import Path

from schemas.errors import SpecError
from tasks.query.runs import allowed_file
from tasks.store.home import CHECKOUT, current_home


def find_file(named: str, *, parameter: str) -> Path:
    """Return the file that a parameter of a flow run names.

    Parameters
    ----------
    named
        Relative to ``MMM_HOME`` or to the checkout, in this order, or absolute and in one of them
        or under a root of ``MMM_DATA_ROOTS``.
    parameter
        Its name, for the message.

    Raises
    ------
    SpecError
        If there is no such file, or it may not be named by a form.
    """
    path = Path(named).expanduser()
    places = [current_home().root, CHECKOUT]
    for place in places:
        if (place / path).is_file():
            return allowed_file(place / path, named_by=parameter)
    where = "" if path.is_absolute() else f" in {' or '.join(map(str, dict.fromkeys(places)))}"
    raise SpecError(f"{parameter}: {named} is not a file{where}; name one that the worker sees.")
