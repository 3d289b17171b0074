"""Sampling on models that compile in a moment: reproducible, private offsets, reported progress."""

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from support.worlds import log_world, mmm_world

from schemas.errors import SamplingError
from schemas.spec.sampler import SamplerBackend, SamplerSpec
from tasks.fit.summary import summarize_posterior
from tasks.mathematics.draws import hdi
from tasks.models import sampling
from tasks.models.log_student_t.kind import LOG_STUDENT_T
from tasks.models.mmm.kind import MMM
from tasks.models.sampling import sample_posterior
from tasks.store.files.artifacts import read_netcdf, sha256_of, write_netcdf

SETTINGS = SamplerSpec(draws=50, tune=60, chains=2, random_seed=7, backend=SamplerBackend.NUTPIE)


@dataclass
class GraphOnly:
    """A posterior without a kernel, as kind ``log_student_t`` has it."""

    model: Any

    def graph(self):
        return self.model

    def kernel(self):
        return None

    def publish(self, recorded):
        raise AssertionError(f"a graph publishes its variables itself, here {list(recorded)}")


def tiny_posterior(observed=(1.0, 2.0, 4.0)):
    with pm.Model(coords={"channel": ["tv", "radio"]}) as model:
        offset = pm.Normal("share_z", dims="channel")
        share = pm.Deterministic("share", 1 + 0.5 * offset, dims="channel")
        sigma = pm.HalfNormal("sigma", sigma=1.0)
        pm.Normal("y", mu=share.sum(), sigma=sigma, observed=np.array(observed))
    return GraphOnly(model)


@pytest.fixture(scope="module")
def sampled():
    return sample_posterior(tiny_posterior(), SETTINGS, cores=2)


def test_the_same_seed_gives_the_same_draws_bit_for_bit(sampled):
    again = sample_posterior(tiny_posterior(), SETTINGS, cores=2)
    xr.testing.assert_identical(again.tree, sampled.tree)
    for name, variable in sampled.tree["posterior"].data_vars.items():
        assert again.tree["posterior"][name].to_numpy().tobytes() == variable.to_numpy().tobytes()


def test_another_seed_gives_other_draws(sampled):
    settings = SETTINGS.model_copy(update={"random_seed": 8})
    other = sample_posterior(tiny_posterior(), settings, cores=2)
    assert (other.tree["posterior"]["sigma"] != sampled.tree["posterior"]["sigma"]).all()


def test_offsets_are_not_published(sampled):
    assert set(sampled.tree["posterior"].data_vars) == {"share", "sigma"}
    assert sampled.tree["posterior"]["share"].dims == ("chain", "draw", "channel")
    assert sampled.tree["posterior"].sizes == {"chain": 2, "draw": 50, "channel": 2}


def test_sampler_statistics_have_one_vocabulary(sampled):
    stats = sampled.tree["sample_stats"]
    assert {"diverging", "energy", "reached_max_treedepth"} <= set(stats.data_vars)
    assert stats["diverging"].shape == (2, 50)


def test_times_are_told_apart(sampled):
    assert set(sampled.wall_seconds) == {"build", "compile", "sample"}
    assert all(seconds >= 0 for seconds in sampled.wall_seconds.values())
    assert sampled.backend == "nutpie"


def test_equal_draws_are_equal_files(sampled, home):
    paths = [home.root / name for name in ("a.nc", "b.nc")]
    refs = [write_netcdf(home, path, sampled.tree) for path in paths]
    assert refs[0].sha256 == refs[1].sha256
    assert sha256_of(paths[0]) == refs[0].sha256
    assert paths[0].read_bytes() == paths[1].read_bytes()
    back = read_netcdf(home, refs[0])
    np.testing.assert_array_equal(back["posterior"]["share"], sampled.tree["posterior"]["share"])


def test_files_carry_no_creation_time(sampled):
    assert all(not node.attrs for node in sampled.tree.subtree)


@pytest.fixture(scope="module")
def without_nutpie():
    """Draws of PyMC's own sampler, because nutpie cannot be found; and the progress it reported."""
    reported = []
    with pytest.MonkeyPatch.context() as patch:
        hide_nutpie(patch)
        settings = SETTINGS.model_copy(update={"backend": SamplerBackend.AUTO})
        result = sample_posterior(
            tiny_posterior(),
            settings,
            cores=1,
            progress=lambda share, n: reported.append((share, n)),
        )
    return result, reported


def hide_nutpie(patch):
    find = importlib.util.find_spec
    patch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "nutpie" else find(name, *a)
    )


@pytest.mark.slow
def test_pymc_samples_where_nutpie_is_missing(without_nutpie):
    result, _ = without_nutpie
    assert result.backend == "pymc"
    assert set(result.tree["posterior"].data_vars) == {"share", "sigma"}
    assert {"diverging", "energy", "reached_max_treedepth"} <= set(
        result.tree["sample_stats"].data_vars
    )


@pytest.mark.slow
def test_progress_is_a_growing_share_of_all_draws(without_nutpie):
    _, reported = without_nutpie
    shares = [share for share, _ in reported]
    assert shares
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert all(isinstance(n, int) and n >= 0 for _, n in reported)


@dataclass
class Stub:
    """A posterior that is never sampled; reports what was asked of it."""

    has_kernel: bool

    def graph(self):
        return "graph"

    def kernel(self):
        return "kernel" if self.has_kernel else None

    def publish(self, recorded):
        return recorded


@pytest.fixture
def chosen(monkeypatch):
    """Which sampler got what, without sampling."""
    empty = xr.DataTree.from_dict({"posterior": xr.Dataset(), "sample_stats": xr.Dataset()})
    seen = []

    def note(sampler):
        return lambda model, *_: seen.append((sampler, model)) or empty

    monkeypatch.setattr(sampling, "_sample_nutpie", note("nutpie"))
    monkeypatch.setattr(sampling, "_sample_pymc", note("pymc"))
    monkeypatch.setattr(sampling, "_compile_graph", lambda model: f"compiled {model}")

    def choose(wanted, *, has_kernel):
        settings = SETTINGS.model_copy(update={"backend": wanted})
        backend = sample_posterior(Stub(has_kernel), settings, cores=1).backend
        return backend, *seen.pop()

    return choose


@pytest.mark.parametrize(
    ("wanted", "has_kernel", "expected"),
    [
        ("auto", True, ("kernel", "nutpie", "kernel")),
        ("auto", False, ("nutpie", "nutpie", "compiled graph")),
        ("kernel", True, ("kernel", "nutpie", "kernel")),
        ("nutpie", True, ("nutpie", "nutpie", "compiled graph")),
        ("nutpie", False, ("nutpie", "nutpie", "compiled graph")),
        ("pymc", True, ("pymc", "pymc", "graph")),
        ("pymc", False, ("pymc", "pymc", "graph")),
    ],
)
def test_choice_of_what_is_sampled_and_by_what(chosen, wanted, has_kernel, expected):
    assert chosen(SamplerBackend(wanted), has_kernel=has_kernel) == expected


@pytest.mark.parametrize("has_kernel", [True, False])
@pytest.mark.parametrize("wanted", ["auto", "pymc"])
def test_without_nutpie_the_graph_goes_to_pymc(chosen, monkeypatch, wanted, has_kernel):
    hide_nutpie(monkeypatch)
    assert chosen(SamplerBackend(wanted), has_kernel=has_kernel) == ("pymc", "pymc", "graph")


@pytest.mark.parametrize("wanted", ["nutpie", "kernel"])
def test_nutpie_by_name_must_be_there(chosen, monkeypatch, wanted):
    hide_nutpie(monkeypatch)
    with pytest.raises(SamplingError, match="nutpie is not installed; use auto or pymc"):
        chosen(SamplerBackend(wanted), has_kernel=True)


def test_a_kernel_by_name_must_be_there():
    world = log_world(n_periods=40)
    posterior = LOG_STUDENT_T.load_posterior(world.panel, world.inputs)
    settings = SETTINGS.model_copy(update={"backend": SamplerBackend.KERNEL})
    with pytest.raises(SamplingError, match=r"has no kernel; use sampler\.backend: auto"):
        sample_posterior(posterior, settings, cores=1)


KERNEL_SETTINGS = SamplerSpec(draws=40, tune=60, chains=2, random_seed=7)


def sample_kernel(seed=7, cores=2):
    world = mmm_world(2, carryover_months=2)
    posterior = MMM.load_posterior(world.panel, world.inputs)
    settings = KERNEL_SETTINGS.model_copy(update={"random_seed": seed})
    return sample_posterior(posterior, settings, cores=cores)


@pytest.fixture(scope="module")
def kernel_sampled():
    return sample_kernel()


def test_kind_mmm_samples_its_kernel(kernel_sampled):
    assert kernel_sampled.backend == "kernel"
    assert set(kernel_sampled.wall_seconds) == {"build", "compile", "sample"}
    draws, stats = (kernel_sampled.tree[group] for group in ("posterior", "sample_stats"))
    assert {"diverging", "energy", "reached_max_treedepth"} <= set(stats.data_vars)
    assert draws["saturation_beta"].dims == ("chain", "draw", "entity", "channel")
    assert draws["saturation_beta"].shape == (2, 40, 2, 4)
    assert not [name for name in draws.data_vars if str(name).endswith("_z")]
    assert all(np.isfinite(variable).all() for variable in draws.data_vars.values())
    assert all(not node.attrs for node in kernel_sampled.tree.subtree)


@pytest.mark.parametrize("cores", [1, 2])
def test_the_kernel_gives_the_same_draws_for_one_seed_bit_for_bit(kernel_sampled, cores):
    again = sample_kernel(cores=cores)
    xr.testing.assert_identical(again.tree, kernel_sampled.tree)
    for name, variable in kernel_sampled.tree["posterior"].data_vars.items():
        assert again.tree["posterior"][name].to_numpy().tobytes() == variable.to_numpy().tobytes()


def test_the_kernel_gives_other_draws_for_another_seed(kernel_sampled):
    first, other = (s.tree["posterior"]["y_sigma"] for s in (kernel_sampled, sample_kernel(8)))
    assert (first != other).all()
    assert (first.sel(chain=0) != first.sel(chain=1)).any()


def test_a_sampler_that_stops_is_a_sampling_error():
    with pytest.raises(SamplingError, match="nutpie stopped while sampling"):
        sample_posterior(tiny_posterior(observed=(1.0, np.inf, 2.0)), SETTINGS, cores=1)


def test_summary_hand_computed():
    values = np.random.default_rng(4).normal(size=(2, 40, 2))
    draws = xr.Dataset(
        {
            "beta": (("chain", "draw", "channel"), values),
            "sigma": (("chain", "draw"), values[..., 0]),
        },
        coords={"channel": ["tv", "radio"]},
    )
    got = summarize_posterior(draws)
    assert list(got) == ["beta[tv]", "beta[radio]", "sigma"]
    radio = values[..., 1].ravel()
    low, high = hdi(radio)
    assert got["beta[radio]"] == {
        "mean": pytest.approx(radio.mean()),
        "sd": pytest.approx(radio.std(ddof=1)),
        "hdi_3%": pytest.approx(low),
        "hdi_97%": pytest.approx(high),
    }
