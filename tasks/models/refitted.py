"""What kinds share whose draws are refits to resampled data, and no posterior.

They have no prior, a geometric carryover and a Hill curve of their own, and normal noise that is
independent from period to period.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.errors import SamplingError, SpecError
from schemas.names import CHANNEL_DIM, ENTITY_DIM, SAMPLE_DIM
from schemas.spec.base import SpecModel
from schemas.spec.channels import AdstockKind, AdstockSpec, SaturationKind, SaturationSpec
from schemas.spec.roles import ChannelRole
from schemas.spec.run_spec import RunSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.base import DrawsModel
from tasks.models.kind import Kind, Watch

Array = NDArray[np.float64]


class RefittedKind(Kind):
    """A kind without a prior: what a spec may say to it, and how its draws are checked."""

    has_prior = False

    @abstractmethod
    def own_block(self, spec: RunSpec) -> SpecModel:
        """Return the block of the run spec that is this kind's alone."""

    def settings(self, spec: RunSpec) -> dict[str, Any]:
        """Seasons, trend and events, and its own block.

        Raises
        ------
        SpecError
            If the spec states what this kind would have to ignore.
        """
        ignored = _ignored(spec)
        if ignored:
            raise SpecError(
                f"{'; '.join(ignored)}: kind {self.name} does not know this; leave it out, or set "
                "model.kind to mmm",
                ignored,
            )
        own = self.own_block(spec).model_dump(mode="json")
        return {**super().settings(spec), "kind_settings": own}

    def channel_settings(self, channel: ChannelRole, spec: RunSpec) -> dict[str, Any]:
        """Geometric carryover over ``l_max`` lags, and a Hill curve."""
        del channel
        return {
            "adstock": AdstockSpec(l_max=spec.model.adstock.l_max),
            "saturation": SaturationSpec(),
        }


class RefittedModel(DrawsModel):
    """Draws of one fit of such a kind; subclasses say which variables hold what."""

    additive = True
    noise: ClassVar[str]
    """Variable of the standard deviation, KPI units over the entity's scale, per entity."""
    effect: ClassVar[str]
    """Variable of a channel's size, per entity and channel."""

    @abstractmethod
    def _channel(self, channel: str, panel: xr.Dataset) -> Array:
        """Contribution of a channel, KPI units, ``(sample, entity, date)``."""

    def incremental(self, channel: str, panel: xr.Dataset) -> Array:
        """The channel's contribution: nothing else moves with it."""
        return self._channel(channel, panel)

    def sample_kpi(
        self, panel: xr.Dataset, expected: Array, *, seed: int, before: Array | None = None
    ) -> Array:
        """Normal noise, independent from period to period."""
        del before
        noise = np.random.default_rng(seed).standard_normal(expected.shape)
        return expected + self._sigma(panel) * noise

    def log_likelihood(self, panel: xr.Dataset, expected: Array) -> Array:
        """Normal log density."""
        sigma = self._sigma(panel)
        z = (panel["kpi"].to_numpy()[None] - expected) / sigma
        return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))

    def innovations(self, panel: xr.Dataset, expected: Array) -> Array:
        """Residuals as they are."""
        return np.asarray(panel["kpi"].to_numpy()[None] - expected)

    def effect_draws(self, channel: str) -> tuple[Array, Array]:
        """Draws of its size, summed over entities; without a prior there is no score."""
        sizes = self._samples[self.effect].sel({CHANNEL_DIM: channel}).sum(ENTITY_DIM)
        draws = sizes.transpose(SAMPLE_DIM).to_numpy()
        return draws, np.zeros_like(draws)

    def _of_entities(self, name: str, panel: xr.Dataset) -> Array:
        """Draws of a variable for the entities of a panel, ``(sample, entity, ...)``."""
        values = self._samples[name].sel({ENTITY_DIM: panel[ENTITY_DIM].values})
        return np.asarray(values.transpose(SAMPLE_DIM, ENTITY_DIM, ...).to_numpy())

    def _scale(self, panel: xr.Dataset) -> Array:
        scale = self._inputs.scales["kpi_scale"].sel({ENTITY_DIM: panel[ENTITY_DIM].values})
        return np.asarray(scale.to_numpy()[:, None])

    def _sigma(self, panel: xr.Dataset) -> Array:
        return np.asarray(self._of_entities(self.noise, panel)[:, :, None] * self._scale(panel))


def no_media(panel: xr.Dataset) -> list[str]:
    """Say that the fitted periods have no media at all; nothing where they have some."""
    fitted = panel["media"].isel(date=panel[IS_ESTIMATION].to_numpy())
    if bool((fitted > 0).any()):
        return []
    return [
        "no channel has any spend or activity in the fitted periods, so there is nothing to "
        "learn from; name other channels, or fit more history"
    ]


def share_reporter(watch: Watch) -> Callable[[float], None]:
    """Return what tells the finished share of a fit; there are no divergences to tell."""

    def report(share: float) -> None:
        if watch.progress is not None:
            watch.progress(share, 0)

    return report


def refuse_what_is_no_number(posterior: xr.Dataset, what: str) -> None:
    """Refuse draws that are not finite.

    Parameters
    ----------
    posterior
        Draws of all variables.
    what
        Whose numbers they are, with its verb: "the ridge has coefficients".

    Raises
    ------
    SamplingError
        If a draw is infinite or no number.
    """
    if not all(np.isfinite(values).all() for values in posterior.data_vars.values()):
        raise SamplingError(
            f"{what} that are no numbers; look for inputs or a KPI that are many orders of "
            "magnitude larger in one period than in all others"
        )


def _ignored(spec: RunSpec) -> list[str]:
    model = spec.model
    found = [
        f"prior of channel {channel.name!r}" for channel in spec.channels or [] if channel.prior
    ]
    for name in ("media_share", "share_spread"):
        if getattr(model, name) is not None:
            found.append(f"model.{name}")
    if model.adstock.kind is not AdstockKind.GEOMETRIC:
        found.append(f"model.adstock.kind {model.adstock.kind} (it has geometric)")
    if model.saturation.kind is not SaturationKind.HILL or model.saturation.before_adstock:
        found.append("model.saturation (it has hill after adstock)")
    return found
