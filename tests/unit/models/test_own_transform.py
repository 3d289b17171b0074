"""A transform of somebody else in kind ``mmm``: one definition, and what may not be is refused."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from support.graphs import evaluate_graph
from support.worlds import CHANNELS, build_world, make_rows

from schemas.errors import SpecError
from schemas.spec.errors import parse_run_spec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.draws import stack_samples
from tasks.models.foreign import PERMITTED
from tasks.models.kind import Watch
from tasks.models.mmm.design import media_design
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.graph import build_graph
from tasks.models.mmm.prior_draws import draw_prior
from tasks.models.mmm.unit_response import unit_response
from tasks.models.registry import kind_of

PAGE = Path(__file__).resolve().parents[3] / "tasks" / "README.md"


@pytest.fixture
def write_module(tmp_path, monkeypatch, request):
    """Write a module that can be imported, and permit it."""
    name = "own_" + re.sub(r"\W", "_", request.node.name)

    def write(text):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv(PERMITTED, name)
        return name

    return write


def documented():
    page = PAGE.read_text(encoding="utf-8")
    return re.search(r"```python\n(import pytensor.*?)```", page, re.S)[1]


def spec_of(name, **settings):
    model = {"kind": "mmm", "transform": name, "yearly_seasonality": 0}
    return parse_run_spec({"dataset_id": "world", "channels": CHANNELS, "model": model, **settings})


def world_of(name, n_entities=2, n_periods=30, **settings):
    return build_world(make_rows(n_entities, n_periods), spec_of(name, **settings))


def documented_by_hand(x, before, next_week, steepness):
    late = np.concatenate([[before], x[:-1]])
    return np.tanh(steepness * ((1 - next_week) * x + next_week * late))


def test_the_documented_example_is_what_its_lines_say(write_module):
    world = world_of(f"{write_module(documented())}:LogisticReach")
    kind = kind_of(world.metadata)
    assert kind.longest_carryover(world.metadata) == 2
    draws = draw_prior(world.panel, world.inputs, 3, seed=1)
    samples, media = stack_samples(draws), media_design(world.panel, world.inputs)
    found = unit_response(samples, media, 0)
    for k in range(3):
        weight, steepness = (
            float(draws[f"transform_{name}"][0, k, 0]) for name in ("next_week", "steepness")
        )
        for e in range(2):
            by_hand = documented_by_hand(media.values[0, e], media.before[0, e], weight, steepness)
            np.testing.assert_allclose(found[k, e], by_hand, rtol=1e-10)


def test_the_graph_and_the_draws_evaluate_the_same_lines(write_module):
    world = world_of(f"{write_module(documented())}:LogisticReach")
    draws, mu = evaluate_graph(build_graph(world.panel, world.inputs))
    expected = MmmFitted(draws, world.inputs).expected(world.panel)
    kpi = world.panel["kpi"].to_numpy()
    rho = draws["y_rho"].to_numpy()[0][..., None]
    given = expected.copy()
    given[..., 1:] += rho * (kpi - expected)[..., :-1]
    scale = world.inputs.scales["kpi_scale"].to_numpy()[:, None]
    np.testing.assert_allclose(given, mu * scale, rtol=1e-9)


def test_a_plan_has_the_gradient_of_the_same_lines(write_module):
    world = world_of(f"{write_module(documented())}:LogisticReach")
    model = MmmFitted(draw_prior(world.panel, world.inputs, 3, seed=1), world.inputs)
    expected = model.expected(world.panel)
    weights = np.random.default_rng(2).normal(size=expected.shape)
    gradient = model.media_gradient(world.panel, weights, ["tv"])[:, 0]
    for period in (0, 1, 12, 29):
        ends = []
        for step in (1e-4, -1e-4):
            media = world.panel["media"].copy(deep=True)
            media.loc[{"channel": "tv", "date": media["date"][period]}] += step
            moved = model.expected(world.panel.assign(media=media))
            ends.append((weights * moved).sum())
        by_difference = (ends[0] - ends[1]) / 2e-4
        assert gradient[:, period].sum() == pytest.approx(by_difference, rel=1e-5, abs=1e-6)


@pytest.mark.slow
def test_pymcs_own_sampler_fits_it_and_finds_what_is_in_the_data(write_module):
    rows = make_rows(1, 104)
    tv = rows["act_tv"].to_numpy()
    late = np.concatenate([[0.0], tv[:-1]])
    brought = 150 * np.tanh(2.0 * (0.7 * tv + 0.3 * late) / tv.max())
    rows["sales"] = 500 + brought + np.random.default_rng(3).normal(0, 5, 104)
    world = build_world(rows, spec_of(f"{write_module(documented())}:LogisticReach"))
    kind = kind_of(world.metadata)
    settings = SamplerSpec(draws=200, tune=300, chains=2, random_seed=1)
    sampled = kind.fit(world.panel, world.inputs, settings, Watch(cores=1))
    assert sampled.backend == "pymc"
    draws = sampled.tree["posterior"].to_dataset()
    model = kind.open(draws, world.inputs)
    found = model.incremental("tv", world.panel).sum(axis=(1, 2))
    low, high = np.quantile(found, [0.03, 0.97])
    assert low < brought.sum() < high
    assert float(draws["transform_next_week"].sel(channel="tv").mean()) == pytest.approx(
        0.3, abs=0.1
    )


def odd(body, priors="{'a': ('beta', 2, 2)}", l_max="3"):
    return f"""
        import pytensor.tensor as pt

        class Odd:
            priors = {priors}
            l_max = {l_max}

            def transform(self, x, *, a):
                {body}
        """


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return a * x[1:]", "may not change its length"),
        ("return a * x - 1", "negative values"),
        ("return pt.log(a * x - 5)", "no numbers"),
        ("return a * pt.concatenate([x[1:], x[:1]])", "looks into the future"),
        ("return pt.sqrt(a * x)", "slope by a is no number"),
        ("raise KeyError('no')", "stops: KeyError"),
    ],
)
def test_what_gives_no_usable_output_is_refused_before_any_fit(write_module, body, said):
    module = write_module(odd(body))
    with pytest.raises(SpecError, match=said):
        world_of(f"{module}:Odd")


@pytest.mark.parametrize(
    ("class_of", "said"),
    [
        (odd("return x", l_max="0"), "l_max is 0"),
        (odd("return x", priors="{}"), "priors is no mapping"),
        (odd("return x", priors="{'a': ('cauchy', 0, 1)}"), "with a family of"),
        (odd("return x", priors="{'a': ('beta', 2, -1)}"), "with a family of"),
        ("Odd = dict", "no method transform"),
    ],
)
def test_what_is_no_transform_is_refused(write_module, class_of, said):
    module = write_module(class_of)
    with pytest.raises(SpecError, match=said):
        world_of(f"{module}:Odd")


def test_what_the_machine_does_not_permit_is_not_imported():
    with pytest.raises(SpecError, match=rf"model\.transform: .* {PERMITTED}=subprocess"):
        world_of("subprocess:Popen")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"channels": [{**CHANNELS[0], "adstock": {"kind": "delayed"}}]}, "channel 'tv'"),
        ({"sampler": {"backend": "kernel"}}, "sampler.backend kernel"),
    ],
)
def test_what_it_takes_the_place_of_may_not_be_stated(write_module, settings, said):
    module = write_module(documented())
    with pytest.raises(SpecError, match=said):
        world_of(f"{module}:LogisticReach", **settings)
    model = {"transform": "a:B", "saturation": {"kind": "tanh"}}
    with pytest.raises(SpecError, match="takes the place of saturation"):
        parse_run_spec({"dataset_id": "d", "model": model})


def test_other_kinds_refuse_it():
    with pytest.raises(SpecError, match=r"model\.transform: only kind mmm knows this"):
        parse_run_spec({"dataset_id": "d", "model": {"kind": "ridge", "transform": "a:B"}})
