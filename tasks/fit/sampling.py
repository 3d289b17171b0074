"""NUTS on a PyMC model: nutpie where it is installed, PyMC's own sampler otherwise.

Both come back in one shape: a DataTree with ``posterior`` and ``sample_stats``, whose variables
``diverging``, ``energy`` and ``reached_max_treedepth`` mean the same.
"""

import importlib.util
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pymc as pm
import xarray as xr

from schemas.errors import SamplingError
from schemas.run_spec import SamplerBackend, SamplerSpec

log = logging.getLogger(__name__)

Progress = Callable[[float, int], None]
"""Called with the finished share of all draws, in [0, 1], and the divergences so far."""

_SCRATCH_SUFFIX = "_z"
"""Offsets of pooled parameters: sampled, but not published."""


@dataclass
class Sampled:
    """Draws and what they cost."""

    tree: xr.DataTree
    backend: str
    wall_seconds: dict[str, float] = field(default_factory=dict)


def sample_posterior(
    model: pm.Model,
    settings: SamplerSpec,
    *,
    cores: int,
    progress: Progress | None = None,
    show_bar: bool = False,
) -> Sampled:
    """Sample a model.

    Parameters
    ----------
    model
        A PyMC model; every free variable and deterministic is published, but for ``*_z``.
    settings
        Draws, tuning, chains, target acceptance, seed, backend.
    cores
        Chains that run at once.
    progress
        Told about finished draws about twice a second (nutpie).
    show_bar
        Draw a progress bar on stderr.

    Raises
    ------
    SamplingError
        If the sampler stops with an error; the message says what to do.
    """
    backend = choose_backend(settings.backend)
    run = _sample_nutpie if backend is SamplerBackend.NUTPIE else _sample_pymc
    try:
        sampled = run(model, settings, cores, progress, show_bar)
    except (RuntimeError, ValueError, FloatingPointError, pm.exceptions.SamplingError) as error:
        raise SamplingError(
            f"{backend} stopped while sampling: {error}. Check the data for constant or extreme "
            "columns; sampler.backend can switch to the other sampler."
        ) from error
    return Sampled(_published(sampled.tree), sampled.backend, sampled.wall_seconds)


def choose_backend(wanted: SamplerBackend) -> SamplerBackend:
    """Nutpie when asked for or available.

    Raises
    ------
    SamplingError
        If nutpie is asked for by name and not installed.
    """
    available = importlib.util.find_spec("nutpie") is not None
    if wanted is SamplerBackend.NUTPIE and not available:
        raise SamplingError(
            "sampler.backend is nutpie, but nutpie is not installed; use auto or pymc."
        )
    if wanted is SamplerBackend.AUTO:
        return SamplerBackend.NUTPIE if available else SamplerBackend.PYMC
    return wanted


def _sample_nutpie(
    model: pm.Model, settings: SamplerSpec, cores: int, progress: Progress | None, show_bar: bool
) -> Sampled:
    import nutpie

    started = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    compiled_at = time.perf_counter()

    seen = _Seen()
    sampler = nutpie.sample(
        compiled,
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=min(cores, settings.chains),
        seed=settings.random_seed,
        target_accept=settings.target_accept,
        save_warmup=False,
        progress_bar=show_bar,
        progress_callback=seen.note,
        progress_rate=500,
        blocking=False,
    )
    tree = _wait(sampler, seen, progress)
    wall = {"compile": compiled_at - started, "sample": time.perf_counter() - compiled_at}
    return Sampled(_with_depth_flag(tree), "nutpie", wall)


class _Seen:
    """Last progress that the sampler's own thread told; read by the waiting thread.

    Reporting happens in the waiting thread because Prefect's settings and clients belong to it.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self.divergences = 0

    def note(self, chains: list[Any]) -> None:
        self.share = sum(c.finished_draws for c in chains) / (
            sum(c.total_draws for c in chains) or 1
        )
        self.divergences = sum(c.divergences for c in chains)


def _wait(sampler: Any, seen: _Seen, progress: Progress | None) -> xr.DataTree:
    """Wait for the sampler, reporting twice a second; stop it when the wait is interrupted."""
    try:
        while True:
            try:
                return sampler.wait(timeout=0.5)
            except TimeoutError:
                if progress is not None:
                    progress(seen.share, seen.divergences)
    except BaseException:
        sampler.cancel()
        raise


def _sample_pymc(
    model: pm.Model, settings: SamplerSpec, cores: int, progress: Progress | None, show_bar: bool
) -> Sampled:
    started = time.perf_counter()
    total = settings.chains * (settings.draws + settings.tune)
    finished = {"draws": 0, "divergences": 0}

    def report(trace: Any, draw: Any) -> None:
        del trace
        finished["draws"] += 1
        finished["divergences"] += int(bool(draw.stats and draw.stats[0].get("diverging")))
        if progress is not None and finished["draws"] % 50 == 0:
            progress(finished["draws"] / total, finished["divergences"])

    with model:
        tree = pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=min(cores, settings.chains),
            random_seed=settings.random_seed,
            target_accept=settings.target_accept,
            nuts_sampler="pymc",
            progressbar=show_bar,
            callback=report if progress is not None else None,
            compute_convergence_checks=False,
        )
    return Sampled(_with_depth_flag(tree), "pymc", {"sample": time.perf_counter() - started})


def _with_depth_flag(tree: xr.DataTree) -> xr.DataTree:
    """Name the flag of a saturated tree depth alike for both samplers."""
    stats = tree["sample_stats"].to_dataset()
    if "maxdepth_reached" in stats and "reached_max_treedepth" not in stats:
        stats = stats.rename(maxdepth_reached="reached_max_treedepth")
        tree["sample_stats"] = xr.DataTree(stats)
    return tree


_STATS = (
    "diverging",
    "energy",
    "reached_max_treedepth",
    "n_steps",
    "tree_depth",
    "depth",
    "step_size",
)


def _published(tree: xr.DataTree) -> xr.DataTree:
    posterior = tree["posterior"].to_dataset()
    scratch = [str(v) for v in posterior.data_vars if str(v).endswith(_SCRATCH_SUFFIX)]
    stats = tree["sample_stats"].to_dataset()
    stats = stats[[name for name in _STATS if name in stats]]
    out = xr.DataTree.from_dict({"posterior": posterior.drop_vars(scratch), "sample_stats": stats})
    # Library attributes hold creation times, which would make equal draws unequal files.
    for node in out.subtree:
        node.attrs = {}
    return out
