"""Priors of every position of a point, as codes and parameters in arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

from tasks.models.mmm.constants import FitConstants
from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.parameters import Parameter, PooledParameter, PriorKind, SizeParameter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Priors(NamedTuple):
    """Prior of every position, and the sum of all normalizing constants."""

    codes: Ints
    first: Floats
    second: Floats
    log_constant: float


def prior_arrays(constants: FitConstants) -> Priors:
    """Return the priors of one posterior as the arrays that the compiled density reads."""
    codes, firsts, seconds = [], [], []
    n_cells = 0 if constants.student_t else int(constants.observed.sum())
    log_constant = -0.5 * np.log(2 * np.pi) * n_cells
    errors = constants.lift.standard_error
    log_constant -= float((np.log(errors) + 0.5 * np.log(2 * np.pi)).sum())
    for entry in constants.table.entries:
        size = int(np.prod(entry.shape))
        if isinstance(entry, PooledParameter):
            codes.append(np.full(size, at.POOLED))
            firsts.append(np.zeros(size))
            seconds.append(np.zeros(size))
            log_constant -= 0.5 * np.log(2 * np.pi) * size
            continue
        if isinstance(entry, SizeParameter):
            codes.append(_size_codes(entry).ravel())
        else:
            codes.append(np.full(size, at.PRIOR_CODES[entry.prior]))
        firsts.append(entry.first.ravel())
        seconds.append(entry.second.ravel())
        log_constant += float(_log_constant(entry).sum())
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    return Priors(np.concatenate(codes), first, second, log_constant)


def _size_codes(entry: SizeParameter) -> Ints:
    gamma = np.where(entry.follows, at.RELATIVE_SIZE, at.SIZE)
    return np.where(entry.is_gamma, gamma, at.NORMAL)


def _log_constant(entry: Parameter | SizeParameter) -> Floats:
    first, second = entry.first, entry.second
    if isinstance(entry, SizeParameter):
        normal = -np.log(second) - 0.5 * np.log(2 * np.pi)
        return np.where(entry.is_gamma, -gammaln(second), normal)
    if entry.prior in (PriorKind.NORMAL, PriorKind.LOG_NORMAL):
        return np.asarray(-np.log(second) - 0.5 * np.log(2 * np.pi))
    if entry.prior is PriorKind.HALF_NORMAL:
        return np.asarray(0.5 * np.log(2 / np.pi) - np.log(first))
    if entry.prior is PriorKind.GAMMA:
        return np.asarray(first * np.log(second) - gammaln(first))
    return np.asarray(-betaln(first, second))
