"""``causal_graph.json``: which edges a fit found, and how each did against its placebos."""

from enum import StrEnum

from pydantic import Field

from schemas.documents.base import (
    Count,
    Document,
    KpiAmount,
    Number,
    Part,
    Periods,
    Probability,
    Share,
    is_absent,
)

CLAIM = "Predictive order, given these columns and no unseen common cause."
"""All that a graph may be taken to say; it stands beside every one."""


class NodeRole(StrEnum):
    """What a node of the graph is."""

    CHANNEL = "channel"
    CONTROL = "control"
    KPI = "kpi"


class EdgeStatus(StrEnum):
    """Whether an edge is in the graph, and why."""

    FOUND = "found"
    """It beats its placebos at the stated rate."""
    NOT_FOUND = "not_found"
    REQUIRED = "required"
    """The run spec says that it is there."""


class GraphNode(Part):
    """One column."""

    name: str = Field(description="Channel, control or KPI.")
    role: NodeRole


class GraphEdge(Part):
    """One edge that may be, against the source's own series shifted in time."""

    source: str = Field(description="Channel, control or KPI that comes first.")
    target: str = Field(description="Channel or KPI that follows it.")
    status: EdgeStatus
    correlation: Number = Field(
        description="Partial correlation, given everything else that may move the target."
    )
    p_value: Probability = Field(description="Share of placebos that do as well.")
    strength: Number = Field(
        description="Standard deviations of the placebos by which it is beyond their mean."
    )
    n_placebos: Count = Field(description="Shifts that it was held against.")
    gate_mean: Share | None = Field(
        None, exclude_if=is_absent, description="How far its gate is open; edges into the KPI."
    )
    gate_low: Share | None = Field(
        None, exclude_if=is_absent, description="Lower end of its 94 % interval over the members."
    )
    gate_high: Share | None = Field(None, exclude_if=is_absent, description="Upper end.")

    @property
    def is_in_graph(self) -> bool:
        """Whether it is reported."""
        return self.status is not EdgeStatus.NOT_FOUND


class ChannelIntervention(Part):
    """What setting one channel to zero takes from the KPI over the fitted periods."""

    direct_mean: KpiAmount = Field(description="All other channels as they ran: its contribution.")
    direct_low: KpiAmount = Field(description="Lower end of the 94 % interval.")
    direct_high: KpiAmount = Field(description="Upper end.")
    total_mean: KpiAmount = Field(
        description="Channels that follow it in the graph move as well; the same where none does."
    )
    total_low: KpiAmount = Field(description="Lower end of the 94 % interval.")
    total_high: KpiAmount = Field(description="Upper end.")
    through: list[str] = Field(description="Channels that follow it, directly or by others.")


class CausalGraph(Document):
    """``causal_graph.json``: nodes, edges, and what interventions on them take."""

    claim: str = Field(CLAIM, description="All that the graph may be taken to say.")
    false_edge_rate: Probability = Field(
        description="Share of pairs without a relation that may be reported."
    )
    nodes: list[GraphNode] = Field(description="Channels, controls, then the KPI.")
    edges: list[GraphEdge] = Field(
        description="Every edge that may be; forbidden ones are left out."
    )
    channels: dict[str, ChannelIntervention] = Field(description="By channel.")
    rmse_own: KpiAmount = Field(description="Error of the model's forecasts, held-out periods.")
    rmse_naive: KpiAmount = Field(description="That of the KPI of a year before.")
    rmse_ridge: KpiAmount = Field(description="That of kind ridge.")
    n_scored_periods: Periods = Field(description="Held-out periods.")
    abstains: bool = Field(
        description="Something simpler forecasts as well: no plan is to be followed."
    )

    @property
    def found(self) -> list[GraphEdge]:
        """Edges that are in the graph."""
        return [edge for edge in self.edges if edge.is_in_graph]
