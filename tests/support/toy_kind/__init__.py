"""A model kind made of this folder alone: least squares, its draws by resampling periods.

No carryover, no saturation, no priors, no chains. It shows what a new kind has to bring.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, SAMPLE_DIM, ComponentKind
from schemas.spec.kinds import KindKey, KindSpec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.base import DrawsModel
from tasks.models.contract import Component, ModelInputs
from tasks.models.kind import Kind, Sampled, Watch
from tasks.models.linear import describe_terms, linear_design, terms_of

Array = NDArray[np.float64]


class ToyFitted(DrawsModel):
    """``mean + media @ beta + terms @ gamma`` with normal noise, all in KPI units."""

    additive = True

    def expected(self, panel: xr.Dataset) -> Array:
        return np.sum([self.contribution(c, panel) for c in self.components], axis=0)

    def contribution(self, component: Component, panel: xr.Dataset) -> Array:
        if component.kind is ComponentKind.CHANNEL:
            return self._beta(component.name) * _media(panel)[:, self._index(component.name)]
        if component.kind is ComponentKind.BASELINE:
            sizes = (panel.sizes[ENTITY_DIM], panel.sizes[DATE_DIM])
            return self._scalar("baseline") * np.ones((1, *sizes))
        terms = terms_of(component, self._inputs)
        gamma = self._samples["gamma"].to_numpy()[:, terms]
        return np.einsum("sk,ekt->set", gamma, linear_design(panel, self._inputs)[:, terms])

    def incremental(self, channel: str, panel: xr.Dataset) -> Array:
        return self.contribution(Component(channel, ComponentKind.CHANNEL), panel)

    def media_gradient(self, panel: xr.Dataset, weights: Array, channels: Sequence[str]) -> Array:
        del panel
        return np.stack([(weights * self._beta(c)).sum(axis=0) for c in channels], axis=1)

    def sample_kpi(
        self, panel: xr.Dataset, expected: Array, *, seed: int, before: Array | None = None
    ) -> Array:
        """Noise does not last, so what was before says nothing."""
        del panel, before
        noise = np.random.default_rng(seed).standard_normal(expected.shape)
        return expected + self._scalar("sigma") * noise

    def log_likelihood(self, panel: xr.Dataset, expected: Array) -> Array:
        sigma = self._scalar("sigma")
        z = (panel["kpi"].to_numpy()[None] - expected) / sigma
        return -0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)

    def innovations(self, panel: xr.Dataset, expected: Array) -> Array:
        return np.asarray(panel["kpi"].to_numpy()[None] - expected)

    def effect_draws(self, channel: str) -> tuple[Array, Array]:
        """Without a prior there is nothing to shift: the data alone decide."""
        draws = self._beta(channel).ravel()
        return draws, np.zeros_like(draws)

    def _index(self, channel: str) -> int:
        return self._channels.index(channel)

    def _beta(self, channel: str) -> Array:
        beta = self._samples["beta"].isel({CHANNEL_DIM: self._index(channel)})
        return beta.to_numpy()[:, None, None]

    def _scalar(self, name: str) -> Array:
        return self._samples[name].transpose(SAMPLE_DIM).to_numpy()[:, None, None]


class ToyKind(Kind):
    """What the product asks of it."""

    spec = KindSpec(
        "toy",
        keys=frozenset({KindKey.EVENTS, KindKey.HOLIDAYS}),
        sampler={"draws": 200, "chains": 2},
    )

    def count_parameters(self, metadata: FeatureMetadata) -> int:
        return 2 + len(metadata.channels) + len(describe_terms(metadata))

    def longest_carryover(self, metadata: FeatureMetadata) -> int:
        del metadata
        return 1

    def fit(
        self, panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec, watch: Watch
    ) -> Sampled:
        window = panel[IS_ESTIMATION].to_numpy()
        columns = np.concatenate([_media(panel), linear_design(panel, inputs)], axis=1)
        columns = np.moveaxis(columns[..., window], 1, 2).reshape(-1, columns.shape[1])
        kpi = panel["kpi"].to_numpy()[:, window].ravel()
        design = np.column_stack([np.ones(len(kpi)), columns])
        rng = np.random.default_rng(settings.random_seed)
        draws = np.array(
            [
                _resampled(design, kpi, rng.integers(len(kpi), size=len(kpi)))
                for _ in range(settings.chains * settings.draws)
            ]
        ).reshape(settings.chains, settings.draws, -1)
        if watch.progress is not None:
            watch.progress(1.0, 0)
        n_media = panel.sizes[CHANNEL_DIM]
        posterior = xr.Dataset(
            {
                "baseline": (("chain", "draw"), draws[..., 0]),
                "beta": (("chain", "draw", CHANNEL_DIM), draws[..., 1 : 1 + n_media]),
                "gamma": (("chain", "draw", "term"), draws[..., 1 + n_media : -1]),
                "sigma": (("chain", "draw"), draws[..., -1]),
            },
            coords={CHANNEL_DIM: panel[CHANNEL_DIM].values},
        )
        tree = xr.DataTree.from_dict({"posterior": posterior})
        return Sampled(tree, "bootstrap", {"resample": 0.1})

    def open(self, draws: xr.Dataset, inputs: ModelInputs) -> ToyFitted:
        return ToyFitted(draws, inputs)


def _media(panel: xr.Dataset) -> Array:
    return panel["media"].transpose(ENTITY_DIM, CHANNEL_DIM, DATE_DIM).to_numpy()


def _resampled(design: Array, kpi: Array, rows: NDArray[np.int64]) -> Array:
    """Coefficients of some rows, and the spread of what they leave."""
    coefficients = np.linalg.lstsq(design[rows], kpi[rows], rcond=None)[0]
    return np.append(coefficients, (kpi - design @ coefficients).std())


TOY = ToyKind()
