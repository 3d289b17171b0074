"""NUTS on a posterior: its compiled kernel, or its PyMC graph by nutpie or by PyMC's own sampler.

All come back in one shape: a DataTree with ``posterior`` and ``sample_stats``, whose variables
``diverging``, ``energy`` and ``reached_max_treedepth`` mean the same.
"""

import importlib.util
import time
from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from schemas.documents.retries import SamplingGate
from schemas.errors import SamplingError
from schemas.spec.sampler import SamplerBackend, SamplerSpec
from tasks.models.contract import ModelInputs, Posterior
from tasks.models.kind import Kind, Progress, Sampled, Watch

_SCRATCH_SUFFIX = "_z"
"""Offsets of pooled parameters: sampled, but not published."""


class NutsKind(Kind):
    """A kind whose fit is NUTS on a posterior."""

    sampling_gates = frozenset(SamplingGate)

    @abstractmethod
    def load_posterior(self, panel: xr.Dataset, inputs: ModelInputs) -> Posterior:
        """Return the posterior of a panel."""

    def fit(
        self, panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec, watch: Watch
    ) -> Sampled:
        """Sample the posterior; loading it counts as building."""
        started = time.perf_counter()
        posterior = self.load_posterior(panel, inputs)
        loaded = time.perf_counter() - started
        sampled = sample_posterior(
            posterior,
            settings,
            cores=watch.cores,
            progress=watch.progress,
            show_bar=watch.show_bar,
        )
        wall = sampled.wall_seconds
        return replace(sampled, wall_seconds={**wall, "build": loaded + wall["build"]})


def sample_posterior(
    posterior: Posterior,
    settings: SamplerSpec,
    *,
    cores: int,
    progress: Progress | None = None,
    show_bar: bool = False,
) -> Sampled:
    """Sample a posterior.

    Parameters
    ----------
    posterior
        Every free variable and deterministic of its graph is published, but for ``*_z``.
    settings
        Draws, tuning, chains, target acceptance, seed, backend.
    cores
        Chains that run at once.
    progress
        Reported about finished draws about twice a second.
    show_bar
        Draw a progress bar on stderr.

    Raises
    ------
    SamplingError
        If the sampler stops with an error, or with draws that are no numbers; the message says
        what to do.
    """
    started = time.perf_counter()
    backend, model = _prepare(posterior, settings.backend)
    # Loading the kernel and finding its start is what compiling is to a graph.
    built = started if backend is SamplerBackend.KERNEL else time.perf_counter()
    try:
        if backend is SamplerBackend.NUTPIE:
            model = _compile_graph(model)
        compiled = time.perf_counter()
        run = _sample_pymc if backend is SamplerBackend.PYMC else _sample_nutpie
        tree = run(model, settings, cores, progress, show_bar)
    except (RuntimeError, ValueError, FloatingPointError) as error:
        raise SamplingError(
            f"{backend} stopped while sampling: {error}. Check the data for constant or extreme "
            "columns; sampler.backend can switch to another sampler."
        ) from error
    wall = {
        "build": built - started,
        "compile": compiled - built,
        "sample": time.perf_counter() - compiled,
    }
    named = _named(tree, posterior if backend is SamplerBackend.KERNEL else None)
    _require_finite(named, backend)
    return Sampled(named, backend.value, wall)


def _require_finite(tree: xr.DataTree, backend: SamplerBackend) -> None:
    """Refuse draws that are no numbers: R-hat of them is none either, which is only a REVIEW."""
    for name, draws in tree["posterior"].data_vars.items():
        bad = int((~np.isfinite(draws.to_numpy())).sum())
        if bad:
            raise SamplingError(
                f"{backend} returned {bad} of {draws.size} draws of {name} that are not finite. "
                "Check the data for constant or extreme columns; sampler.backend can switch to "
                "another sampler."
            )


def _prepare(posterior: Posterior, wanted: SamplerBackend) -> tuple[SamplerBackend, Any]:
    """Choose the backend and build what it samples.

    Raises
    ------
    SamplingError
        If what is asked for by name is not there.
    """
    available = importlib.util.find_spec("nutpie") is not None
    if wanted in (SamplerBackend.KERNEL, SamplerBackend.NUTPIE) and not available:
        raise SamplingError(
            f"sampler.backend is {wanted}, but nutpie is not installed; use auto or pymc."
        )
    if available and wanted in (SamplerBackend.AUTO, SamplerBackend.KERNEL):
        model = posterior.kernel()
        if model is not None:
            return SamplerBackend.KERNEL, model
        if wanted is SamplerBackend.KERNEL:
            raise SamplingError("This model kind has no kernel; use sampler.backend: auto.")
    use_pymc = wanted is SamplerBackend.PYMC or not available
    return (SamplerBackend.PYMC if use_pymc else SamplerBackend.NUTPIE), posterior.graph()


def _compile_graph(model: Any) -> Any:
    import nutpie

    return nutpie.compile_pymc_model(model)


def _sample_nutpie(
    model: Any, settings: SamplerSpec, cores: int, progress: Progress | None, show_bar: bool
) -> xr.DataTree:
    import nutpie

    seen = _Seen()
    sampler = nutpie.sample(
        model,
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
    return _wait(sampler, seen, progress)


class _Seen:
    """Last progress that the sampler's own thread reported; read by the waiting thread.

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
    model: Any, settings: SamplerSpec, cores: int, progress: Progress | None, show_bar: bool
) -> xr.DataTree:
    import pymc as pm

    total = settings.chains * (settings.draws + settings.tune)
    finished = {"draws": 0, "divergences": 0}

    def report(trace: Any, draw: Any) -> None:
        del trace
        finished["draws"] += 1
        finished["divergences"] += int(bool(draw.stats and draw.stats[0].get("diverging")))
        if progress is not None and finished["draws"] % 50 == 0:
            progress(finished["draws"] / total, finished["divergences"])

    with model:
        return pm.sample(
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


_STATS = (
    "diverging",
    "energy",
    "reached_max_treedepth",
    "n_steps",
    "tree_depth",
    "depth",
    "step_size",
)


def _named(tree: xr.DataTree, kernel_of: Posterior | None) -> xr.DataTree:
    """Give draws and statistics the same names whatever sampled them, and drop scratch."""
    draws = tree["posterior"].to_dataset()
    if kernel_of is not None:
        draws = kernel_of.publish(draws)
    scratch = [str(v) for v in draws.data_vars if str(v).endswith(_SCRATCH_SUFFIX)]
    stats = tree["sample_stats"].to_dataset()
    if "maxdepth_reached" in stats and "reached_max_treedepth" not in stats:
        stats = stats.rename(maxdepth_reached="reached_max_treedepth")
    stats = stats[[name for name in _STATS if name in stats]]
    out = xr.DataTree.from_dict({"posterior": draws.drop_vars(scratch), "sample_stats": stats})
    # Library attributes hold creation times, which would make equal draws unequal files.
    for node in out.subtree:
        node.attrs = {}
    return out
