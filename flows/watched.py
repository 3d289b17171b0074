"""Run a command that ends when its parent ends: ``python -m flows.watched COMMAND...``.

A killed parent (``kill -9``, an out-of-memory kill) runs no clean-up of its own. The kernel still
closes its end of the pipe on our standard input, and that is the sign to end the command.
"""

import os
import select
import signal
import subprocess
import sys
import time

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
    """Ask the whole group to end, then insist."""
    deadline = time.monotonic() + GRACE_SECONDS
    _signal_group(child.pid, signal.SIGTERM)
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        # The group has ended by itself, which is what was asked for.
        return


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
