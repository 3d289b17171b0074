"""Memory that is free on this machine, or left to this container."""

from pathlib import Path

import psutil

_LIMIT = Path("/sys/fs/cgroup/memory.max")
_USED = Path("/sys/fs/cgroup/memory.current")


def free_bytes() -> int:
    """Return the bytes that programs may still take: the machine's, or fewer in a container."""
    free = int(psutil.virtual_memory().available)
    try:
        limit, used = _LIMIT.read_text().strip(), int(_USED.read_text())
        return min(free, max(0, int(limit) - used)) if limit != "max" else free
    except (OSError, ValueError):  # no container, or an older system
        return free
