"""A graph as a picture: SVG of its own, which needs no script and no font but the reader's.

Drivers stand in one column and the KPI to their right; what follows what among drivers are arcs to
their left. The line is the wider, the larger the partial correlation; required edges are dashed.
"""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from schemas.documents.causal_graph import CausalGraph, EdgeStatus, GraphEdge, NodeRole

_ROW, _TOP, _LEFT, _WIDTH = 40, 34, 190, 640
_BOX, _HEIGHT = 150, 26
_LONGEST = 20
_COLOURS = {NodeRole.CHANNEL: "#0072b2", NodeRole.CONTROL: "#6b6b6b", NodeRole.KPI: "#222222"}
_LESS = "#d55e00"
"""Of an edge that takes from its target."""


def draw_graph(graph: CausalGraph) -> str:
    """Draw the edges that were found.

    Parameters
    ----------
    graph
        Nodes with the KPI last.

    Returns
    -------
    str
        One ``<svg>`` element; names are escaped; one that is cut stands in full in its title.
    """
    drivers = [node for node in graph.nodes if node.role is not NodeRole.KPI]
    kpi = next(node for node in graph.nodes if node.role is NodeRole.KPI)
    rows = {node.name: _TOP + place * _ROW + _HEIGHT // 2 for place, node in enumerate(drivers)}
    middle = _TOP + max(len(drivers) - 1, 0) * _ROW / 2 + _HEIGHT / 2
    height = _TOP + max(len(drivers), 1) * _ROW + 34
    rows[kpi.name] = round(middle)
    boxes = [
        *(_box(node.name, node.role, _LEFT, rows[node.name]) for node in drivers),
        _box(kpi.name, kpi.role, _WIDTH - _BOX - 10, rows[kpi.name]),
    ]
    lines = [_line(edge, rows, kpi.name) for edge in graph.found]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" font-family="sans-serif" font-size="12">',
        f"<title>{escape('What follows what: ' + _say(graph))}</title>",
        *lines,
        *boxes,
        f'<text x="{_LEFT}" y="20" fill="#444444">channels, controls</text>',
        f'<text x="10" y="{height - 10}" fill="#444444">{escape(graph.claim)}</text>',
        "</svg>",
    ]
    return "\n".join(parts)


def _say(graph: CausalGraph) -> str:
    named = [f"{edge.source} to {edge.target}" for edge in graph.found]
    return ", ".join(named) or "no edge was found"


def _box(name: str, role: NodeRole, x: int, y: int) -> str:
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    return (
        f"<g><title>{escape(name)}</title>"
        f'<rect x="{x}" y="{y - _HEIGHT // 2}" width="{_BOX}" height="{_HEIGHT}" rx="5" '
        f'fill="#ffffff" stroke={quoteattr(_COLOURS[role])} stroke-width="1.5"/>'
        f'<text x="{x + _BOX // 2}" y="{y + 4}" text-anchor="middle" '
        f"fill={quoteattr(_COLOURS[role])}>{escape(shown)}</text></g>"
    )


def _line(edge: GraphEdge, rows: Mapping[str, int], kpi: str) -> str:
    start, end = rows[edge.source], rows[edge.target]
    size = 1.2 + 6 * min(abs(edge.correlation), 1.0)
    colour = _LESS if edge.correlation < 0 else "#0072b2"
    dashes = ' stroke-dasharray="5 4"' if edge.status is EdgeStatus.REQUIRED else ""
    if edge.target == kpi:
        x1, x2 = _LEFT + _BOX, _WIDTH - _BOX - 16
        path = f"M {x1} {start} C {x1 + 80} {start}, {x2 - 80} {end}, {x2} {end}"
        head = _head(x2, end, colour)
    elif edge.source == kpi:
        x1, x2, start = _WIDTH - _BOX - 10, _LEFT + _BOX, start + _HEIGHT // 3
        path = f"M {x1} {start} C {x1 - 80} {start}, {x2 + 80} {end}, {x2 + 6} {end}"
        head = _head(x2 + 6, end, colour, to_left=True)
    else:
        bend = _LEFT - 30 - min(abs(end - start) // 2, 120)
        path = f"M {_LEFT} {start} C {bend} {start}, {bend} {end}, {_LEFT - 6} {end}"
        head = _head(_LEFT - 6, end, colour)
    told = f"{edge.source} to {edge.target}: partial correlation {edge.correlation:.2f}"
    return (
        f"<g><title>{escape(told)}</title>"
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-opacity="0.75" '
        f'stroke-width="{size:.1f}"{dashes}/>{head}</g>'
    )


def _head(x: int, y: int, colour: str, *, to_left: bool = False) -> str:
    back, tip = (x + 9, x - 5) if to_left else (x - 9, x + 5)
    return f'<path d="M {back} {y - 6} L {tip} {y} L {back} {y + 6} Z" fill="{colour}"/>'
