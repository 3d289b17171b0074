"""What kind ``mmm`` declares."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from schemas.documents.features import FeatureMetadata, StatedShares
from schemas.errors import SpecError
from schemas.names import Artifact
from schemas.spec.channels import (
    ChannelKind,
    SaturationKind,
    SaturationSpec,
)
from schemas.spec.kinds import KINDS, ModelKind
from schemas.spec.model import MEDIA_SHARE, SHARE_SPREAD, Likelihood, ModelSpec
from schemas.spec.ridge import Pooling
from schemas.spec.roles import ChannelRole
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerBackend, SamplerSpec
from tasks.mathematics.scaling import scale_media
from tasks.models.contract import ModelInputs, Posterior
from tasks.models.kind import Sampled, Watch
from tasks.models.lift_placement import place_tests
from tasks.models.linear import describe_terms
from tasks.models.mmm.design import ChannelTransforms, channel_transforms
from tasks.models.mmm.fitted import MmmFitted
from tasks.models.mmm.own_transform import OWN_KEY, find_transform
from tasks.models.mmm.priors import share_priors, stated_shares
from tasks.models.sampling import NutsKind

log = logging.getLogger(__name__)


class MmmModelKind(NutsKind):
    """Learned carryover and saturation, sampled on contribution shares."""

    spec = KINDS[ModelKind.MMM]
    files = (Artifact.PYMC_MARKETING,)
    fits_ragged_panels = True
    learns_shapes = True

    def settings(self, spec: RunSpec) -> dict[str, Any]:
        """Seasons, trend and events, noise, and what is believed of channels and experiments."""
        model = spec.model
        if model.transform is not None:
            _require_room(spec)
        return {
            **super().settings(spec),
            "transform": model.transform,
            "likelihood": model.likelihood,
            "non_negative_baseline": model.non_negative_baseline,
            "time_varying_media": model.time_varying_media,
            "autocorrelated_noise": model.autocorrelated_noise,
            "media_before": model.media_before,
            "pooling": None if model.pooling is Pooling.PARTIAL else model.pooling,
            **_stated_media_share(model),
            "lift_tests": spec.lift_tests,
        }

    def channel_settings(self, channel: ChannelRole, spec: RunSpec) -> dict[str, Any]:
        """Carryover and saturation of one channel, with the model's where the channel is silent.

        What a competitor does has no diminishing returns that its observer could know of: unless
        the spec says otherwise, it acts by its adstock alone.
        """
        is_rival = channel.kind is ChannelKind.COMPETITOR
        model = spec.model
        default = SaturationSpec(kind=SaturationKind.NONE) if is_rival else model.saturation
        return {
            "adstock": channel.adstock or model.adstock,
            "saturation": channel.saturation or default,
        }

    def facts(self, panel: xr.Dataset, inputs: ModelInputs, spec: RunSpec) -> dict[str, Any]:
        """Priors on contribution shares.

        A lift test that fits nowhere is refused here, and a transform that is none.
        """
        if inputs.metadata.transform is not None:
            _require_transform(inputs.metadata.transform, panel, inputs)
        place_tests(panel, inputs.metadata.grain, spec.lift_tests)
        stated = share_priors(panel, inputs)
        shares = StatedShares(
            log_median=stated.first.tolist(),
            spread=stated.second.tolist(),
            is_gamma=stated.is_gamma.tolist(),
            follows=stated.follows.tolist(),
            pressure=stated.pressure.tolist() if _pooling(inputs.metadata) is Pooling.NONE else [],
        )
        return {"share_priors": shares, "stated_shares": stated_shares(panel, inputs)}

    def count_parameters(self, metadata: FeatureMetadata) -> int:
        """Transforms once per channel; level, noise and, as pooled, effects once per entity."""
        shapes = sum(_n_shape_parameters(channel) for channel in channel_transforms(metadata))
        n_entities = len(metadata.entities)
        effects = len(metadata.channels) + len(describe_terms(metadata))
        effects *= 1 if _pooling(metadata) is Pooling.COMPLETE else n_entities
        own = 2 + int(bool(metadata.autocorrelated_noise))
        tails = int(metadata.likelihood is Likelihood.STUDENT_T)
        return shapes + effects + n_entities * own + tails

    def longest_carryover(self, metadata: FeatureMetadata) -> int:
        """Lags of the slowest channel."""
        return max((channel.n_lags for channel in channel_transforms(metadata)), default=1)

    def predict_prior(self, panel: xr.Dataset, inputs: ModelInputs, *, seed: int) -> dict[str, Any]:
        """Shares, returns and KPI under the priors."""
        from tasks.models.mmm.prior_predictive import predict_prior

        return predict_prior(panel, inputs, seed=seed)

    def draw_prior(
        self, panel: xr.Dataset, inputs: ModelInputs, n_draws: int, *, seed: int
    ) -> xr.Dataset:
        """Draws of the priors of this panel, ``(chain, draw, ...)``."""
        from tasks.models.mmm.prior_draws import draw_prior

        return draw_prior(panel, inputs, n_draws, seed)

    def fit(
        self, panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec, watch: Watch
    ) -> Sampled:
        """Sample the posterior; with a transform of somebody else by PyMC's own sampler.

        Others compile a graph by rules that not every operation of PyTensor has.
        """
        if inputs.metadata.transform is not None and settings.backend is SamplerBackend.AUTO:
            settings = settings.model_copy(update={"backend": SamplerBackend.PYMC})
        return super().fit(panel, inputs, settings, watch)

    def load_posterior(self, panel: xr.Dataset, inputs: ModelInputs) -> Posterior:
        """Return the posterior; its libraries take seconds to import, so only a fit does."""
        from tasks.models.mmm.posterior import MmmPosterior

        posterior: Any = MmmPosterior(panel, inputs)
        return posterior

    def open(self, draws: xr.Dataset, inputs: ModelInputs) -> MmmFitted:
        """Return what the draws say."""
        return MmmFitted(draws, inputs)

    def extra_files(
        self, draws: xr.Dataset, panel: xr.Dataset, inputs: ModelInputs
    ) -> dict[Artifact, Callable[[Path], None]]:
        """The fit as a stock pymc-marketing model, for ``MMM.load``, where that can hold it."""
        from tasks.models.mmm.stock_form import stock_obstacle

        name = Artifact.PYMC_MARKETING
        obstacle = stock_obstacle(inputs.metadata)
        if obstacle is not None:
            log.info("%s is not written: a pymc-marketing MMM cannot hold it, %s", name, obstacle)
            return {}
        from tasks.models.mmm.stock import publish_stock

        stock = publish_stock(draws, panel, inputs)
        return {name: lambda path: stock.save(str(path))}


def _pooling(metadata: FeatureMetadata) -> Pooling:
    return metadata.pooling or Pooling.PARTIAL


def _stated_media_share(model: ModelSpec) -> dict[str, float | None]:
    """Share priors of all channels, where the spec states either number of them."""
    if model.media_share is None and model.share_spread is None:
        return {"media_share": None, "share_spread": None}
    share = MEDIA_SHARE if model.media_share is None else model.media_share
    spread = SHARE_SPREAD if model.share_spread is None else model.share_spread
    return {"media_share": share, "share_spread": spread}


def _require_room(spec: RunSpec) -> None:
    """Refuse what a transform of somebody else takes the place of, or cannot say."""
    shaped = [c.name for c in spec.channels or [] if c.adstock or c.saturation]
    problems = [f"adstock or saturation of channel {name!r}: {OWN_KEY} takes its place"
                for name in shaped]  # fmt: skip
    if spec.lift_tests:
        problems.append(f"lift_tests: with {OWN_KEY} the model cannot say what lift it expects")
    if spec.sampler.backend is SamplerBackend.KERNEL:
        problems.append(f"sampler.backend kernel: it knows no {OWN_KEY}; auto takes PyMC's sampler")
    if problems:
        raise SpecError(f"{'; '.join(problems)}. Leave out one or the other.", problems)


def _require_transform(name: str, panel: xr.Dataset, inputs: ModelInputs) -> None:
    """Refuse a transform that does not give usable output on the real media."""
    from tasks.models.mmm.own_trial import try_out

    scaled = np.moveaxis(scale_media(panel, inputs.scales), 1, 0)
    problems = try_out(find_transform(name), scaled)
    if problems:
        raise SpecError("\n".join(problems), problems)


def _n_shape_parameters(channel: ChannelTransforms) -> int:
    families = (channel.adstock_parameters, channel.saturation_parameters)
    return sum(len(names) for names in (*families, channel.transform_parameters))


MMM = MmmModelKind()
