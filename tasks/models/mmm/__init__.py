"""Kind ``mmm``: learned carryover and saturation, sampled on contribution shares.

``graph`` is a lean PyMC graph; ``fitted`` evaluates its draws in NumPy; ``publish`` turns them into
a stock pymc-marketing ``MMM`` with the same adstock and saturation.
"""

from collections.abc import Callable
from typing import Any


def load_graph_builder() -> Callable[[Any, Any], Any]:
    """Return ``graph.build_graph``; importing PyMC takes seconds, so only a fit does it."""
    from tasks.models.mmm.graph import build_graph

    return build_graph
