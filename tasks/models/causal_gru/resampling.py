"""Which periods count for a member, and how often: moving blocks of neighbours.

References
----------
Künsch (1989). Blocks are drawn as weights, so that sequences stay whole and carryover with them.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LEAST_BLOCK = 4


def block_length(stated: int | None, n_periods: int) -> int:
    """Return the length of a block: as stated, or the cube root of the number of periods."""
    return min(stated or max(_LEAST_BLOCK, round(n_periods ** (1 / 3))), n_periods)


def draw_weights(rng: np.random.Generator, n_members: int, n_periods: int, length: int) -> Array:
    """Draw how often each period counts when blocks of neighbours are drawn with replacement.

    Returns
    -------
    NDArray
        ``(member, period)``; each row adds up to ``n_periods``.
    """
    n_blocks = -(-n_periods // length)
    starts = rng.integers(0, n_periods - length + 1, size=(n_members, n_blocks, 1))
    drawn = (starts + np.arange(length)).reshape(n_members, -1)[:, :n_periods]
    return np.array([np.bincount(row, minlength=n_periods) for row in drawn], dtype=float)
