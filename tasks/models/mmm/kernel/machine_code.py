"""Where Numba keeps the kernel's machine code, and the functions loaded from there.

Numba decides by the time stamp of one file whether stored code is still right. The kernel consists
of several, so its folder is named after the content of them all: code of another version is never
found.
"""

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba

from tasks.models.mmm import constants


class EntryPoints(NamedTuple):
    """Numba's callbacks; each has an ``address``."""

    log_density: Any
    hand_over: Any


@cache
def entry_points() -> EntryPoints:
    """Return the compiled functions; the first process on a machine compiles them."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(_code_folder())
    try:
        from tasks.models.mmm.kernel import entry
    finally:
        config.CACHE_DIR = before
    return EntryPoints(entry.log_density, entry.hand_over)


def _code_folder() -> Path:
    """Folder of this version's machine code: in the user's cache, else in a temporary folder."""
    digest = hashlib.sha256()
    sources = sorted(Path(__file__).parent.glob("*.py"))
    # A number of that module is frozen into the code.
    for source in (*sources, Path(constants.__file__)):
        digest.update(source.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "steady-mmm" / f"kernel-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="mmm-kernel-"))
    return folder
