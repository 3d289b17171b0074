"""Which files a run spec or a form may name: those beside the spec, and those under stated roots.

A run spec is a text that others write, and a form is filled in by whoever reaches the Prefect UI.
Neither may make this process open any file of the machine: its text would come back in a message.
What somebody names on their own command line (``--data``, ``--spec``) is theirs to name.
"""

import os
from pathlib import Path

from schemas.errors import SpecError
from tasks.store.home import CHECKOUT, current_home

ROOTS_VARIABLE = "MMM_DATA_ROOTS"
"""Further folders, separated as in ``PATH``."""


def require_allowed(path: Path, *, named_by: str, beside: Path | None = None) -> Path:
    """Return the file itself, links followed.

    Parameters
    ----------
    path
        The file, absolute.
    named_by
        Key or parameter that named it, for the message.
    beside
        Folder of the spec that names it.

    Raises
    ------
    SpecError
        If it lies elsewhere, before anything of it is read; also if it is where this home keeps
        what Prefect knows, its credential among it.
    """
    found = path.resolve()
    private = current_home().root.resolve() / ".prefect"
    roots = allowed_roots(beside)
    if not found.is_relative_to(private) and any(found.is_relative_to(root) for root in roots):
        return found
    raise SpecError(
        f"{named_by}: {path} lies outside the folders that may be read: the spec's own, MMM_HOME, "
        f"the checkout, the folder of the command. Put the file beside the spec, or add its folder "
        f"to {ROOTS_VARIABLE}."
    )


def allowed_roots(beside: Path | None = None) -> list[Path]:
    """Return the folders whose files may be named, those of ``MMM_DATA_ROOTS`` last."""
    named = os.environ.get(ROOTS_VARIABLE, "").split(os.pathsep)
    folders = [current_home().root, CHECKOUT, *_folder_of_command()]
    folders += [Path(name).expanduser() for name in named if name.strip()]
    return [folder.resolve() for folder in ([beside] if beside else []) + folders]


def allow_folder(folder: Path) -> None:
    """Let the files of a folder be named, in this process and in those that it starts."""
    known = os.environ.get(ROOTS_VARIABLE)
    os.environ[ROOTS_VARIABLE] = f"{folder}{os.pathsep}{known}" if known else str(folder)


def _folder_of_command() -> list[Path]:
    """Return the working folder, unless it holds everything of the machine or of the user."""
    try:
        here = Path.cwd().resolve()
        too_much = {Path(here.anchor), Path.home().resolve()}
    except (OSError, RuntimeError):  # it was removed, or the user has no home
        return []
    return [] if here in too_much or str(here).startswith(("/proc", "/sys", "/dev")) else [here]
