"""Training, where the extra is installed: ``make test-causal``.

A network is compiled for every shape of data, so all of it is slow. What members say once they are
trained is beside it (``test_fitted``), with members that are made by hand.
"""

import numpy as np
import pytest
from support.worlds import CHANNELS, build_world, make_rows, make_spec

from schemas.spec.roles import resolve_roles
from schemas.spec.sampler import SamplerSpec
from tasks.models.causal_gru import names
from tasks.models.causal_gru.kind import CAUSAL_GRU
from tasks.models.causal_gru.knowledge import find_nodes, kpi_gates
from tasks.models.causal_gru.sequences import arrange, read_settings
from tasks.models.kind import Watch

pytest.importorskip("equinox", reason="the extra `causal` is not installed: make test-causal")
pytestmark = pytest.mark.slow

FEW = SamplerSpec(draws=20, chains=2)
QUICK = {"max_steps": 50, "origins": 2, "hidden_units": 4, "memory_periods": 3}


def fit(world, settings=FEW):
    tree = CAUSAL_GRU.fit(world.panel, world.inputs, settings, Watch()).tree
    return tree["posterior"].to_dataset()


@pytest.fixture
def quick(make_world):
    return lambda *args, **settings: make_world(*args, **(QUICK | settings))


def test_numpy_says_what_jax_says(quick):
    """Independent route: the member in JAX, evaluated by equinox's own cell."""
    from tasks.models.causal_gru.ensemble import Edges, _Ensemble
    from tasks.models.causal_gru.posterior import publish_members

    world = quick(2)
    sequences, own = arrange(world.panel, world.inputs), read_settings(world.metadata)
    edges = Edges(*kpi_gates(find_nodes(world.metadata), own.background))
    ensemble = _Ensemble(sequences, edges, own, np.random.default_rng(1), 40)
    trained, noise = ensemble.train_whole(40, lambda _: None)
    draws = publish_members(sequences, trained, noise, world.metadata, FEW)
    standard = noise[0]
    scale = world.inputs.scales["kpi_scale"].to_numpy()[:, None]
    expected = (standard.mean + standard.spread * trained.expected) * scale
    got = CAUSAL_GRU.open(draws, world.inputs).expected(world.panel)
    np.testing.assert_allclose(got, expected, rtol=2e-4)
    assert (draws[names.READOUT] != 0).any()


def test_the_same_seed_gives_the_same_members_and_another_one_others(quick):
    world = quick()
    first, again = fit(world), fit(world)
    assert first.identical(again)
    other = fit(world, SamplerSpec(draws=20, chains=2, random_seed=1))
    assert (first[names.CHANNEL_EFFECT] != other[names.CHANNEL_EFFECT]).any()


def test_the_order_of_columns_changes_nothing(quick):
    """Channels and controls in another order in the file and in the spec: the same fit."""
    rows = make_rows(1, 80)
    rows["ctrl_heat"] = np.random.default_rng(3).normal(20, 5, 80)
    fits = []
    for step in (1, -1):
        spec = make_spec(
            "causal_gru", model={"causal_gru": QUICK}, channels=CHANNELS[::step],
            controls=["ctrl_heat", "ctrl_price"][::step],
        )  # fmt: skip
        ordered = rows[[*rows.columns[:3], *rows.columns[3:][::step]]]
        world = build_world(ordered, spec, resolve_roles(spec, list(ordered.columns)))
        fits.append((fit(world), world))
    (one, world), (two, turned) = fits
    assert list(one["channel"].values) == list(two["channel"].values)[::-1]
    dims = ("channel", "term", "context", "driver")
    assert one.equals(two.sel({dim: one[dim].values for dim in dims}))
    # Sums of a ridge are in the order of its columns.
    assert one.attrs == pytest.approx(two.attrs, rel=1e-9)
    assert one.attrs["rmse_own"] == two.attrs["rmse_own"]
    np.testing.assert_allclose(
        CAUSAL_GRU.open(one, world.inputs).expected(world.panel),
        CAUSAL_GRU.open(two, turned.inputs).expected(turned.panel),
        rtol=1e-12,
    )


def test_no_held_out_period_reaches_its_own_forecast(quick):
    """Whatever the KPI is from a cut on, what was forecast there stays."""
    from tasks.models.causal_gru.ensemble import Edges, _Ensemble
    from tasks.models.causal_gru.origins import Origin

    rows = make_rows(1, 80)
    changed = rows.copy()
    changed.loc[70:, "sales"] = changed.loc[70:, "sales"].iloc[::-1].to_numpy()
    forecasts = []
    for table in (rows, changed):
        world = quick(rows=table)
        sequences, own = arrange(world.panel, world.inputs), read_settings(world.metadata)
        edges = Edges(*kpi_gates(find_nodes(world.metadata), own.background))
        ensemble = _Ensemble(sequences, edges, own, np.random.default_rng(1), 8)
        forecasts.append(ensemble.stop_at([Origin(62, 70, 80)], lambda _: None))
    np.testing.assert_array_equal(forecasts[0][0][0], forecasts[1][0][0])
    assert forecasts[0][1] == forecasts[1][1]


def test_known_edges_are_open_or_shut_in_every_member(quick):
    background = {
        "forbidden": [{"source": "tv", "target": "sales"}],
        "required": [{"source": "email", "target": "sales"}],
    }
    world = quick(background=background)
    draws = fit(world)
    gates = draws[names.EDGE_GATE]
    assert (gates.sel(driver="tv") == 0).all()
    assert (gates.sel(driver="email") == 1).all()
    free = gates.sel(driver="search")
    assert ((free > 0) & (free < 1)).all()
    model = CAUSAL_GRU.open(draws, world.inputs)
    assert (model.incremental("tv", world.panel) == 0).all()


def test_progress_only_ever_grows_and_ends_at_one(quick):
    shares = []
    world = quick()
    CAUSAL_GRU.fit(
        world.panel, world.inputs, FEW, Watch(progress=lambda share, _: shares.append(share))
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_large_effect_is_found_again(make_world):
    world = make_world(1, 156)
    model = CAUSAL_GRU.open(fit(world), world.inputs)
    tv = model.incremental("tv", world.panel)[:, 0]
    truth = 1.2 * world.rows["act_tv"].to_numpy()
    assert tv.sum(axis=1).mean() == pytest.approx(truth.sum(), rel=0.15)
    assert np.corrcoef(tv.mean(axis=0), truth)[0, 1] > 0.95
