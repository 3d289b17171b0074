"""The free parameters of one fit: which there are, and the prior of each."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.names import CHANNEL_DIM, ENTITY_DIM, TERM_DIM
from schemas.spec.ridge import Pooling
from tasks.mathematics.carryover import ADSTOCKS
from tasks.mathematics.saturation import SATURATIONS
from tasks.models.mmm import priors
from tasks.models.mmm.design import MediaDesign
from tasks.models.mmm.geometry import Estimates, Resolution, centering
from tasks.models.mmm.own_transform import FAMILY, OwnTransform
from tasks.models.mmm.parameters import (
    Entry,
    Parameter,
    ParameterTable,
    PooledParameter,
    PriorKind,
    SizeParameter,
    parameter,
)

COMMON_RETURN = "common_return"
"""Return of media in general, of which each channel has a multiple."""
CURVE_DIM = "curve_basis"
"""Basis functions of the media curve."""

_NAMES = {
    family: tuple(dict.fromkeys(name for t in transforms for name in t.parameters))
    for family, transforms in (
        ("adstock", ADSTOCKS.values()),
        ("saturation", SATURATIONS.values()),
    )
}
"""Parameters that any carryover or saturation has, each once, in the order of their tables."""
Entries = list[Entry]
Array = NDArray[np.float64]


def media_entries(media: MediaDesign, peaks: Array) -> tuple[Entries, dict[str, list[str]]]:
    """Carryover and saturation, once per channel that has the parameter.

    Parameters
    ----------
    media
        Channels and their transforms.
    peaks
        Largest input of each channel in scaled units, ``(channel,)``.

    Returns
    -------
    tuple
        Parameters, and the coordinates of the dims that only some channels have.
    """
    entries: Entries = []
    coords: dict[str, list[str]] = {}
    for family, names in _NAMES.items():
        for name in names:
            users = media.users(family, name)
            if not users:
                continue
            label = f"{family}_{name}"
            dim = CHANNEL_DIM if len(users) == len(media.transforms) else f"{label}_{CHANNEL_DIM}"
            if dim != CHANNEL_DIM:
                coords[dim] = [media.names[i] for i in users]
            entries.append(parameter(label, (dim,), *_prior(family, name, media, users, peaks)))
    own = media.transforms[0].own if media.transforms else None
    if own is not None:
        entries += [_own_entry(own, name, len(media.names)) for name in own.parameters]
    return entries, coords


def _own_entry(own: OwnTransform, name: str, n_channels: int) -> Parameter:
    """Parameter of a transform that all channels go through, one value each."""
    family, first, second = own.prior(name)
    return parameter(f"{FAMILY}_{name}", (CHANNEL_DIM,), family, np.full(n_channels, first), second)


def _prior(
    family: str, name: str, media: MediaDesign, users: list[int], peaks: Array
) -> tuple[PriorKind, Array, Array]:
    """Prior of one parameter, with its arguments for each channel that has it.

    Those of an input are relative to the largest one, whatever the scale was rounded to.
    """
    stated = [media.transforms[i].priors(family)[name] for i in users]
    powers = np.array([prior.peak_power for prior in stated])
    first = np.array([prior.first for prior in stated]) + powers * np.log(peaks[users])
    return PriorKind(stated[0].family), first, np.array([prior.second for prior in stated])


def effect_entries(shares: priors.SharePriors, resolution: Resolution, pooling: Pooling) -> Entries:
    """Common return, and log share per channel: pooled to the channel's mean, one, or each alone.

    Entities that are not pooled have a common return each: all that one learns is its own.
    """
    n_entities = resolution.share.values.shape[1]
    is_alone = pooling is Pooling.NONE and n_entities > 1
    entries: Entries = []
    if shares.follows.any():
        dims, shape = ((ENTITY_DIM,), (n_entities,)) if is_alone else ((), ())
        location, width = (np.full(shape, value) for value in shares.common)
        entries.append(parameter(COMMON_RETURN, dims, PriorKind.LOG_NORMAL, location, width))
    if is_alone:
        return [*entries, _size_entry("log_share", _alone(shares, n_entities), ENTITY_DIM)]
    if n_entities == 1 or pooling is Pooling.COMPLETE:
        return [*entries, _size_entry("log_share", shares)]
    unit = np.ones_like(shares.first)
    return entries + _pooled(
        "log_share",
        mean=_size_entry("log_share_mean", shares),
        spread=priors.ENTITY_SPREAD_PRIOR,
        unit=unit,
        resolved=(resolution.share, np.exp(priors.ENTITY_SPREAD_PRIOR[0])),
        group_axis=0,
        offset=shares.pressure,
    )


def _alone(shares: priors.SharePriors, n_entities: int) -> priors.SharePriors:
    """Priors of every channel in every entity, ``(channel, entity)``."""

    def in_each(values: Any) -> Any:
        return np.repeat(values[:, None], n_entities, axis=1)

    return replace(
        shares,
        first=in_each(shares.first) + shares.pressure,
        second=in_each(shares.second),
        is_gamma=in_each(shares.is_gamma),
        follows=in_each(shares.follows),
    )


def _size_entry(name: str, shares: priors.SharePriors, *more: str) -> Parameter | SizeParameter:
    dims = (CHANNEL_DIM, *more)
    if not shares.is_gamma.any():
        return parameter(name, dims, PriorKind.NORMAL, shares.first, shares.second)
    return SizeParameter(
        name,
        dims,
        shares.first,
        shares.second,
        shares.is_gamma,
        shares.follows,
        COMMON_RETURN,
    )


class TermPriors(NamedTuple):
    """What is believed of linear terms, ``(term,)`` each."""

    signs: Array
    """Stated sign, or 0."""
    relative_sd: Array
    """Prior standard deviation in units of ``LINEAR_SIGMA``."""


def linear_entries(
    design: Array,
    kpi: Array,
    terms: TermPriors,
    resolution: Resolution,
    pooling: Pooling,
) -> Entries:
    """Coefficients per unit of each term: pooled over entities, one of all, or each alone.

    Parameters
    ----------
    design
        ``(entity, term, date)``.
    kpi
        Scaled KPI ``(entity, date)``.
    terms
        What is believed of them.
    resolution
        What the data know.
    pooling
        Of the entities.

    Returns
    -------
    list
        A term with a stated sign is sampled as the logarithm of its size; where there is one, the
        block is called ``gamma_raw`` and the coefficients are derived from it.
    """
    if not design.shape[1]:
        return []
    unit, (signs, relative_sd) = coefficient_unit(design, kpi), terms
    signed = signs != 0
    name = "gamma_raw" if signed.any() else "gamma_linear"
    mu = np.where(signed, np.log(priors.SIGNED_MEDIAN * unit), 0.0)
    sigma = np.where(signed, priors.SIGNED_SPREAD, priors.LINEAR_SIGMA * relative_sd * unit)
    if kpi.shape[0] == 1 or pooling is Pooling.COMPLETE:
        return [parameter(name, (TERM_DIM,), PriorKind.NORMAL, mu, sigma)]
    if pooling is Pooling.NONE:
        cells = (np.tile(values, (kpi.shape[0], 1)) for values in (mu, sigma))
        return [parameter(name, (ENTITY_DIM, TERM_DIM), PriorKind.NORMAL, *cells)]
    location, scale = priors.LINEAR_SPREAD_PRIOR
    return _pooled(
        name,
        mean=parameter(f"{name}_mean", (TERM_DIM,), PriorKind.NORMAL, mu, sigma),
        spread=(location, scale),
        unit=np.where(signed, 1.0, relative_sd * unit),
        resolved=(resolution.gamma, np.exp(location) * unit),
        group_axis=1,
        offset=np.zeros((len(mu), kpi.shape[0])),
    )


def coefficient_unit(design: Array, kpi: Array) -> Array:
    """Standard deviation of the KPI per standard deviation of each term, ``(term,)``."""
    spread = design.std(axis=(0, 2))
    return np.asarray(np.nanstd(kpi, axis=-1).mean() / np.where(spread > 0, spread, 1.0))


def _pooled(
    name: str,
    *,
    mean: Parameter | SizeParameter,
    spread: tuple[float, float],
    unit: Array,
    resolved: tuple[Estimates, Array | float],
    group_axis: int,
    offset: Array,
) -> Entries:
    group_dim = mean.dims[0]
    dims = (group_dim, ENTITY_DIM) if group_axis == 0 else (ENTITY_DIM, group_dim)
    location, scale = (np.full(unit.shape, value) for value in spread)
    sizes = parameter(f"{name}_spread", (group_dim,), PriorKind.LOG_NORMAL, location, scale)
    contrasts = PooledParameter(
        name,
        dims,
        group_axis,
        resolved[0].values.shape[1],
        mean.name,
        sizes.name,
        unit,
        centering(*resolved),
        offset,
    )
    return [mean, sizes, contrasts]


def media_trend_entries(n_basis: int) -> Entries:
    """Size and weights of the media curve, where media vary over time."""
    if not n_basis:
        return []
    weights = parameter(
        "media_curve_weight", (CURVE_DIM,), PriorKind.NORMAL, np.zeros(n_basis), np.ones(n_basis)
    )
    return [
        parameter("media_curve_scale", (), PriorKind.LOG_NORMAL, *priors.MEDIA_TREND_PRIOR),
        weights,
    ]


def level_entries(kpi: Array) -> Entries:
    """Mean KPI per entity: known up to the noise of the mean, so a weak prior suffices."""
    spread = np.maximum(np.nanstd(kpi, axis=-1), 1e-3)
    return [parameter("level", (ENTITY_DIM,), PriorKind.NORMAL, np.nanmean(kpi, axis=-1), spread)]


def noise_entries(kpi: Array, *, student_t: bool, autocorrelated: bool) -> Entries:
    """Standard deviation of the noise per entity, the weight of its tails, what lasts of it."""
    spread = np.maximum(np.nanstd(kpi, axis=-1), 1e-3)
    entries: Entries = [
        parameter("y_sigma", (ENTITY_DIM,), PriorKind.HALF_NORMAL, spread, np.zeros_like(spread))
    ]
    if student_t:
        entries.append(parameter("y_nu", (), PriorKind.GAMMA, *priors.TAIL_PRIOR))
    if autocorrelated:
        first, second = (np.full(len(spread), value) for value in priors.AUTOCORRELATION_PRIOR)
        entries.append(parameter("y_rho", (ENTITY_DIM,), PriorKind.BETA, first, second))
    return entries


def make_table(entries: Entries, coords: dict[str, Any]) -> ParameterTable:
    """Return the table with its coordinates as plain lists."""
    return ParameterTable(tuple(entries), {k: [str(v) for v in c] for k, c in coords.items()})
