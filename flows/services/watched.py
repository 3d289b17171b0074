"""Run a command that ends when its parent ends: ``python -m flows.services.watched COMMAND...``.

A killed parent (``kill -9``, an out-of-memory kill) runs no clean-up of its own. The kernel still
closes its end of the pipe on our standard input, and that is the sign to end the command and
everything it has started: a Prefect worker puts each flow run into a session of its own, which a
signal to the worker's group does not reach.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import psutil

POLL_SECONDS = 0.2
GRACE_SECONDS = 8.0
"""How long a command may take to end by itself before it is killed."""


def watch(command: list[str]) -> int:
    """Run ``command`` in its own process group until it ends or standard input is closed.

    Returns
    -------
    int
        Exit status of the command.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own commands
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], POLL_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            _end(child)
    return int(child.returncode)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ask the command and its descendants to end, then insist."""
    family = _family(child.pid)
    _, alive = _signal_all(family, signal.SIGTERM, GRACE_SECONDS)
    # What was started while we waited is found through the group or through those that are left.
    late = [process for survivor in alive for process in _family(survivor.pid)]
    _signal_all([*alive, *late], signal.SIGKILL, 1.0)
    child.wait()


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal_all(
    processes: Sequence[psutil.Process], number: signal.Signals, seconds: float
) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Send a signal and wait; return who has ended and who has not."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it has ended by itself, which is what was asked for
            process.send_signal(number)
    return psutil.wait_procs(processes, timeout=seconds)


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
