"""A task whose process dies, as one does that the kernel kills for want of memory."""

import os
import signal

from prefect import task


@task
def die(number: int) -> int:
    """Kill the process that runs this."""
    del number
    os.kill(os.getpid(), signal.SIGKILL)
    return 0
