"""Sampling on models that compile in a moment: reproducible, private offsets, told progress."""

import importlib.util

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from schemas.errors import SamplingError
from schemas.run_spec import SamplerBackend, SamplerSpec
from tasks.fit.sampling import choose_backend, sample_posterior
from tasks.fit.summary import summarize_posterior
from tasks.mmm.draws import hdi
from tasks.store.artifacts import read_netcdf, sha256_of, write_netcdf

SETTINGS = SamplerSpec(draws=50, tune=60, chains=2, random_seed=7, backend=SamplerBackend.NUTPIE)


def tiny_model(observed=(1.0, 2.0, 4.0)):
    with pm.Model(coords={"channel": ["tv", "radio"]}) as model:
        offset = pm.Normal("share_z", dims="channel")
        share = pm.Deterministic("share", 1 + 0.5 * offset, dims="channel")
        sigma = pm.HalfNormal("sigma", sigma=1.0)
        pm.Normal("y", mu=share.sum(), sigma=sigma, observed=np.array(observed))
    return model


@pytest.fixture(scope="module")
def sampled():
    return sample_posterior(tiny_model(), SETTINGS, cores=2)


def test_the_same_seed_gives_the_same_draws_bit_for_bit(sampled):
    again = sample_posterior(tiny_model(), SETTINGS, cores=2)
    xr.testing.assert_identical(again.tree, sampled.tree)
    for name, variable in sampled.tree["posterior"].data_vars.items():
        assert again.tree["posterior"][name].to_numpy().tobytes() == variable.to_numpy().tobytes()


def test_another_seed_gives_other_draws(sampled):
    settings = SETTINGS.model_copy(update={"random_seed": 8})
    other = sample_posterior(tiny_model(), settings, cores=2)
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
    assert set(sampled.wall_seconds) == {"compile", "sample"}
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
    """Draws of PyMC's own sampler, because nutpie cannot be found; and the progress it told."""
    told = []
    with pytest.MonkeyPatch.context() as patch:
        hide_nutpie(patch)
        settings = SETTINGS.model_copy(update={"backend": SamplerBackend.AUTO})
        result = sample_posterior(
            tiny_model(), settings, cores=1, progress=lambda share, n: told.append((share, n))
        )
    return result, told


def hide_nutpie(patch):
    find = importlib.util.find_spec
    patch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "nutpie" else find(name, *a)
    )


def test_pymc_samples_where_nutpie_is_missing(without_nutpie):
    result, _ = without_nutpie
    assert result.backend == "pymc"
    assert set(result.tree["posterior"].data_vars) == {"share", "sigma"}
    assert {"diverging", "energy", "reached_max_treedepth"} <= set(
        result.tree["sample_stats"].data_vars
    )


def test_progress_is_a_growing_share_of_all_draws(without_nutpie):
    _, told = without_nutpie
    shares = [share for share, _ in told]
    assert shares
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert all(isinstance(n, int) and n >= 0 for _, n in told)


def test_automatic_choice(monkeypatch):
    assert choose_backend(SamplerBackend.AUTO) is SamplerBackend.NUTPIE
    assert choose_backend(SamplerBackend.PYMC) is SamplerBackend.PYMC
    hide_nutpie(monkeypatch)
    assert choose_backend(SamplerBackend.AUTO) is SamplerBackend.PYMC
    assert choose_backend(SamplerBackend.PYMC) is SamplerBackend.PYMC


def test_nutpie_by_name_must_be_there(monkeypatch):
    hide_nutpie(monkeypatch)
    with pytest.raises(SamplingError, match="nutpie is not installed; use auto or pymc"):
        choose_backend(SamplerBackend.NUTPIE)


def test_a_sampler_that_stops_is_a_sampling_error():
    with pytest.raises(SamplingError, match="nutpie stopped while sampling"):
        sample_posterior(tiny_model(observed=(1.0, np.inf, 2.0)), SETTINGS, cores=1)


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
