"""What a check of a file that is all a process does may do before it."""

from tasks.store.gx_import import import_for_check


def prepare_check() -> None:
    """Import Great Expectations in half the time, as ``import_for_check`` says; one thread only."""
    import_for_check()
