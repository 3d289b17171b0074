"""The benchmark of the graph: its worlds have the graphs that they say, its scores are right."""

import numpy as np
import pytest

from benchmarks.causal_graph import (
    PAIRS,
    WHITE,
    auroc,
    make_world,
    score_by_var,
)
from tasks.models.causal_gru.edges import KPI_NODE, hold_against_placebos


def test_a_perfect_ranking_has_an_area_of_one_and_a_constant_one_of_a_half():
    is_edge = np.array([True, False, True, False])
    assert auroc(np.array([4.0, 1.0, 3.0, 2.0]), is_edge) == 1.0
    assert auroc(np.array([4.0, 3.5, 3.0, 2.0]), is_edge) == 0.75
    assert auroc(np.zeros(4), is_edge) == 0.5


def test_graphs_differ_and_white_noise_has_no_edge():
    worlds = [make_world(seed).edges for seed in range(8)]
    assert len({edges.tobytes() for edges in worlds}) == 8
    white = np.array([WHITE in pair for pair in PAIRS])
    assert not np.array(worlds)[:, white].any()


def test_both_methods_rank_what_is_there_above_what_is_not():
    world = make_world(3)
    tested = hold_against_placebos(world.sequences, PAIRS)
    own = np.array([edge.strength for edge in tested])
    assert auroc(own, world.edges) > 0.8
    for same_period in (False, True):
        scores = score_by_var(world, same_period=same_period)
        assert np.isfinite(scores).all()
        assert auroc(scores, world.edges) > 0.5


@pytest.mark.parametrize("seed", [11, 12])
def test_what_comes_later_is_not_read(seed):
    """The KPI of the last weeks says nothing of an edge between channels."""
    world = make_world(seed)
    kpi = world.sequences.kpi.copy()
    kpi[:, -20:] *= 2
    changed = make_world(seed).sequences
    object.__setattr__(changed, "kpi", kpi)
    pairs = [pair for pair in PAIRS if pair[1] != KPI_NODE]
    assert hold_against_placebos(world.sequences, pairs) == hold_against_placebos(changed, pairs)
