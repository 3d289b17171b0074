"""Simulation-based calibration of our graph (Talts et al. 2018).

Draw parameters from the prior and a KPI from the likelihood, refit, and rank the truth among the
draws: over many simulations ranks are uniform if graph, likelihood and sampler agree.

The graph takes constants from the KPI it is built with: the prior of level, noise and coefficients,
the meaning of a share, the centering. The method holds for one model only, so the graph is built
once, from one base world; its prior and likelihood make every simulation, and each is fitted by
the very same graph with nothing exchanged but the observed KPI.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from benchmarks.recovery.generator import Shape, generate_world
from benchmarks.recovery.worlds import World
from schemas.names import DATE_DIM, ENTITY_DIM, SAMPLE_DIM
from schemas.run_spec import SamplerSpec
from tasks.mmm.draws import stack_samples
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.graph import build_graph

BASE_SEED = 9001
BASE_SHAPE = Shape(n_weeks=60, n_entities=1, n_channels=2, n_controls=1)
BASE_MODEL = {"yearly_seasonality": 1, "adstock": {"l_max": 4}}
N_RANKED = 99
"""Draws that a truth is ranked among, after thinning: ranks run from 0 to 99."""
LOG_LIKELIHOOD = "log_likelihood"
"""A quantity that depends on the data too, which finds faults that no parameter shows
(Modrák et al. 2023)."""

_OBSERVED = "y"
_DATA = "observed_kpi"


class Uniformity(NamedTuple):
    """How well the ranks of one scalar agree with uniform ones."""

    name: str
    family: str
    mean_rank: float
    """Mean of rank / ``N_RANKED``: 0.5 when calibrated, above it when draws are too low."""
    p_chi_square: float
    p_kolmogorov: float


class Refit:
    """One graph, compiled once, conditioned on one KPI after another."""

    def __init__(self, model: pm.Model, settings: SamplerSpec, *, cores: int) -> None:
        import nutpie

        self._settings = settings
        self._cores = min(cores, settings.chains)
        _observe_shared(model)
        self._compiled = nutpie.compile_pymc_model(model)

    def sample(self, kpi: NDArray[np.float64], *, seed: int) -> xr.Dataset:
        """Draws given one scaled KPI, ``(entity, date)``."""
        import nutpie

        tree = nutpie.sample(
            self._compiled.with_data(**{_DATA: kpi}),
            draws=self._settings.draws,
            tune=self._settings.tune,
            chains=self._settings.chains,
            cores=self._cores,
            seed=seed,
            target_accept=self._settings.target_accept,
            progress_bar=False,
        )
        return tree["posterior"].to_dataset()


def _observe_shared(model: pm.Model) -> None:
    """Let the likelihood read the KPI from shared data; everything else stays the constant it was.

    ``pm.observe`` takes unobserved variables only, and the graph observes its KPI when it is built.
    """
    variable = model[_OBSERVED]
    old = model.rvs_to_values.pop(variable)
    model.values_to_rvs.pop(old)
    with model:
        data = pm.Data(_DATA, np.asarray(old.data), dims=(ENTITY_DIM, DATE_DIM))
    model.create_value_var(variable, value_var=data, transform=None, default_transform=None)


def base_world() -> World:
    """The world whose constants every simulation shares."""
    return generate_world(BASE_SEED, BASE_SHAPE, model=BASE_MODEL)


def simulate_ranks(
    n_simulations: int, settings: SamplerSpec, *, cores: int
) -> Iterator[dict[str, int]]:
    """Yield the ranks of one simulation after another, ``{scalar: rank}``.

    Parameters
    ----------
    n_simulations
        How many truths are drawn.
    settings
        Sampler settings; ``random_seed`` seeds truths and fits. At least ``N_RANKED`` draws over
        all chains; several times that, because ranks want independent draws.
    cores
        Chains that run at once.
    """
    world = base_world()
    model = build_graph(world.panel, world.inputs)
    prior = pm.sample_prior_predictive(n_simulations, model=model, random_seed=settings.random_seed)
    truths = prior["prior"].to_dataset()
    simulated = prior["prior_predictive"][_OBSERVED].to_numpy()[0]
    refit = Refit(model, settings, cores=cores)
    for index, kpi in enumerate(simulated):
        draws = refit.sample(kpi, seed=settings.random_seed + index)
        yield _rank_all(truths.isel(draw=[index]), draws, world, kpi)


def _rank_all(
    truth: xr.Dataset, draws: xr.Dataset, world: World, kpi: NDArray[np.float64]
) -> dict[str, int]:
    """Rank every published scalar and the log likelihood among thinned draws."""
    stacked = stack_samples(draws)
    keep = np.linspace(0, stacked.sizes[SAMPLE_DIM] - 1, N_RANKED).round().astype(int)
    thinned = stacked.isel({SAMPLE_DIM: keep})
    ranks = {}
    for name in sorted(set(map(str, truth.data_vars)) & set(map(str, thinned.data_vars))):
        known = truth[name].to_numpy().ravel()
        values = thinned[name].to_numpy().reshape(N_RANKED, -1)
        for position, rank in enumerate((values < known).sum(axis=0)):
            ranks[f"{name}[{position}]"] = int(rank)
    known = _log_likelihood(truth, world, kpi)
    return ranks | {LOG_LIKELIHOOD: int((_log_likelihood(draws, world, kpi)[keep] < known).sum())}


def _log_likelihood(
    draws: xr.Dataset, world: World, kpi: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log density of a simulated KPI at every draw, ``(sample,)``."""
    scale = world.inputs.scales["kpi_scale"].to_numpy()[:, None]
    panel = world.panel.assign(kpi=((ENTITY_DIM, DATE_DIM), kpi * scale))
    fitted = MmmFitted(draws, world.inputs)
    return fitted.log_likelihood(panel, fitted.expected(panel)).sum(axis=(1, 2))


def measure_uniformity(simulations: list[dict[str, int]]) -> list[Uniformity]:
    """Test the ranks of every scalar: chi-square of a histogram, and the ECDF's distance."""
    found = []
    for name in simulations[0]:
        ranks = np.array([ranks[name] for ranks in simulations])
        found.append(
            Uniformity(
                name=name,
                family=name.partition("[")[0],
                mean_rank=float(ranks.mean() / N_RANKED),
                p_chi_square=_chi_square(ranks),
                p_kolmogorov=float(stats.kstest((ranks + 0.5) / (N_RANKED + 1), "uniform").pvalue),
            )
        )
    return found


def _chi_square(ranks: NDArray[Any]) -> float:
    """P value of equal bins with at least five expected ranks each, as far as there are so many."""
    n_bins = next((n for n in (20, 10, 5) if len(ranks) >= 5 * n), 4)
    counts = np.histogram(ranks, bins=n_bins, range=(0, N_RANKED + 1))[0]
    return float(stats.chisquare(counts).pvalue)


def judge_families(found: list[Uniformity]) -> dict[str, float]:
    """P value per family: its smallest one times the number of tests in it (Bonferroni)."""
    families: dict[str, list[float]] = {}
    for scalar in found:
        families.setdefault(scalar.family, []).extend((scalar.p_chi_square, scalar.p_kolmogorov))
    return {family: min(1.0, len(p) * min(p)) for family, p in families.items()}
