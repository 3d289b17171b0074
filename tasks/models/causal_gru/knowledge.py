"""What is known of the graph before any data: its nodes, and which edges may be at all.

Roles bind first. Time runs forward, so a channel is reached by earlier periods alone. Nothing
reaches a control, which is given; the KPI reaches spend only where the spec allows it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.hints import suggest
from schemas.spec.causal_gru import BackgroundKnowledge, GraphEdge

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Nodes:
    """Names by role."""

    channels: list[str]
    controls: list[str]
    kpi: str

    @property
    def drivers(self) -> list[str]:
        """What the KPI may follow: channels, then controls."""
        return [*self.channels, *self.controls]

    @property
    def all(self) -> list[str]:
        """Every node."""
        return [*self.drivers, self.kpi]


def find_nodes(metadata: FeatureMetadata) -> Nodes:
    """Return the nodes of a fit's graph, channels and controls sorted by name."""
    return Nodes(
        sorted(metadata.channel_names),
        sorted(control.name for control in metadata.controls),
        metadata.kpi_column,
    )


def contradictions(nodes: Nodes, known: BackgroundKnowledge) -> list[str]:
    """Say what background knowledge asks for that this panel or its roles cannot have.

    Returns
    -------
    list
        One sentence with a remedy per fault; empty where all is well.
    """
    block, found = "model.causal_gru.background", []
    for key in ("forbidden", "required"):
        for edge in getattr(known, key):
            unknown = [name for name in edge.ends if name not in nodes.all]
            if unknown:
                hint = suggest(unknown[0], nodes.all, f"there are {', '.join(nodes.all)}")
                found.append(f"{block}.{key}: there is no {unknown[0]!r}; {hint}")
            elif key == "required" and (why := _impossible(nodes, known, edge)):
                found.append(f"{block}.required: {why}; leave the edge out")
    return found


def _impossible(nodes: Nodes, known: BackgroundKnowledge, edge: GraphEdge) -> str | None:
    if edge.target in nodes.controls:
        return f"{edge.target!r} is a control, which nothing here may move"
    if edge.source == nodes.kpi and not known.kpi_causes_spend:
        return f"{nodes.kpi!r} moves no spend unless kpi_causes_spend is true"
    return None


def possible_edges(nodes: Nodes, known: BackgroundKnowledge) -> list[tuple[str, str]]:
    """Return the edges that may be, those into the KPI first, as source and target."""
    into_kpi = [(name, nodes.kpi) for name in nodes.drivers]
    sources = [*nodes.drivers, *([nodes.kpi] if known.kpi_causes_spend else [])]
    into_spend = [(s, t) for t in nodes.channels for s in sources if s != t]
    forbidden = {edge.ends for edge in known.forbidden}
    return [ends for ends in (*into_kpi, *into_spend) if ends not in forbidden]


def kpi_gates(nodes: Nodes, known: BackgroundKnowledge) -> tuple[Array, Array]:
    """Return where the gate of a driver is learned, and what the others are, ``(driver,)`` each."""
    ends = [(name, nodes.kpi) for name in nodes.drivers]
    required = {edge.ends for edge in known.required}
    forbidden = {edge.ends for edge in known.forbidden}
    fixed = np.array([float(pair in required) for pair in ends])
    free = np.array([float(pair not in required | forbidden) for pair in ends])
    return free, fixed
