"""What a model kind declares, and all that the rest of the product asks of it.

A kind is one folder with one subclass of ``Kind`` and one line in ``registry``. The defaults here
are those of a kind that learns nothing about a channel's transforms from the spec and leaves no
files of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import EventDays, EventUnit, FeatureMetadata
from schemas.documents.retries import SamplingGate
from schemas.names import DATE_DIM, ENTITY_DIM, Artifact
from schemas.outcomes import GateOutcome
from schemas.spec.baseline import EventSpec
from schemas.spec.kinds import KindSpec
from schemas.spec.roles import ChannelRole
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.spend import effective_spend
from tasks.models.contract import FittedModel, ModelInputs

Progress = Callable[[float, int], None]
"""Called with the finished share of all draws, in [0, 1], and the divergences so far."""

_ARRAYS_AT_ONCE = 4
"""Arrays ``(sample, entity, date)`` that the split of the KPI holds together: the expected KPI, one
component, its sorted copy, and noise."""


class Watch(NamedTuple):
    """Means of a fit that decide nothing about its result."""

    cores: int = 1
    """Chains, or other parts of the work, that run at once."""
    progress: Progress | None = None
    show_bar: bool = False
    """Draw a progress bar on stderr."""


@dataclass
class Sampled:
    """Draws and what they cost."""

    tree: xr.DataTree
    """Group ``posterior`` with dims ``(chain, draw, ...)``; of MCMC also ``sample_stats``."""
    backend: str
    """What drew them, as ``model_metadata.json`` names it."""
    wall_seconds: dict[str, float] = field(default_factory=dict)
    """By step, such as ``build``, ``compile``, ``sample``; their sum is the time of the fit."""


class Kind(ABC):
    """One kind of model."""

    spec: ClassVar[KindSpec]
    """Its name, and what a run spec may say to it."""
    sampling_gates: ClassVar[frozenset[SamplingGate]] = frozenset()
    """Gates that judge how it was sampled; none where no chain has to converge."""
    files: ClassVar[tuple[Artifact, ...]] = ()
    """Artifacts that it adds to those of every run, see ``extra_files``."""
    refuses_unseen_terms: ClassVar[bool] = True
    """A season or an event that the fitted history does not show is refused before the fit."""

    fits_ragged_panels: ClassVar[bool] = False
    """It fits an entity on the periods that it has; otherwise a ragged panel is refused."""

    has_prior: ClassVar[bool] = True
    """Its draws are of a posterior: evidence is weighed against a prior, a channel can be
    *prior-driven*, and PSIS-LOO holds. Without one none of this applies."""

    learns_shapes: ClassVar[bool] = False
    """Carryover and curves have priors that ``model.choose`` may take otherwise."""

    libraries: ClassVar[tuple[str, ...]] = ()
    """Libraries that it needs beside those of every installation; their versions are recorded."""

    @property
    def name(self) -> str:
        """Name in specs and documents."""
        return self.spec.name

    # Before the fit: features.

    def settings(self, spec: RunSpec) -> dict[str, Any]:
        """Fields of ``FeatureSettings`` that the spec settles: seasons, trend, events, own ones.

        What no field is there for goes into ``kind_settings``.
        """
        return {
            "harmonics": spec.model.yearly_seasonality,
            "trend": spec.model.trend,
            "events": [_stated_event(event) for event in spec.model.events],
        }

    def channel_settings(self, channel: ChannelRole, spec: RunSpec) -> dict[str, Any]:
        """Fields of ``ChannelFeatures`` that it needs beside the columns."""
        del channel, spec
        return {}

    def facts(self, panel: xr.Dataset, inputs: ModelInputs, spec: RunSpec) -> dict[str, Any]:
        """Fields of ``FeatureMetadata`` that the panel settles.

        Raises
        ------
        SpecError
            If the spec asks for what this panel cannot tell.
        """
        del panel, inputs, spec
        return {}

    def scales(self, panel: xr.Dataset, metadata: FeatureMetadata) -> xr.Dataset:
        """Scales of its own features, merged into those of KPI, media and controls."""
        del panel, metadata
        return xr.Dataset()

    def columns(self, panel: xr.Dataset, inputs: ModelInputs) -> dict[str, NDArray[np.float64]]:
        """Columns of its own for ``features.parquet``, ``(entity * date,)`` each."""
        del panel, inputs
        return {}

    @abstractmethod
    def count_parameters(self, metadata: FeatureMetadata) -> int:
        """Number of free parameters, for the rows-per-parameter gate."""

    @abstractmethod
    def longest_carryover(self, metadata: FeatureMetadata) -> int:
        """Largest number of lags of any channel, lag 0 included, ``>= 1``."""

    # The fit.

    def drawn(self, metadata: FeatureMetadata, settings: SamplerSpec) -> SamplerSpec:
        """Return the settings with the chains and draws that a fit of this kind ends up with."""
        del metadata
        return settings

    def memory_bytes(
        self, panel: xr.Dataset, metadata: FeatureMetadata, settings: SamplerSpec
    ) -> int:
        """Memory that draws and what is made of them take at most, libraries left out."""
        cells = panel.sizes[ENTITY_DIM] * panel.sizes[DATE_DIM]
        return self.draws_bytes(
            n_cells=cells, n_parameters=metadata.n_parameters, settings=settings
        )

    def draws_bytes(self, *, n_cells: int, n_parameters: int, settings: SamplerSpec) -> int:
        """Return ``memory_bytes`` of a panel of which no more than its size is known.

        Parameters
        ----------
        n_cells
            Entities times periods.
        n_parameters
            Free parameters.
        settings
            Chains and draws.
        """
        numbers = n_parameters + _ARRAYS_AT_ONCE * n_cells
        return 8 * settings.chains * settings.draws * numbers

    def predict_prior(self, panel: xr.Dataset, inputs: ModelInputs, *, seed: int) -> dict[str, Any]:
        """Return ``prior_predictive.json``: effective spend, and what is believed of channels."""
        del inputs, seed
        return {"channels": effective_spend(panel)}

    def draw_prior(
        self, panel: xr.Dataset, inputs: ModelInputs, n_draws: int, *, seed: int
    ) -> xr.Dataset | None:
        """Draw from the priors, named and shaped as a fit's draws; None without such draws.

        Dims ``(chain, draw, ...)``, one chain.
        """
        del panel, inputs, n_draws, seed
        return None

    @abstractmethod
    def fit(
        self, panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec, watch: Watch
    ) -> Sampled:
        """Fit one panel.

        Parameters
        ----------
        panel
            As ``tasks.mathematics.panel.build_panel`` makes it.
        inputs
            Feature metadata and scales.
        settings
            Draws, chains, seed, backend; the same ones give the same draws, bit for bit.
        watch
            Cores and progress.

        Raises
        ------
        SamplingError
            If there are no draws, or draws that are no numbers; the message says what to do.
        """

    # After the fit.

    @abstractmethod
    def open(self, draws: xr.Dataset, inputs: ModelInputs) -> FittedModel:
        """Return what draws say, dims ``(chain, draw, ...)``, of a fit of these inputs."""

    def judge(self, draws: xr.Dataset) -> list[GateOutcome]:
        """Judge by gates of its own, REVIEW at worst; they count like every fit gate.

        Parameters
        ----------
        draws
            Group ``posterior`` of the fit, with its attributes.
        """
        del draws
        return []

    def why_withheld(self, draws: xr.Dataset) -> str | None:
        """Say why no plan may be followed that was made with a fit; None where one may be."""
        del draws
        return None

    def why_no_champion(self, spec: RunSpec) -> str | None:
        """Say why no run of this spec becomes champion by itself; None where one may.

        The sentence goes on after "registered as challenger:". A person may still accept the run.
        """
        del spec
        return None

    def extra_files(
        self, draws: xr.Dataset, panel: xr.Dataset, inputs: ModelInputs
    ) -> dict[Artifact, Callable[[Path], None]]:
        """Artifacts of its own, each with what writes it to a path; names are among ``files``."""
        del draws, panel, inputs
        return {}


def _stated_event(event: EventSpec) -> EventDays:
    return EventDays(name=event.name, unit=EventUnit.SHARE, dates=event.days, known_until=None)
