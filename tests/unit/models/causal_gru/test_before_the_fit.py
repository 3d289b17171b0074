"""What is refused before any fit, what is known of edges, and how forecasts are scored."""

import importlib.util
import math

import numpy as np
import pytest
from support.worlds import build_world, make_rows, make_spec

from schemas.errors import SpecError
from schemas.outcomes import Verdict
from schemas.spec.causal_gru import BackgroundKnowledge
from schemas.spec.errors import parse_run_spec
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.models.causal_gru.kind import CAUSAL_GRU
from tasks.models.causal_gru.knowledge import Nodes, kpi_gates, possible_edges
from tasks.models.causal_gru.origins import (
    Origin,
    forecast_by_ridge,
    forecast_naively,
    plan_origins,
    score_forecasts,
)
from tasks.models.causal_gru.resampling import block_length, draw_weights
from tasks.models.causal_gru.scores import Scores, describe_defeat, judge_scores

NODES = Nodes(["search", "tv"], ["price"], "sales")


def test_a_spec_written_for_mcmc_trains_as_many_networks_as_any_other(make_world):
    """The demo with another `model.kind` asked for 4 x 1000: an hour, and 8.7 GB."""
    world = make_world()
    stated, default = SamplerSpec(draws=1000, chains=4), SamplerSpec(draws=20, chains=2)
    drawn = CAUSAL_GRU.drawn(world.metadata, stated)
    assert drawn == stated.model_copy(update={"draws": 20, "chains": 2})
    memory = [
        CAUSAL_GRU.memory_bytes(world.panel, world.metadata, settings)
        for settings in (stated, default)
    ]
    assert memory[0] == memory[1]
    many = make_world(members=100)
    drawn = CAUSAL_GRU.drawn(many.metadata, stated)
    assert drawn.chains * drawn.draws == 100
    assert CAUSAL_GRU.memory_bytes(many.panel, many.metadata, stated) > 2 * memory[0]


@pytest.mark.parametrize("members", [18, 41, 402])
def test_members_that_are_too_few_odd_or_too_many_are_refused(members):
    with pytest.raises(SpecError, match=r"model\.causal_gru\.members"):
        parse_run_spec({"dataset_id": "d", "model": {"causal_gru": {"members": members}}})


def test_without_the_extra_the_kind_is_refused_with_the_line_that_installs_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "equinox" else find(name)
    )
    with pytest.raises(SpecError, match=r"needs .*equinox.*`make setup EXTRAS=causal`") as refused:
        build_world(make_rows(), make_spec("causal_gru"))
    assert refused.value.exit_code == 2


def test_a_short_history_is_refused(make_world):
    with pytest.raises(SpecError, match="needs 60 fitted periods, there are 59"):
        make_world(n_periods=59)


def test_media_that_never_ran_are_refused(make_world):
    rows = make_rows(1, 80)
    media = ["act_tv", "spend_tv", "spend_search", "act_email", "act_rival"]
    rows[media] = 0.0
    with pytest.raises(SpecError, match="no channel has any spend or activity"):
        make_world(rows=rows)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ({"adstock": {"kind": "delayed"}}, "model.adstock.kind delayed"),
        ({"saturation": {"kind": "tanh"}}, "model.saturation"),
        ({"media_share": 0.2}, "model.media_share"),
    ],
)
def test_what_it_would_have_to_ignore_is_refused(make_world, model, named):
    with pytest.raises(SpecError, match=named):
        make_world(model=model)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        (
            {"required": [{"source": "tv", "target": "serch"}]},
            "there is no 'serch'; did you mean 'search'",
        ),
        (
            {"required": [{"source": "tv", "target": "price"}]},
            "'price' is a control, which nothing here may move",
        ),
        (
            {"required": [{"source": "sales", "target": "tv"}]},
            "'sales' moves no spend unless kpi_causes_spend is true",
        ),
    ],
)
def test_knowledge_that_cannot_be_is_refused(make_world, background, message):
    with pytest.raises(SpecError, match=message):
        make_world(background=background)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ({"forbidden": [{"source": "tv", "target": "tv"}]}, "with itself"),
        ({"forbidden": [{"source": "tv", "target": "sales"}] * 2}, "twice"),
        (
            {
                "forbidden": [{"source": "tv", "target": "sales"}],
                "required": [{"source": "tv", "target": "sales"}],
            },
            "both required and forbidden",
        ),
    ],
)
def test_knowledge_that_contradicts_itself_is_refused(background, message):
    with pytest.raises(ValueError, match=message):
        BackgroundKnowledge.model_validate(background)


def test_roles_say_which_edges_there_may_be():
    plain = possible_edges(NODES, BackgroundKnowledge())
    assert set(plain) == {
        ("search", "sales"), ("tv", "sales"), ("price", "sales"),
        ("tv", "search"), ("price", "search"), ("search", "tv"), ("price", "tv"),
    }  # fmt: skip
    following = possible_edges(NODES, BackgroundKnowledge(kpi_causes_spend=True))
    assert set(following) - set(plain) == {("sales", "search"), ("sales", "tv")}


def test_gates_that_are_known_are_not_learned():
    known = BackgroundKnowledge.model_validate(
        {
            "required": [{"source": "tv", "target": "sales"}],
            "forbidden": [{"source": "price", "target": "sales"}],
        }
    )
    free, fixed = kpi_gates(NODES, known)
    assert free.tolist() == [1, 0, 0]
    assert fixed.tolist() == [0, 1, 0]


def test_its_block_is_refused_to_other_kinds():
    with pytest.raises(ValueError, match=r"model\.causal_gru: only kind causal_gru knows this"):
        make_spec("mmm", model={"causal_gru": {"hidden_units": 12}})


def test_origins_follow_each_other_and_hold_out_what_stops_them():
    origins = plan_origins(156, 3)
    assert [o.end - o.cut for o in origins] == [13, 13, 13]
    assert [o.end for o in origins[:-1]] == [o.cut for o in origins[1:]]
    assert origins[-1].end == 156
    assert all(4 <= o.cut - o.fitted < o.cut / 4 for o in origins)


def test_the_naive_forecast_is_that_of_a_year_before_as_known_at_the_origin():
    kpi = np.arange(70.0)[None]
    got = forecast_naively(kpi, Origin(50, 60, 65), 52)
    assert got[0].tolist() == [8, 9, 10, 11, 12]
    assert forecast_naively(kpi, Origin(20, 30, 32), 52)[0].tolist() == [29, 29]


def test_no_later_row_reaches_the_ridge_of_an_origin(make_world):
    rows = make_rows(1, 80)
    changed = rows.copy()
    changed.loc[60:, "sales"] *= 3
    # The scale of the KPI is that of all fitted rows: what is compared is in KPI units.
    forecasts = []
    for table in (rows, changed):
        world = make_world(rows=table)
        scale = float(world.inputs.scales["kpi_scale"][0])
        forecasts.append(scale * forecast_by_ridge(world.panel, world.inputs, Origin(50, 60, 66)))
    np.testing.assert_allclose(*forecasts, rtol=1e-6)


def test_a_forecast_that_is_the_truth_has_no_error(make_world):
    world = make_world(1, 120)
    origins = plan_origins(120, 2)
    scale = float(world.inputs.scales["kpi_scale"][0])
    kpi = world.panel["kpi"].to_numpy() / scale
    scores = score_forecasts(
        world.panel, world.inputs, origins, [kpi[:, o.cut : o.end] for o in origins]
    )
    assert scores.rmse_own == 0
    assert scores.n_scored == 26
    assert scores.rmse_ridge > 0 < scores.rmse_naive


@pytest.mark.parametrize(
    ("scores", "verdict", "said"),
    [
        (Scores(1.0, 2.0, 3.0, 39), Verdict.PASS, None),
        (Scores(2.5, 2.0, 3.0, 39), Verdict.REVIEW, "that of the KPI of a year before 2: it abst"),
        (Scores(2.5, 4.0, 2.0, 39), Verdict.REVIEW, "that of a ridge regression 2: it abstains"),
    ],
)
def test_it_abstains_where_something_simpler_forecasts_as_well(scores, verdict, said):
    outcome, defeat = judge_scores(scores), describe_defeat(scores)
    assert outcome.verdict is verdict
    if said is None:
        assert defeat is None
    else:
        assert said in defeat
        assert said in outcome.reason


def test_a_comparison_that_could_not_be_made_is_no_pass():
    outcome = judge_scores(Scores(1.0, 0.0, 0.0, 39))
    assert outcome.verdict is Verdict.NOT_EVALUATED
    assert outcome.observed is None
    assert describe_defeat(Scores(math.nan, 1.0, 1.0, 39)) is not None


def test_it_becomes_champion_only_where_the_spec_asks():
    spec = RunSpec.model_validate({"dataset_id": "d", "model": {"kind": "causal_gru"}})
    assert "may_be_champion" in CAUSAL_GRU.why_no_champion(spec)
    asked = {"kind": "causal_gru", "causal_gru": {"may_be_champion": True}}
    allowed = RunSpec.model_validate({"dataset_id": "d", "model": asked})
    assert CAUSAL_GRU.why_no_champion(allowed) is None


def test_blocks_are_drawn_whole_and_count_as_many_periods_as_there_are():
    weights = draw_weights(np.random.default_rng(0), 50, 100, block_length(None, 100))
    assert (weights.sum(axis=1) == 100).all()
    assert 0.25 < (weights == 0).mean() < 0.45
    assert block_length(None, 156) == 5
    assert block_length(30, 20) == 20
