"""The graph: placebos, interventions that run through it, its document and its picture."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from support.worlds import make_rows

from schemas.documents.causal_graph import CLAIM, CausalGraph, EdgeStatus
from schemas.names import Artifact
from tasks.models.causal_gru.edges import KPI_NODE, hold_against_placebos
from tasks.models.causal_gru.graph import describe_graph
from tasks.models.causal_gru.kind import CAUSAL_GRU
from tasks.models.causal_gru.mediation import Following, change_without, follow, followers
from tasks.models.causal_gru.sequences import arrange
from tasks.models.graph_picture import draw_graph

SCORES = {"rmse_own": 2.0, "rmse_naive": 4.0, "rmse_ridge": 3.0, "n_scored": 39}


def rows_with_a_chain(n_periods=156, seed=4):
    """Search follows tv by a week, the KPI both; email and rival do nothing."""
    rows = make_rows(1, n_periods, seed=seed)
    rng = np.random.default_rng(seed)
    tv = rows["act_tv"].to_numpy()
    before = np.concatenate([tv[:1], tv[:-1]])
    rows["spend_search"] = (20 + 0.5 * before + rng.gamma(4, 5, n_periods)).round(2)
    noise = rng.normal(0, 40, n_periods)
    rows["sales"] = 900 + 0.6 * tv + 2.0 * rows["spend_search"] - 30 * rows["ctrl_price"] + noise
    return rows


@pytest.fixture
def chain(make_world):
    return make_world(rows=rows_with_a_chain())


@pytest.fixture
def graph(chain, make_draws):
    draws = make_draws(chain).assign_attrs(SCORES)
    drivers = ["tv", "search", "email", "rival", "price"]
    gates = np.random.default_rng(2).uniform(size=(2, 3, 5))
    draws = draws.assign(edge_gate=(("chain", "draw", "driver"), gates))
    return describe_graph(draws.assign_coords(driver=drivers), chain.panel, chain.inputs)


def test_edges_that_are_there_beat_their_placebos(chain):
    pairs = [("tv", KPI_NODE), ("search", KPI_NODE), ("price", KPI_NODE), ("tv", "search")]
    for edge in hold_against_placebos(arrange(chain.panel, chain.inputs), pairs):
        assert edge.p_value <= 0.02, edge
        assert edge.strength > 3
    assert hold_against_placebos(arrange(chain.panel, chain.inputs), pairs)[2].correlation < 0


def test_of_pairs_without_a_relation_few_are_found(make_world):
    """White noise beside everything: at a rate of 5 %, about one in twenty."""
    p_values = []
    for seed in range(12):
        rows = make_rows(1, 104, seed=seed)
        rng = np.random.default_rng(100 + seed)
        for column in ("act_tv", "spend_search", "act_email", "act_rival"):
            rows[column] = rng.gamma(3, 10, 104).round(2)
        rows["sales"] = 900 + rng.normal(0, 40, 104)
        world = make_world(rows=rows)
        channels = ["email", "rival", "search", "tv"]
        pairs = [(c, KPI_NODE) for c in channels]
        pairs += [(s, t) for s in channels for t in channels if s != t]
        sequences = arrange(world.panel, world.inputs)
        p_values += [edge.p_value for edge in hold_against_placebos(sequences, pairs)]
    # 192 pairs: four standard errors of the mean, and of the share.
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.09)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 4 * 0.016


def test_a_channel_that_is_a_copy_of_another_says_nothing_of_its_own(make_world):
    rows = rows_with_a_chain()
    rows["act_email"] = rows["act_tv"]
    world = make_world(rows=rows)
    pairs = [("tv", KPI_NODE), ("email", KPI_NODE)]
    for edge in hold_against_placebos(arrange(world.panel, world.inputs), pairs):
        assert np.isfinite(edge.strength)
        assert abs(edge.correlation) < 0.3


def test_the_document_says_what_was_found_and_what_may_be_said(graph):
    by_ends = {(e.source, e.target): e for e in graph.edges}
    assert by_ends["tv", "search"].status is EdgeStatus.FOUND
    assert by_ends["tv", "sales"].gate_mean is not None
    assert by_ends["tv", "search"].gate_mean is None
    assert ("sales", "tv") not in by_ends
    assert graph.claim == CLAIM
    assert not graph.abstains
    assert CausalGraph.model_validate_json(graph.model_dump_json()) == graph


def test_total_is_more_than_direct_where_a_channel_that_works_follows(graph):
    tv, search = graph.channels["tv"], graph.channels["search"]
    assert "search" in tv.through
    assert tv.total_mean > tv.direct_mean > 0
    assert search.direct_mean > 0


def test_without_followers_total_is_direct(graph):
    alone = [row for row in graph.channels.values() if not row.through]
    assert alone
    assert all(row.total_mean == row.direct_mean for row in alone)


def test_followers_are_found_through_others_and_a_circle_ends():
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
    assert followers("d", edges) == ["a", "b", "c"]
    assert followers("a", edges) == ["b", "c"]
    assert followers("e", edges) == []


def test_a_change_runs_through_the_equations_in_time(chain):
    """By hand: half of tv's last week, and then half of its own."""
    sequences = arrange(chain.panel, chain.inputs)
    tv = sequences.media[0, sequences.channels.index("tv")]
    equations = {"search": Following(0.5, {"tv": 0.4})}
    moved = change_without(sequences, "tv", equations)["search"][0]
    assert moved[0] == 0
    assert moved[1] == pytest.approx(-0.4 * tv[0])
    assert moved[2] == pytest.approx(-0.4 * tv[1] + 0.5 * moved[1])


def test_how_spend_follows_is_found_again(chain):
    sequences = arrange(chain.panel, chain.inputs)
    scales = chain.inputs.scales["media_scale"].sel(entity="market_0")
    draws = follow(sequences, [("tv", "search")], 20)
    sizes = [d["search"].others["tv"] for d in draws]
    truth = 0.5 * float(scales.sel(channel="tv")) / float(scales.sel(channel="search"))
    assert np.mean(sizes) == pytest.approx(truth, rel=0.1)
    assert np.mean([d["search"].own for d in draws]) < 0.1


def test_a_forbidden_edge_is_not_tested_and_a_required_one_is_in_the_graph(make_world, make_draws):
    background = {
        "forbidden": [{"source": "tv", "target": "search"}],
        "required": [{"source": "email", "target": "sales"}],
        "kpi_causes_spend": True,
    }
    world = make_world(rows=rows_with_a_chain(), background=background)
    draws = make_draws(world).assign_attrs(SCORES | {"rmse_own": 9.0})
    drivers = ["tv", "search", "email", "rival", "price"]
    draws = draws.assign(edge_gate=(("chain", "draw", "driver"), np.ones((2, 3, 5))))
    graph = describe_graph(draws.assign_coords(driver=drivers), world.panel, world.inputs)
    by_ends = {(e.source, e.target): e.status for e in graph.edges}
    assert ("tv", "search") not in by_ends
    assert by_ends["email", "sales"] is EdgeStatus.REQUIRED
    assert ("sales", "tv") in by_ends
    assert graph.abstains
    assert "stroke-dasharray" in draw_graph(graph)


def test_the_picture_is_well_formed_and_escapes_names(graph):
    hostile = "<script>alert(1)</script>&\"'"
    named = graph.model_dump()
    for row in named["nodes"]:
        row["name"] = hostile if row["name"] == "tv" else row["name"]
    for row in named["edges"]:
        row["source"] = hostile if row["source"] == "tv" else row["source"]
        row["target"] = hostile if row["target"] == "tv" else row["target"]
    svg = draw_graph(CausalGraph.model_validate(named))
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
    texts = " ".join(root.itertext())
    assert hostile in texts
    assert CLAIM in texts


def test_both_files_are_written(chain, make_draws, tmp_path):
    draws = make_draws(chain).assign_attrs(SCORES)
    drivers = ["tv", "search", "email", "rival", "price"]
    draws = draws.assign(edge_gate=(("chain", "draw", "driver"), np.ones((2, 3, 5))))
    files = CAUSAL_GRU.extra_files(draws.assign_coords(driver=drivers), chain.panel, chain.inputs)
    assert set(files) == {Artifact.CAUSAL_GRAPH, Artifact.CAUSAL_GRAPH_PICTURE}
    for name, write in files.items():
        write(tmp_path / name)
    text = (tmp_path / Artifact.CAUSAL_GRAPH).read_text(encoding="utf-8")
    assert CausalGraph.model_validate_json(text).nodes[-1].name == "sales"
    assert (tmp_path / Artifact.CAUSAL_GRAPH_PICTURE).read_text(encoding="utf-8")[:4] == "<svg"
