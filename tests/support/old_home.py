"""The home that an earlier release left, put where a test may change it."""

import tarfile
from pathlib import Path

from tasks.store.home import Home

PACKED = Path(__file__).resolve().parents[1] / "contract" / "old_home" / "home.tar.xz"
DATASET = "acme"
FIRST, SECOND, KILLED = (
    f"acme-20261130T{name}" for name in ("065340-a3f9", "065631-a7c6", "065913-fa3d")
)
"""Its runs: two accepted ones, the second is champion; a third was killed while it trained."""


def unpack_old_home(folder: Path) -> Home:
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    return Home(folder.resolve())
