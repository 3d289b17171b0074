"""What code and which libraries made a result, as hashes.

Invariant: a fingerprint that cannot be computed raises; it is never empty.
"""

import hashlib
import importlib.metadata
from functools import cache

from schemas.errors import CorruptArtifactError
from tasks.store.home import CHECKOUT

PACKAGES = ("flows", "tasks", "schemas")
FIT_CODE = ("tasks/features", "tasks/fit", "tasks/mathematics", "tasks/models")
"""Folders whose code decides a posterior, once panel and spec are given."""


@cache
def code_fingerprint(*packages: str) -> str:
    """Return a SHA-256 over names and bytes of all ``.py`` and ``.sql`` files of our packages.

    Parameters
    ----------
    *packages
        Folders relative to the checkout, such as ``tasks/mathematics``; default: all of them.

    Raises
    ------
    CorruptArtifactError
        If there is no code in those folders.
    """
    digest = hashlib.sha256()
    files = sorted(
        path
        for package in packages or PACKAGES
        for path in (CHECKOUT / package).rglob("*")
        if path.suffix in {".py", ".sql"}
    )
    if not files:
        raise CorruptArtifactError(f"no code found for {packages or PACKAGES} under {CHECKOUT}")
    for path in files:
        digest.update(
            path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
        )
    return digest.hexdigest()


@cache
def lock_fingerprint() -> str:
    """Return the SHA-256 of ``requirements.lock``, or of the installed versions without one."""
    lock = CHECKOUT / "requirements.lock"
    if lock.is_file():
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    installed = sorted(
        f"{d.metadata['Name']}=={d.version}" for d in importlib.metadata.distributions()
    )
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def fit_fingerprint() -> str:
    """Return one hash of the code and the libraries that decide a posterior."""
    parts = f"{code_fingerprint(*FIT_CODE)}\0{lock_fingerprint()}"
    return hashlib.sha256(parts.encode()).hexdigest()
