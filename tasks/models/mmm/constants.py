"""Everything that is fixed once a panel is given: data, priors, coordinates of the sampler.

The graph, the compiled kernel and the derivation of published draws read this and nothing else, so
they describe one and the same posterior.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, DATE_DIM, ENTITY_DIM, TERM_DIM
from schemas.spec.model import Likelihood
from schemas.spec.ridge import Pooling
from tasks.mathematics.panel import IS_ESTIMATION, observed_of
from tasks.models.contract import ModelInputs
from tasks.models.linear import linear_design, linear_terms
from tasks.models.mmm import table
from tasks.models.mmm.design import MediaDesign, media_design
from tasks.models.mmm.geometry import TypicalShares, resolve
from tasks.models.mmm.lift import LiftDesign, lift_design
from tasks.models.mmm.parameters import ParameterTable
from tasks.models.mmm.priors import share_priors
from tasks.models.mmm.unit_response import trend_basis

SAFE = 1e-12
"""Floor under a mean shape: a channel that is off divides by it."""
BASELINE_SOFTNESS = 0.02
"""Width of the soft constraint at a baseline of zero, as a share of the mean KPI."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class FitConstants:
    """Data and settings of one posterior, in units of scaled KPI and scaled media."""

    media: MediaDesign
    """Over every period of the panel; the carryover periods warm up."""
    window: NDArray[np.bool_]
    """Fitted periods, ``(date,)``: the last ones of the panel."""
    kpi: Array
    """``(entity, fitted date)``, zero where an entity was not open."""
    observed: NDArray[np.bool_]
    """``(entity, fitted date)``: from an entity's opening to its closing, without a gap."""
    kpi_mean: Array
    """``(entity,)``: what a share is a share of; the mean size of a KPI of both signs."""
    design: Array
    """Linear terms ``(entity, term, fitted date)``."""
    term_signs: Array
    """``(term,)``: stated sign of each coefficient, 0 where it is free."""
    by_share: NDArray[np.bool_]
    """``(channel,)``: prior stated on share or ROAS, not on the plain coefficient."""
    active: Array
    """``(channel, entity)``: 1 where the channel has any input, else 0."""
    relative: Array
    """``(channel, entity)``: what an entity's size is known to be in units of the channel's; 1 but
    where one size speaks for all entities."""
    curve: Array
    """Basis of the media curve ``(basis, fitted date)``, empty where media do not vary."""
    lift: LiftDesign
    """Lift tests, often none."""
    table: ParameterTable
    student_t: bool
    autocorrelated: bool
    """Noise is AR(1)."""
    non_negative_baseline: bool

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of channels, entities, terms and fitted periods."""
        return (len(self.media.names), self.kpi.shape[0], self.design.shape[1], self.kpi.shape[1])

    @property
    def reference(self) -> Array:
        """Signed unit of every size, ``(channel, entity)``: mean KPI, or 1 of a coefficient."""
        unit = np.where(self.by_share[:, None], self.kpi_mean, 1.0)
        return np.asarray(self.media.signs[:, None] * self.active * unit * self.relative)

    @property
    def starts(self) -> NDArray[np.intp]:
        """First fitted period of each entity, ``(entity,)``."""
        return np.argmax(self.observed, axis=1)

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Number of fitted periods of each entity, ``(entity,)``."""
        return self.observed.sum(axis=1)

    def mean(self, values: Array) -> Array:
        """Mean over the periods of each entity; ``values`` are ``(..., entity, date)``."""
        return own_mean(values, self.observed)

    def multiplier(self, samples: xr.Dataset) -> Array | None:
        """Media multiplier of draws over the fitted periods, ``(sample, date)``, if there is one.

        Parameters
        ----------
        samples
            With ``media_curve_scale (sample)`` and ``media_curve_weight (sample, basis)``.
        """
        if not len(self.curve):
            return None
        weights = samples["media_curve_weight"].to_numpy()
        sized = samples["media_curve_scale"].to_numpy()[:, None] * weights
        growth = np.exp(sized @ self.curve)
        return np.asarray(growth / growth.mean(axis=-1, keepdims=True))


def own_mean(values: Array, observed: NDArray[np.bool_]) -> Array:
    """Mean over the periods in which an entity is open; ``values`` are ``(..., entity, date)``."""
    if observed.all():
        return np.asarray(values.mean(axis=-1))
    return np.asarray((values * observed).sum(axis=-1) / observed.sum(axis=-1))


def design_means(constants: FitConstants) -> Array:
    """Mean of every linear term over the periods of each entity, ``(entity, term)``."""
    return np.moveaxis(constants.mean(np.moveaxis(constants.design, 0, 1)), 0, 1)


def fit_constants(panel: xr.Dataset, inputs: ModelInputs) -> FitConstants:
    """Fix the posterior of one panel.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.

    Raises
    ------
    SpecError
        If a prior cannot be stated on this panel.
    """
    window = panel[IS_ESTIMATION].values
    scaled = (panel["kpi"] / inputs.scales["kpi_scale"]).transpose(ENTITY_DIM, DATE_DIM).to_numpy()
    observed = np.ascontiguousarray(observed_of(panel)[:, window])
    kpi = np.where(observed, scaled[:, window], 0.0)
    own = np.where(observed, kpi, np.nan)
    media = media_design(panel, inputs)
    design = np.ascontiguousarray(linear_design(panel, inputs)[:, :, window])
    shares = share_priors(panel, inputs)
    terms = linear_terms(inputs)
    signs = np.array([float(term.sign) for term in terms])
    relative = np.array([term.relative_sd for term in terms])
    typical = TypicalShares(shares.typical[:, None] * np.exp(shares.pressure), shares.follows)
    resolution = resolve(media, window, own, design, typical)
    curve = _curve(inputs, int(window.sum()))
    student_t = inputs.metadata.likelihood is Likelihood.STUDENT_T
    autocorrelated = bool(inputs.metadata.autocorrelated_noise)
    peaks = np.maximum(media.values.max(axis=(1, 2)), SAFE)
    pooling = inputs.metadata.pooling or Pooling.PARTIAL
    shape_entries, shape_coords = table.media_entries(media, peaks)
    entries = [
        *shape_entries,
        *table.effect_entries(shares, resolution, pooling),
        *table.media_trend_entries(len(curve)),
        *table.level_entries(own),
        *table.linear_entries(design, own, table.TermPriors(signs, relative), resolution, pooling),
        *table.noise_entries(own, student_t=student_t, autocorrelated=autocorrelated),
    ]
    coords = {
        ENTITY_DIM: panel[ENTITY_DIM].values,
        CHANNEL_DIM: list(media.names),
        TERM_DIM: [term.name for term in terms],
        table.CURVE_DIM: range(len(curve)),
        **shape_coords,
    }
    return FitConstants(
        media=media,
        window=window,
        kpi=kpi,
        observed=observed,
        kpi_mean=own_mean(np.abs(kpi) if (kpi < 0).any() else kpi, observed),
        design=design,
        term_signs=signs,
        by_share=shares.by_share,
        active=(media.values.sum(axis=-1) > 0).astype(float),
        relative=np.exp(shares.pressure * (pooling is Pooling.COMPLETE)),
        curve=curve,
        lift=lift_design(panel, inputs),
        table=table.make_table(entries, coords),
        student_t=student_t,
        autocorrelated=autocorrelated,
        non_negative_baseline=bool(inputs.metadata.non_negative_baseline),
    )


def _curve(inputs: ModelInputs, n_periods: int) -> Array:
    """Basis of the media curve over the fitted periods."""
    curve = inputs.metadata.media_curve
    if curve is None:
        return np.zeros((0, n_periods))
    first = inputs.metadata.n_carryover_periods
    return trend_basis(first + np.arange(n_periods, dtype=float), curve)
