"""How much memory a fit in a process of its own may take, and how many run at once."""

from schemas.spec.run_spec import RunSpec
from tasks.models.registry import find_kind

PROCESS_BYTES = 1_100_000_000
"""A process with all libraries, a compiled model and a small fit: 0.86 GB at its peak, and room."""
ROWS_PER_ENTITY = 52
"""Fewer periods than these fail a gate, so an entity has at least as many rows."""
FREE_SHARE = 0.8
"""Of the memory that is free, what fits side by side may take together."""
_COPIES_OF_FILE = 6
"""What reading, validating and shaping hold of a file at once, each cell as eight bytes."""


def estimate_bytes(spec: RunSpec, n_rows: int, n_columns: int) -> int:
    """Return what the process of a brand takes at most.

    The kind says what a fit takes by the size of its panel. Before the features are built, the
    panel is known by its file alone: every row a cell, every column a parameter of every entity.

    Parameters
    ----------
    spec
        Its kind and sampler.
    n_rows, n_columns
        Size of the input file, ``>= 0``.
    """
    n_entities = max(1, n_rows // ROWS_PER_ENTITY)
    fit = find_kind(spec.model.kind).draws_bytes(
        n_cells=n_rows, n_parameters=n_columns * n_entities, settings=spec.sampler
    )
    return PROCESS_BYTES + fit + 8 * _COPIES_OF_FILE * n_rows * n_columns


def count_workers(needs: list[int], budget: int, most: int) -> int:
    """Return how many processes are worth having: as many of the smallest brands as fit.

    Which brands run together is decided when they begin: those that fit (``MemoryBudget``).

    Parameters
    ----------
    needs
        Bytes of every brand that is due.
    budget
        Bytes for all of them together.
    most
        No more than these.
    """
    smallest = max(1, min(needs, default=PROCESS_BYTES))
    return max(1, min(most, len(needs), budget // smallest))


def workers_of_equal_size(largest: int, free: int, most: int) -> int:
    """Return how many processes may run at once, any of them with the largest fit.

    Parameters
    ----------
    largest
        Bytes of the largest one.
    free
        Bytes that programs may still take.
    most
        No more than these.
    """
    return max(1, min(most, int(FREE_SHARE * free) // largest))
