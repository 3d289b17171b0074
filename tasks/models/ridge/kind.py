"""What kind ``ridge`` declares."""

import time
from typing import Any

import numpy as np
import xarray as xr

from schemas.documents.features import FeatureMetadata
from schemas.errors import SpecError
from schemas.names import CHANNEL_DIM, ENTITY_DIM, TERM_DIM
from schemas.spec.kinds import KINDS, ModelKind
from schemas.spec.ridge import Pooling, RidgeSpec
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.mathematics.scaling import scale_media
from tasks.models.contract import ModelInputs
from tasks.models.kind import Sampled, Watch
from tasks.models.linear import describe_terms
from tasks.models.pooling import effective_pooling
from tasks.models.refitted import (
    RefittedKind,
    no_media,
    refuse_what_is_no_number,
    share_reporter,
)
from tasks.models.ridge import names
from tasks.models.ridge.bootstrap import Bootstrap, Draw
from tasks.models.ridge.candidates import make_columns
from tasks.models.ridge.custom import find_transform, try_out
from tasks.models.ridge.design import GROUPS, build_design, media_transforms, read_settings
from tasks.models.ridge.fitted import RidgeFitted
from tasks.models.ridge.search import search_widely

PERIODS_PER_FOLD = 8
"""Fitted periods that each fold needs: half of all are fitted before the first one is scored."""


class RidgeKind(RefittedKind):
    """Ridge regression on carryover and saturation found by cross-validation."""

    spec = KINDS[ModelKind.RIDGE]

    def own_block(self, spec: RunSpec) -> RidgeSpec:
        """Return ``model.ridge``."""
        return spec.model.ridge

    def facts(self, panel: xr.Dataset, inputs: ModelInputs, spec: RunSpec) -> dict[str, Any]:
        """Nothing; a panel that cannot be cross-validated, or has no media, is refused here.

        So is a transform that the spec names, where it does with these media what none may do.
        """
        problems = [
            *_too_short(panel, spec),
            *no_media(panel),
            *_transform_problems(panel, inputs),
        ]
        if problems:
            raise SpecError("; ".join(problems), problems)
        return {}

    def count_parameters(self, metadata: FeatureMetadata) -> int:
        """Transforms once, coefficients once or per entity, a level and a noise of each entity."""
        shapes = sum(len(transform.grids) for transform in media_transforms(metadata))
        n_entities = len(metadata.entities)
        pooling = effective_pooling(read_settings(metadata).pooling, n_entities)
        coefficients = len(metadata.channels) + len(describe_terms(metadata))
        n_sets = 1 if pooling is Pooling.COMPLETE else n_entities
        return shapes + n_sets * coefficients + 2 * n_entities

    def longest_carryover(self, metadata: FeatureMetadata) -> int:
        """Lags of the geometric weights; none where the only decay is 0."""
        settings = read_settings(metadata)
        if settings.transform is None and settings.decay == [0.0]:
            return 1
        return max(transform.n_lags for transform in media_transforms(metadata))

    def fit(
        self, panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec, watch: Watch
    ) -> Sampled:
        """Search hyperparameters, then draw by the bootstrap."""
        started = time.perf_counter()
        own, design = read_settings(inputs.metadata), build_design(panel, inputs)
        columns = make_columns(design, own.folds)
        chosen = search_widely(design, own, columns)
        searched = time.perf_counter()

        draws = Bootstrap(design, own, columns, chosen).draw(
            settings.chains * settings.draws, seed=settings.random_seed, watch=share_reporter(watch)
        )
        posterior = _publish(draws, panel, inputs, settings)
        refuse_what_is_no_number(posterior, "the ridge has coefficients")
        wall = {"search": searched - started, "sample": time.perf_counter() - searched}
        tree = xr.DataTree.from_dict({"posterior": posterior})
        return Sampled(tree, "block bootstrap", wall)

    def open(self, draws: xr.Dataset, inputs: ModelInputs) -> RidgeFitted:
        """Return what the draws say."""
        return RidgeFitted(draws, inputs)


def _too_short(panel: xr.Dataset, spec: RunSpec) -> list[str]:
    own, n_fitted = spec.model.ridge, int(panel[IS_ESTIMATION].sum())
    needed = PERIODS_PER_FOLD * own.folds
    if n_fitted >= needed:
        return []
    most = n_fitted // PERIODS_PER_FOLD
    fewer = f"set model.ridge.folds to {most}, or " if most >= 2 else ""
    return [
        f"model.ridge.folds = {own.folds} needs {needed} fitted periods, there are {n_fitted}; "
        f"{fewer}fit more history"
    ]


def _transform_problems(panel: xr.Dataset, inputs: ModelInputs) -> list[str]:
    name = read_settings(inputs.metadata).transform
    if name is None:
        return []
    scaled = np.moveaxis(scale_media(panel, inputs.scales), 1, 0)
    return try_out(find_transform(name), scaled, name)


def _publish(
    draws: list[Draw], panel: xr.Dataset, inputs: ModelInputs, settings: SamplerSpec
) -> xr.Dataset:
    """Return draws as a posterior, dims ``(chain, draw, ...)``."""
    metadata = inputs.metadata
    n_channels, lead = len(metadata.channels), ("chain", "draw")
    labels = [
        label
        for channel, transform in zip(
            metadata.channel_names, media_transforms(metadata), strict=True
        )
        for label in names.hyperparameter_labels(channel, transform)
    ]
    coefficients = np.array([draw.coefficients for draw in draws])
    variables: dict[str, tuple[tuple[str, ...], Any]] = {
        names.COEFFICIENT: ((ENTITY_DIM, CHANNEL_DIM), coefficients[..., :n_channels]),
        names.LINEAR: ((ENTITY_DIM, TERM_DIM), coefficients[..., n_channels:]),
        names.LEVEL: ((ENTITY_DIM,), [draw.level for draw in draws]),
        names.SIGMA: ((ENTITY_DIM,), [draw.sigma for draw in draws]),
        names.HYPERPARAMETER: (
            (names.HYPERPARAMETER_DIM,),
            [np.concatenate(draw.chosen.media) for draw in draws],
        ),
        names.PENALTY: ((names.PENALTY_DIM,), [draw.chosen.penalty for draw in draws]),
    }
    if (
        effective_pooling(read_settings(metadata).pooling, len(metadata.entities))
        is not Pooling.COMPLETE
    ):
        variables[names.STRENGTH] = ((), [draw.strength for draw in draws])
    shape = (settings.chains, settings.draws)
    return xr.Dataset(
        {
            name: ((*lead, *dims), np.asarray(values, float).reshape(*shape, *np.shape(values)[1:]))
            for name, (dims, values) in variables.items()
        },
        coords={
            ENTITY_DIM: panel[ENTITY_DIM].values,
            CHANNEL_DIM: metadata.channel_names,
            TERM_DIM: [term.name for term in describe_terms(metadata)],
            names.HYPERPARAMETER_DIM: labels,
            names.PENALTY_DIM: list(GROUPS),
        },
    )


RIDGE = RidgeKind()
