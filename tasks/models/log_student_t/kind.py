"""What kind ``log_student_t`` declares."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.spec.baseline import TrendKind, TrendSpec
from schemas.spec.kinds import KINDS, ModelKind
from schemas.spec.ridge import Pooling
from schemas.spec.run_spec import RunSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.models.contract import ModelInputs, Posterior
from tasks.models.linear import describe_terms
from tasks.models.log_student_t.design import (
    adstock_media,
    compute_media_scales,
    pooling_of,
    standardize_media,
    transform_media,
)
from tasks.models.log_student_t.fitted import LogStudentTFitted
from tasks.models.sampling import NutsKind


class LogStudentTPosterior:
    """What ``tasks.models.contract.Posterior`` asks for; there is no kernel of this kind."""

    def __init__(self, panel: xr.Dataset, inputs: ModelInputs) -> None:
        self._panel, self._inputs = panel, inputs

    def graph(self) -> Any:
        """Return the PyMC graph."""
        from tasks.models.log_student_t.graph import build_graph

        return build_graph(self._panel, self._inputs)

    def kernel(self) -> None:
        """Return nothing: the graph is sampled."""

    def publish(self, recorded: xr.Dataset) -> xr.Dataset:
        """Return the draws as they are."""
        return recorded


class LogStudentTKind(NutsKind):
    """A robust log-linear model on fixed carryover and saturation."""

    spec = KINDS[ModelKind.LOG_STUDENT_T]
    refuses_unseen_terms = False
    """Its priors hold what the history does not show."""

    def settings(self, spec: RunSpec) -> dict[str, Any]:
        """Seasons and trend as ``feature_config`` has them, and that block itself."""
        config, pooling = spec.features, spec.model.pooling
        trend = TrendKind.LINEAR if config.trend.enabled else TrendKind.NONE
        return {
            "harmonics": config.seasonality.K if config.seasonality.enabled else 0,
            "trend": TrendSpec(kind=trend),
            "feature_config": config,
            "pooling": None if pooling is Pooling.COMPLETE else pooling,
        }

    def scales(self, panel: xr.Dataset, metadata: FeatureMetadata) -> xr.Dataset:
        """Scales of the fixed transforms."""
        return compute_media_scales(panel, metadata, panel[IS_ESTIMATION].values)

    def columns(self, panel: xr.Dataset, inputs: ModelInputs) -> dict[str, NDArray[np.float64]]:
        """The numbers that enter the formula, and the steps to them."""
        metadata, scales = inputs.metadata, inputs.scales
        blocks = {
            "adstock": adstock_media(panel, metadata),
            "saturated": transform_media(panel, metadata, scales),
            "z": standardize_media(panel, metadata, scales),
        }
        return {
            f"{prefix}_{channel.input_column}": block[:, index].ravel()
            for prefix, block in blocks.items()
            for index, channel in enumerate(metadata.channels)
        }

    def count_parameters(self, metadata: FeatureMetadata) -> int:
        """Once what entities share, and once for each what they have alone."""
        effects = len(metadata.channels) + len(describe_terms(metadata))
        n_entities, pooling = len(metadata.entities), pooling_of(metadata)
        if pooling is Pooling.PARTIAL:  # common and own effects, spreads, levels and noise
            return effects * (2 + n_entities) + 2 * n_entities + 2
        return (effects + 4) * (n_entities if pooling is Pooling.NONE else 1)

    def longest_carryover(self, metadata: FeatureMetadata) -> int:
        """Lags of the fixed adstock, the same of every channel."""
        return metadata.fixed_transforms.adstock.max_lag + 1

    def load_posterior(self, panel: xr.Dataset, inputs: ModelInputs) -> Posterior:
        """Return the posterior; its libraries are imported when it is sampled."""
        return LogStudentTPosterior(panel, inputs)

    def open(self, draws: xr.Dataset, inputs: ModelInputs) -> LogStudentTFitted:
        """Return what the draws say."""
        return LogStudentTFitted(draws, inputs)


LOG_STUDENT_T = LogStudentTKind()
