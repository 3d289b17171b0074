"""Python's garbage collector, for processes that import thousands of modules."""

import gc

_NEW_OBJECTS = 50_000
"""Containers between two looks for cycles among the new ones; Python's own is 2,000."""


def spare_collector() -> None:
    """Look for cycles less often: what is imported stays, and looking through it frees nothing."""
    gc.set_threshold(_NEW_OBJECTS, 20, 100)


def keep_what_is_imported() -> None:
    """Leave all objects that there are now out of every later look for cycles."""
    gc.freeze()
