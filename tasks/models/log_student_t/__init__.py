"""Kind ``log_student_t``: a robust log-linear model on fixed carryover and saturation."""

from collections.abc import Callable
from typing import Any


def load_graph_builder() -> Callable[[Any, Any], Any]:
    """Return ``graph.build_graph``; importing PyMC takes seconds, so only a fit does it."""
    from tasks.models.log_student_t.graph import build_graph

    return build_graph
