"""Simulation-based calibration of our kernel (Talts et al. 2018).

Draw parameters from the prior and a KPI from the likelihood, refit, and rank the truth among the
draws: over many simulations ranks are uniform if kernel, likelihood and sampler agree. Truth and
KPI are made in NumPy, the refit is the product's, so the two share the declaration of the priors
and nothing else.

The model takes constants from the KPI it is given: the prior of level, noise and coefficients, the
meaning of a share. The method holds for one model only, so they are fixed once, from one base
world, and every refit has them with nothing exchanged but the observed KPI.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from benchmarks.recovery.generator import Shape, generate_world
from benchmarks.recovery.worlds import World
from schemas.names import DATE_DIM, ENTITY_DIM, SAMPLE_DIM
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.draws import stack_samples
from tasks.models.mmm.constants import FitConstants, fit_constants
from tasks.models.mmm.derive import publish_points
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.posterior import MmmPosterior
from tasks.models.mmm.prior_draws import prior_points
from tasks.models.sampling import sample_posterior

BASE_SEED = 9001
BASE_SHAPE = Shape(n_weeks=60, n_entities=2, n_channels=2, n_controls=1)
"""Two entities, so that what is pooled over them is calibrated too."""
BASE_MODEL = {"yearly_seasonality": 1, "adstock": {"l_max": 4}}
"""Without a soft baseline constraint or lift tests: the truth is not drawn from those."""
N_RANKED = 99
"""Draws that a truth is ranked among, after thinning: ranks run from 0 to 99."""
LOG_LIKELIHOOD = "log_likelihood"
"""A quantity that depends on the data too, which finds faults that no parameter shows
(Modrák et al. 2023)."""

_OVERDRAW = 50


class Uniformity(NamedTuple):
    """How well the ranks of one scalar agree with uniform ones."""

    name: str
    family: str
    mean_rank: float
    """Mean of rank / ``N_RANKED``: 0.5 when calibrated, above it when draws are too low."""
    p_chi_square: float
    p_kolmogorov: float


class _Simulated(MmmPosterior):
    """Posterior of a simulated KPI: everything but that KPI is the base world's."""

    def __init__(self, constants: FitConstants, kpi: NDArray[np.float64]) -> None:
        self.constants = replace(constants, kpi=kpi)


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
    constants = fit_constants(world.panel, world.inputs)
    seed = settings.random_seed
    for index, point in enumerate(draw_truths(constants, n_simulations, seed)):
        truth = publish_points(point[None, None], constants)
        kpi = simulate_kpi(truth, world, seed=seed + index)
        own = settings.model_copy(update={"random_seed": seed + index})
        sampled = sample_posterior(_Simulated(constants, kpi), own, cores=cores)
        yield _rank_all(truth, sampled.tree["posterior"].to_dataset(), world, kpi)


def draw_truths(
    constants: FitConstants, n_simulations: int, seed: int
) -> Iterable[NDArray[np.float64]]:
    """Independent points from the priors.

    The product spreads its prior draws evenly over quantiles; few out of many are independent.
    """
    return prior_points(constants, _OVERDRAW * n_simulations, seed)[:n_simulations]


def simulate_kpi(truth: xr.Dataset, world: World, *, seed: int) -> NDArray[np.float64]:
    """Scaled KPI of one true draw, ``(entity, date)``, by the NumPy route, noise included."""
    fitted = MmmFitted(truth, world.inputs)
    expected = fitted.expected(world.panel)
    return fitted.sample_kpi(world.panel, expected, seed=seed)[0] / _kpi_scale(world)


def _kpi_scale(world: World) -> NDArray[np.float64]:
    return world.inputs.scales["kpi_scale"].to_numpy()[:, None]


def _rank_all(
    truth: xr.Dataset, draws: xr.Dataset, world: World, kpi: NDArray[np.float64]
) -> dict[str, int]:
    """Rank every published scalar and the log likelihood among thinned draws."""
    stacked = stack_samples(draws)
    keep = np.linspace(0, stacked.sizes[SAMPLE_DIM] - 1, N_RANKED).round().astype(int)
    thinned = stacked.isel({SAMPLE_DIM: keep})
    ranks = {}
    for name in sorted(map(str, truth.data_vars)):
        known = truth[name].to_numpy().ravel()
        values = thinned[name].transpose(SAMPLE_DIM, ...).to_numpy().reshape(N_RANKED, -1)
        for position, rank in enumerate((values < known).sum(axis=0)):
            ranks[f"{name}[{position}]"] = int(rank)
    known = _log_likelihood(truth, world, kpi)
    return ranks | {LOG_LIKELIHOOD: int((_log_likelihood(draws, world, kpi)[keep] < known).sum())}


def _log_likelihood(
    draws: xr.Dataset, world: World, kpi: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log density of a simulated KPI at every draw, ``(sample,)``."""
    panel = world.panel.assign(kpi=((ENTITY_DIM, DATE_DIM), kpi * _kpi_scale(world)))
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
