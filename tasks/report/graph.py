"""What follows what: the learned graph of a fit that has one, and what may be said of it."""

from schemas.documents.causal_graph import CausalGraph, EdgeStatus
from schemas.names import Artifact
from schemas.words import format_compact, format_number, format_share
from tasks.models.graph_picture import draw_graph
from tasks.report.blocks import Block, Column, Kind, Picture, Section, Table, Text
from tasks.report.documents import ReportDocuments

_STATUS = {
    EdgeStatus.FOUND: "found",
    EdgeStatus.NOT_FOUND: "–",
    EdgeStatus.REQUIRED: "required by the run spec",
}


def graph_section(documents: ReportDocuments) -> Section | None:
    """Picture and table of edges, and direct beside total interventions; None without a graph."""
    graph = documents.run.document(Artifact.CAUSAL_GRAPH, CausalGraph)
    if graph is None:
        return None
    blocks: list[Block] = [
        graph_picture(graph),
        _interventions_table(graph, documents.words.unit_of_kpi),
        Text([_say_forecasts(graph)], tone="care" if graph.abstains else "quiet"),
    ]
    lead = (
        f"Of {len(graph.edges)} edges that may be, {len(graph.found)} are in the graph. An edge is "
        "found where it beats its placebos, the same series shifted in time: of pairs without a "
        f"relation, about {format_share(graph.false_edge_rate)} are found all the same."
    )
    return Section("graph", "The learned graph", blocks, lead, is_folded=True)


def graph_picture(graph: CausalGraph, title: str = "What follows what") -> Picture:
    """Return a learned graph as a picture, its edges as a table."""
    return Picture(
        title,
        f"{graph.claim} A line is the wider, the larger the partial correlation; one that takes "
        "away is orange, one that the run spec requires is dashed.",
        draw_graph(graph),
        _edges_table(graph),
    )


def _edges_table(graph: CausalGraph) -> Table:
    columns = [
        Column("From", Kind.TEXT, "what comes first"),
        Column("To", Kind.TEXT, "what follows it"),
        Column("In the graph", Kind.TEXT, "whether it beats its placebos, or is required"),
        Column("Partial correlation", Kind.NUMBER, "given everything else that may move it"),
        Column("p", Kind.NUMBER, "share of placebos that do as well"),
        Column("Gate", Kind.SHARE, "how far the edge into the KPI is open, over the members"),
    ]
    rows = [
        [e.source, e.target, _STATUS[e.status], e.correlation, e.p_value, e.gate_mean]
        for e in sorted(graph.edges, key=lambda edge: (edge.p_value, -edge.strength))
    ]
    return Table("edges", Artifact.CAUSAL_GRAPH, columns, rows)


def _interventions_table(graph: CausalGraph, unit: str) -> Table:
    columns = [
        Column("Channel", Kind.TEXT, "the channel that is set to zero"),
        Column("Direct", Kind.NUMBER, "what it takes, all others as they ran", unit),
        Column("94 % interval", Kind.INTERVAL, "of the direct one", unit),
        Column("Total", Kind.NUMBER, "what it takes where those that follow it move too", unit),
        Column("94 % interval", Kind.INTERVAL, "of the total one", unit),
        Column("Followed by", Kind.TEXT, "channels that move with it"),
    ]
    rows = [
        [
            name,
            row.direct_mean,
            f"{format_compact(row.direct_low)} to {format_compact(row.direct_high)}",
            row.total_mean,
            f"{format_compact(row.total_low)} to {format_compact(row.total_high)}",
            ", ".join(row.through) or "–",
        ]
        for name, row in graph.channels.items()
    ]
    note = "ROAS, curves and plan are of the direct one."
    return Table("interventions", Artifact.CAUSAL_GRAPH, columns, rows, note)


def _say_forecasts(graph: CausalGraph) -> str:
    own, naive, ridge = map(format_number, (graph.rmse_own, graph.rmse_naive, graph.rmse_ridge))
    said = (
        f"Over {graph.n_scored_periods} held-out periods the error of this model was {own}, that "
        f"of the KPI of a year before {naive}, that of a ridge regression {ridge}."
    )
    return f"{said} It is no better than these, so it abstains." if graph.abstains else said
