"""Data of one posterior as the two flat buffers that the kernel reads.

The compiled function gets one pointer; behind it stand an integer and a floating-point buffer. The
integer buffer starts with a header, which says where every array of ``codes`` begins.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.models.mmm.constants import BASELINE_SOFTNESS, FitConstants, design_means
from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.prior_arrays import Priors, prior_arrays
from tasks.models.mmm.parameters import PooledParameter
from tasks.models.mmm.table import COMMON_RETURN

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Buffers(NamedTuple):
    """What the kernel reads."""

    ints: Ints
    floats: Floats
    pointer: NDArray[np.uint64]
    """Addresses and lengths of both; its own address is what the kernel is given."""


class Preconditioner(NamedTuple):
    """Coordinates ``u`` of the sampler: the model's point is ``origin + factor @ u``."""

    origin: Floats
    factor: Floats
    """Lower triangular ``(n, n)``, or the diagonal ``(n,)``."""


def pack(constants: FitConstants, preconditioner: Preconditioner | None = None) -> Buffers:
    """Write the data of one posterior into buffers, the preconditioner last."""
    padded, start = _padded_media(constants)
    priors, groups, lift = prior_arrays(constants), _groups(constants), _lift(constants)
    ints = _int_arrays(constants, priors, groups, lift)
    floats = _float_arrays(constants, priors, groups, lift)
    floats += [padded, *(preconditioner or (np.zeros(0), np.zeros(0)))]
    sizes = _sizes(constants, padded.shape[-1], start, lift, preconditioner)
    work = _work_sizes(sizes)
    begins = [
        at.HEADER_SIZE + _begins([array.size for array in ints]),
        _begins([array.size for array in floats]),
        _begins(work),
    ]
    header = np.concatenate([sizes, *begins])
    header[at.H_WORK] = sum(work)
    packed_ints = np.concatenate([header, *(np.ravel(a) for a in ints)]).astype(np.int64)
    packed_floats = np.concatenate([np.ravel(a) for a in floats]).astype(float)
    addresses = [
        packed_ints.ctypes.data,
        packed_ints.size,
        packed_floats.ctypes.data,
        packed_floats.size,
    ]
    return Buffers(packed_ints, packed_floats, np.array(addresses, dtype=np.uint64))


def _int_arrays(
    constants: FitConstants, priors: "Priors", groups: "_Groups", lift: "_Lift"
) -> list[Ints]:
    """Arrays of the integer buffer behind its header, as ``codes`` orders them."""
    return [
        priors.codes,
        _channels(constants),
        _cells(constants, "log_share", entity_axis=1),
        _cells(constants, _gamma_name(constants), entity_axis=0),
        groups.positions,
        lift.segments,
        lift.dates,
        constants.starts,
        constants.lengths,
    ]


def _float_arrays(
    constants: FitConstants, priors: "Priors", groups: "_Groups", lift: "_Lift"
) -> list[Floats]:
    """Arrays of the floating-point buffer before the media, as ``codes`` orders them."""
    means = design_means(constants)
    return [
        np.array([priors.log_constant]),
        priors.first,
        priors.second,
        groups.weights,
        groups.units,
        groups.offsets,
        constants.reference,
        constants.term_signs,
        means,
        BASELINE_SOFTNESS * constants.kpi_mean,
        constants.curve,
        lift.tests,
        lift.scale,
        lift.before,
        lift.after,
        _from_own_start(constants, constants.kpi),
        _from_own_start(constants, constants.design - means[..., None]),
    ]


def _begins(sizes: list[int]) -> Ints:
    return np.cumsum([0, *sizes[:-1]], dtype=np.int64)


def _work_sizes(sizes: Ints) -> list[int]:
    """Sizes of the arrays that one evaluation works in, as ``codes`` orders them."""
    n_dim, n_channels, n_entities = sizes[[at.H_DIM, at.H_CHANNELS, at.H_ENTITIES]]
    n, n_padded, n_lags = sizes[[at.H_PERIODS, at.H_PADDED, at.H_LAGS]]
    n_values = n_dim + sizes[at.H_GROUPS] * n_entities
    parameters = [n_values, n_values, n_dim, n_dim, n_dim]
    weights = [n_channels * n_lags, 2 * n_channels * n_lags, n_channels * n_lags]
    responses = [n_channels * n, n_channels * n_padded, n_channels * n_padded]
    cells = [n_channels, n_channels, n_channels * n_entities, sizes[at.H_TERMS]]
    series = [n_padded] * 6
    last = [sizes[at.H_TESTS] + 2 * sizes[at.H_SEGMENTS], n]
    return [int(s) for s in (*parameters, *weights, n, n, *responses, *cells, *series, *last)]


class _Lift(NamedTuple):
    """Segments ``(segment, [test, channel, entity, first period])`` and what belongs to them."""

    segments: Ints
    dates: Ints
    tests: Floats
    scale: Floats
    before: Floats
    after: Floats


def _lift(constants: FitConstants) -> _Lift:
    """Segments of lift tests with zeros in front, so that every lag has a period to look at."""
    design, lead = constants.lift, constants.media.n_lags - 1
    first = int(np.argmax(constants.window))
    columns = [design.test, design.channel, design.entity, design.first + lead]
    return _Lift(
        segments=np.stack(columns, axis=1),
        dates=np.maximum(np.pad(design.date, ((0, 0), (lead, 0))) - first, 0),
        tests=np.stack([design.delta_kpi, design.standard_error], axis=1),
        scale=design.kpi_scale,
        before=np.pad(design.baseline, ((0, 0), (lead, 0))),
        after=np.pad(design.changed, ((0, 0), (lead, 0))),
    )


def _sizes(
    constants: FitConstants,
    n_padded: int,
    start: int,
    lift: _Lift,
    preconditioner: Preconditioner | None,
) -> Ints:
    offsets = constants.table.offsets()
    header = np.zeros(at.SIZES, dtype=np.int64)
    header[at.H_DIM] = constants.table.size
    header[[at.H_CHANNELS, at.H_ENTITIES, at.H_TERMS, at.H_PERIODS]] = constants.shape
    header[at.H_PADDED], header[at.H_START] = n_padded, start
    pooled = [e for e in constants.table.entries if isinstance(e, PooledParameter)]
    header[at.H_GROUPS] = sum(len(entry.unit) for entry in pooled)
    header[at.H_TREND_SCALE] = offsets.get("media_curve_scale", at.ABSENT)
    header[at.H_TREND_WEIGHT] = offsets.get("media_curve_weight", at.ABSENT)
    header[at.H_BASIS] = len(constants.curve)
    header[at.H_TESTS] = len(lift.tests)
    header[[at.H_SEGMENTS, at.H_SEGMENT_PERIODS]] = lift.before.shape
    header[at.H_LEVEL], header[at.H_SIGMA] = offsets["level"], offsets["y_sigma"]
    header[at.H_NU] = offsets.get("y_nu", at.ABSENT)
    header[at.H_RHO] = offsets.get("y_rho", at.ABSENT)
    header[at.H_COMMON] = offsets.get(COMMON_RETURN, at.ABSENT)
    if COMMON_RETURN in constants.table:
        header[at.H_COMMONS] = int(np.prod(constants.table[COMMON_RETURN].shape))
    header[at.H_SOFT_BASELINE] = constants.non_negative_baseline
    header[at.H_LAGS] = constants.media.n_lags
    header[at.H_PRECONDITIONER] = (
        at.NO_PRECONDITIONER if preconditioner is None else preconditioner.factor.ndim
    )
    return header


def _padded_media(constants: FitConstants) -> tuple[Floats, int]:
    """Media with what was before the first period, and the position of the first fitted one.

    The kernel counts the periods of an entity from its first fitted one.
    """
    lead = constants.media.n_lags - 1
    media = constants.media
    before = np.repeat(media.before[..., None], lead, axis=-1)
    padded = np.concatenate([before, media.values], axis=-1)
    padded = np.moveaxis(_from_own_start(constants, np.moveaxis(padded, 1, 0)), 0, 1)
    return padded, lead + int(np.argmax(constants.window))


def _from_own_start(constants: FitConstants, values: Floats) -> Floats:
    """Move each entity's series to its own first fitted period, zeros behind; entities first."""
    if constants.observed.all():
        return values
    moved = np.zeros_like(values)
    for entity, start in enumerate(constants.starts):
        moved[entity, ..., : values.shape[-1] - start] = values[entity, ..., start:]
    return moved


def _channels(constants: FitConstants) -> Ints:
    """One row of ``CHANNEL_FIELDS`` per channel."""
    media, offsets = constants.media, constants.table.offsets()
    rows = np.full((len(media.names), at.CHANNEL_FIELDS), at.ABSENT, dtype=np.int64)
    for index, channel in enumerate(media.transforms):
        rows[index, at.C_ADSTOCK] = at.ADSTOCK_CODES[channel.adstock.kind]
        rows[index, at.C_LAGS] = channel.n_lags
        rows[index, at.C_SATURATION] = at.SATURATION_CODES[channel.saturation.kind]
        rows[index, at.C_BEFORE] = channel.saturation.before_adstock
        rows[index, at.C_BY_SHARE] = constants.by_share[index]
        for family, names, field in (
            ("adstock", channel.adstock_parameters, at.C_ADSTOCK_1),
            ("saturation", channel.saturation_parameters, at.C_SATURATION_1),
        ):
            for position, name in enumerate(names):
                place = media.users(family, name).index(index)
                rows[index, field + position] = offsets[f"{family}_{name}"] + place
    return rows


def _gamma_name(constants: FitConstants) -> str:
    return "gamma_raw" if "gamma_raw" in constants.table else "gamma_linear"


def _cells(constants: FitConstants, name: str, *, entity_axis: int) -> Ints:
    """Position of every value of a parameter that may or may not have its own per entity."""
    n_entities = constants.kpi.shape[0]
    if name not in constants.table:
        return np.zeros((n_entities, 0), dtype=np.int64)
    entry = constants.table[name]
    if isinstance(entry, PooledParameter):
        n_groups = len(entry.unit)
        cells = _first_value(constants, name) + np.arange(n_groups * n_entities)
        cells = cells.reshape(n_groups, n_entities)
        return cells if entity_axis == 1 else cells.T
    cells = constants.table.offsets()[name] + np.arange(entry.first.size).reshape(entry.shape)
    if cells.ndim == 2:
        return cells
    one = np.expand_dims(cells, entity_axis)
    return np.repeat(one, n_entities, axis=entity_axis)


def _first_value(constants: FitConstants, name: str) -> int:
    """Position of a pooled parameter's values: behind all free parameters."""
    position = constants.table.size
    for entry in constants.table.entries:
        if entry.name == name:
            break
        if isinstance(entry, PooledParameter):
            position += len(entry.unit) * entry.n_entities
    return position


class _Groups(NamedTuple):
    """``positions (group, [first contrast, mean, spread, first value])``, and what goes with them.

    ``offsets`` are ``(group, entity)``, flat.
    """

    positions: Ints
    weights: Floats
    units: Floats
    offsets: Floats


def _groups(constants: FitConstants) -> _Groups:
    offsets = constants.table.offsets()
    positions = [np.zeros((0, 4), dtype=np.int64)]
    weights, units, known = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for entry in constants.table.entries:
        if not isinstance(entry, PooledParameter):
            continue
        group = np.arange(len(entry.unit))
        columns = [
            offsets[entry.name] + group * (entry.n_entities - 1),
            offsets[entry.mean] + group,
            offsets[entry.spread] + group,
            _first_value(constants, entry.name) + group * entry.n_entities,
        ]
        positions.append(np.stack(columns, axis=1))
        weights.append(entry.weight)
        units.append(entry.unit)
        known.append(entry.offset.ravel())
    floats = (np.concatenate(parts) for parts in (weights, units, known))
    return _Groups(np.concatenate(positions), *floats)
