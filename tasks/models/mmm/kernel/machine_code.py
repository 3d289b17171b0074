"""Where Numba keeps the kernel's machine code, and the functions loaded from there.

Numba decides by the time stamp of one file whether stored code is still right. The kernel consists
of several, so its folder is named after the content of them all: code of another version is never
found.

Code is compiled in a process of its own, and only loaded here. A process that compiles has every
function of the kernel in memory twice, alone and as part of its callers, and takes the former; they
round differently, so that the first fit on a machine differed from every later one.
"""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
from numba.core.registry import cpu_target

from tasks.models.mmm import constants

log = logging.getLogger(__name__)

_ENTRY = Path(__file__).with_name("entry.py")
_COMPILE_SECONDS = 900


class EntryPoints(NamedTuple):
    """Numba's callbacks; each has an ``address``."""

    log_density: Any
    hand_over: Any


@cache
def entry_points() -> EntryPoints:
    """Return the compiled functions; where the machine has none yet, they are compiled first."""
    config: Any = numba.config
    before = config.CACHE_DIR
    folder = _code_folder()
    _require_code(folder)
    config.CACHE_DIR = str(folder)
    try:
        from tasks.models.mmm.kernel import entry
    finally:
        config.CACHE_DIR = before
    if not (entry.log_density.cache_hits and entry.hand_over.cache_hits):
        log.warning("the kernel was compiled here: a later fit may differ in its last digits")
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


def _require_code(folder: Path) -> None:
    """Compile the kernel in a child process, unless it has been for this file and processor."""
    done = folder / f"compiled-{_stamp()}"
    if done.exists():
        return
    log.info("compiling the sampling kernel, once on this machine; it takes about half a minute")
    child = subprocess.run(
        [sys.executable, "-c", "import tasks.models.mmm.kernel.entry"],
        env={
            **os.environ,
            "NUMBA_CACHE_DIR": str(folder),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMPILE_SECONDS,
    )
    if child.returncode == 0:
        done.touch()
    else:
        log.warning("the kernel could not be compiled beside: %s", child.stderr.strip()[-500:])


def _stamp() -> str:
    """Everything by which Numba knows whether stored code is right, as a digest."""
    seen = _ENTRY.stat()
    target: Any = cpu_target.target_context
    processor = target.codegen().magic_tuple()
    facts = (
        numba.__version__, sys.implementation.cache_tag, processor, _ENTRY.resolve(),
        seen.st_mtime_ns, seen.st_size,
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
