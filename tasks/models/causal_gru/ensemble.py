"""The ensemble of one fit: rolling origins, members on resampled blocks, and what they publish.

Members differ in the start of their network and in which blocks of neighbouring periods they are
fitted to. How large noise is, those periods say that a member did not see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.spec.causal_gru import CausalGruSpec
from schemas.spec.sampler import SamplerSpec
from tasks.models.causal_gru.origins import Origin, plan_origins, score_forecasts
from tasks.models.causal_gru.posterior import Standard, publish_members, standardize
from tasks.models.causal_gru.resampling import block_length, draw_weights
from tasks.models.causal_gru.scores import Scores
from tasks.models.causal_gru.sequences import Sequences, arrange, read_settings
from tasks.models.causal_gru.training import Job, Trained, train
from tasks.models.contract import ModelInputs

Array = NDArray[np.float64]
Report = Callable[[float], None]

_LEAST_STEPS = 25


class Edges(NamedTuple):
    """What is known of edges into the KPI, ``(driver,)`` each, channels first."""

    free: Array
    """1 where the gate is learned."""
    fixed: Array
    """Gate of the others: 1 required, 0 forbidden."""


class Fitted(NamedTuple):
    """Members as a posterior, and their forecasts beside those of others."""

    posterior: xr.Dataset
    scores: Scores


def fit_ensemble(
    panel: xr.Dataset, inputs: ModelInputs, edges: Edges, settings: SamplerSpec, watch: Report
) -> Fitted:
    """Fit one panel.

    Parameters
    ----------
    panel, inputs
        As every kind gets them.
    edges
        Of the drivers in the order of ``sequences.arrange``.
    settings
        Members as draws and chains, and the seed.
    watch
        Called with the finished share, in [0, 1].
    """
    own, sequences = read_settings(inputs.metadata), arrange(panel, inputs)
    rng = np.random.default_rng(settings.random_seed)
    n_members = settings.chains * settings.draws
    ensemble = _Ensemble(sequences, edges, own, rng, n_members)
    origins = plan_origins(sequences.n_fitted, own.origins)
    forecasts, n_steps = ensemble.stop_at(origins, lambda share: watch(0.5 * share))
    scores = score_forecasts(panel, inputs, origins, forecasts)
    trained, noise = ensemble.train_whole(n_steps, lambda share: watch(0.5 + 0.5 * share))
    return Fitted(publish_members(sequences, trained, noise, inputs.metadata, settings), scores)


@dataclass(frozen=True)
class _Ensemble:
    """What all members have in common."""

    sequences: Sequences
    edges: Edges
    own: CausalGruSpec
    rng: np.random.Generator
    n_members: int

    def stop_at(self, origins: list[Origin], watch: Report) -> tuple[list[Array], int]:
        """Stop members at every origin: what they forecast, and after how many steps they stopped.

        As many members as the ensemble has are shared out among the origins, so that what trains
        them is compiled once.
        """
        kpi, fitted = self.sequences.kpi, np.flatnonzero(self.sequences.window)
        standards = [standardize(kpi[:, fitted[: origin.fitted]]) for origin in origins]
        scaled = np.array([(kpi - s.mean) / s.spread for s in standards])
        of_origin = np.arange(self.n_members) % len(origins)
        weights, held_out = np.zeros((2, self.n_members, kpi.shape[1]))
        for place, origin in enumerate(origins):
            rows = np.flatnonzero(of_origin == place)
            weights[np.ix_(rows, fitted[: origin.fitted])] = self._weights(len(rows), origin.fitted)
            held_out[np.ix_(rows, fitted[origin.fitted : origin.cut])] = 1.0
        nothing = np.zeros(self.n_members, dtype=int)
        trained = self._train(Job(scaled[of_origin], weights, held_out, nothing), watch)
        forecasts = [
            (s.mean + s.spread * trained.expected[of_origin == place].mean(axis=0))[
                :, fitted[o.cut : o.end]
            ]
            for place, (s, o) in enumerate(zip(standards, origins, strict=True))
        ]
        return forecasts, max(_LEAST_STEPS, int(np.median(trained.steps)))

    def train_whole(self, n_steps: int, watch: Report) -> tuple[Trained, tuple[Standard, Array]]:
        """Train on all fitted periods, with what the KPI was standardized by and its noise."""
        kpi, fitted = self.sequences.kpi, np.flatnonzero(self.sequences.window)
        standard = standardize(kpi[:, fitted])
        weights = np.zeros((self.n_members, kpi.shape[1]))
        weights[:, fitted] = self._weights(self.n_members, len(fitted))
        scaled = (kpi - standard.mean) / standard.spread
        job = Job(
            kpi=np.broadcast_to(scaled, (self.n_members, *kpi.shape)),
            weights=weights,
            held_out=np.zeros_like(weights),
            n_steps=np.full(self.n_members, n_steps),
        )
        trained = self._train(job, watch)
        return trained, (standard, _unseen_error(job, trained, self.sequences.window))

    def _weights(self, n_members: int, n_periods: int) -> Array:
        length = block_length(self.own.block_periods, n_periods)
        return draw_weights(self.rng, n_members, n_periods, length)

    def _train(self, job: Job, watch: Report) -> Trained:
        seed = int(self.rng.integers(2**31))
        return train(self.sequences, self.edges, job, self.own, seed=seed, watch=watch)


def _unseen_error(job: Job, trained: Trained, window: NDArray[np.bool_]) -> Array:
    """Root mean squared error over fitted periods that members did not see, ``(entity,)``."""
    unseen = (job.weights == 0) & window
    squares = ((job.kpi - trained.expected) ** 2 * unseen[:, None]).sum(axis=(0, 2))
    return np.asarray(np.sqrt(squares / max(int(unseen.sum()), 1)))
