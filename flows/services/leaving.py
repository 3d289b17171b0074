"""How a process of ours ends: the command, a worker of a portfolio, one of a pool."""

import os
import sys


class Leave:
    """End the process without dismantling the interpreter.

    There is nothing left to do but seconds of work, in which DuckDB's binding prints a page of
    leaked objects on standard error, below the one clear message that a user should see.
    """

    code = 1
    """Exit code, set when it is known."""

    def __call__(self) -> None:
        """Flush and end."""
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)
