"""The graph of a fit as a document: edges against placebos, gates, interventions, forecasts."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from schemas.documents.causal_graph import (
    CausalGraph,
    EdgeStatus,
    GraphEdge,
    GraphNode,
    NodeRole,
)
from schemas.names import CHANNEL_DIM, ENTITY_DIM
from tasks.mathematics.draws import stack_samples, summarize
from tasks.models.causal_gru import names
from tasks.models.causal_gru.edges import KPI_NODE, TestedEdge, hold_against_placebos
from tasks.models.causal_gru.fitted import CausalGruFitted
from tasks.models.causal_gru.knowledge import find_nodes, possible_edges
from tasks.models.causal_gru.mediation import measure_interventions
from tasks.models.causal_gru.scores import describe_defeat, read_scores
from tasks.models.causal_gru.sequences import arrange, read_settings
from tasks.models.contract import ModelInputs


def describe_graph(draws: xr.Dataset, panel: xr.Dataset, inputs: ModelInputs) -> CausalGraph:
    """Test the edges of a fit's panel and say what interventions on them take.

    Parameters
    ----------
    draws
        Members, with the scores of the fit as attributes.
    panel, inputs
        As every kind gets them.
    """
    nodes, own = find_nodes(inputs.metadata), read_settings(inputs.metadata)
    sequences, known = arrange(panel, inputs), own.background
    kpi = {nodes.kpi: KPI_NODE}
    possible = possible_edges(nodes, known)
    tested = hold_against_placebos(sequences, [(kpi.get(s, s), kpi.get(t, t)) for s, t in possible])
    required = {edge.ends for edge in known.required}
    gates = stack_samples(draws)[names.EDGE_GATE]
    edges = []
    for ends, test in zip(possible, tested, strict=True):
        is_found = test.p_value <= own.false_edge_rate
        status = EdgeStatus.FOUND if is_found else EdgeStatus.NOT_FOUND
        gate = gates.sel({names.DRIVER_DIM: ends[0]}) if ends[1] == nodes.kpi else None
        edges.append(_edge(ends, test, EdgeStatus.REQUIRED if ends in required else status, gate))
    found = [(edge.source, edge.target) for edge in edges if edge.is_in_graph]
    scales = inputs.scales["media_scale"].transpose(ENTITY_DIM, CHANNEL_DIM).to_numpy()
    scores = read_scores(draws)
    return CausalGraph(
        false_edge_rate=own.false_edge_rate,
        nodes=[
            *(GraphNode(name=name, role=NodeRole.CHANNEL) for name in nodes.channels),
            *(GraphNode(name=name, role=NodeRole.CONTROL) for name in nodes.controls),
            GraphNode(name=nodes.kpi, role=NodeRole.KPI),
        ],
        edges=edges,
        channels=measure_interventions(
            list(_members(draws, inputs)), panel, scales, sequences, found
        ),
        rmse_own=scores.rmse_own,
        rmse_naive=scores.rmse_naive,
        rmse_ridge=scores.rmse_ridge,
        n_scored_periods=scores.n_scored,
        abstains=describe_defeat(scores) is not None,
    )


def _edge(
    ends: tuple[str, str], test: TestedEdge, status: EdgeStatus, gate: xr.DataArray | None
) -> GraphEdge:
    opened = {} if gate is None else summarize(np.asarray(gate.to_numpy()), "gate")
    return GraphEdge(
        source=ends[0],
        target=ends[1],
        status=status,
        correlation=test.correlation,
        p_value=test.p_value,
        strength=test.strength,
        n_placebos=test.n_placebos,
        **opened,
    )


def _members(draws: xr.Dataset, inputs: ModelInputs) -> Iterator[CausalGruFitted]:
    for chain in range(draws.sizes["chain"]):
        for draw in range(draws.sizes["draw"]):
            yield CausalGruFitted(draws.isel(chain=[chain], draw=[draw]), inputs)
