"""Numbers by which the kernel knows fields, priors, carryover kernels and curves."""

from schemas.spec.channels import AdstockKind, SaturationKind
from tasks.models.mmm.kernel import carry, saturations
from tasks.models.mmm.parameters import PriorKind

(
    H_DIM,
    H_CHANNELS,
    H_ENTITIES,
    H_TERMS,
    H_PERIODS,
    H_PADDED,
    H_START,
    H_LAGS,
    H_LEVEL,
    H_SIGMA,
    H_NU,
    H_SOFT_BASELINE,
    H_GROUPS,
    H_BASIS,
    H_TREND_SCALE,
    H_TREND_WEIGHT,
    H_TESTS,
    H_SEGMENTS,
    H_SEGMENT_PERIODS,
    H_PRECONDITIONER,
    H_WORK,
    H_COMMON,
    H_RHO,
    H_COMMONS,
) = range(24)
"""Header: sizes, positions of single parameters, switches."""
SIZES = 24

(
    I_CODES,
    I_CHANNELS,
    I_SHARE_CELLS,
    I_GAMMA_CELLS,
    I_GROUPS,
    I_SEGMENTS,
    I_SEGMENT_DATES,
    I_STARTS,
    I_LENGTHS,
) = range(SIZES, SIZES + 9)
"""Header: where the arrays of the integer buffer begin, in this order."""

(
    F_CONSTANT,
    F_FIRST,
    F_SECOND,
    F_POOL_WEIGHTS,
    F_POOL_UNITS,
    F_POOL_OFFSETS,
    F_AMPLITUDE,
    F_TERM_SIGNS,
    F_TERM_MEANS,
    F_SOFT_BASELINE,
    F_TREND,
    F_LIFT,
    F_SEGMENT_SCALE,
    F_SEGMENT_BEFORE,
    F_SEGMENT_AFTER,
    F_KPI,
    F_DESIGN,
    F_MEDIA,
    F_ORIGIN,
    F_FACTOR,
) = range(SIZES + 9, SIZES + 29)
"""Header: where the arrays of the floating-point buffer begin, in this order."""

(
    W_VALUES,
    W_ADJOINT,
    W_SLOPES,
    W_POINT,
    W_GRADIENT,
    W_WEIGHTS,
    W_WEIGHT_SLOPES,
    W_G_WEIGHTS,
    W_MULTIPLIER,
    W_G_MULTIPLIER,
    W_RESPONSE,
    W_INNER,
    W_AUX,
    W_BETA,
    W_MEANS,
    W_G_BETA,
    W_GAMMA,
    W_MEDIA,
    W_MU,
    W_G_MU,
    W_G_RESPONSE,
    W_SCRATCH,
    W_SPARE,
    W_LIFT,
    W_RESIDUAL,
) = range(SIZES + 29, SIZES + 54)
"""Header: where the arrays that one evaluation works in begin, in this order; zeros at first."""
HEADER_SIZE = SIZES + 54

NO_PRECONDITIONER, DIAGONAL_PRECONDITIONER, DENSE_PRECONDITIONER = range(3)
"""How the sampler's coordinates lie in the model's, see ``preconditioner``."""
ABSENT = -1
"""Position of a parameter that the model does not have."""

(
    C_ADSTOCK,
    C_LAGS,
    C_ADSTOCK_1,
    C_ADSTOCK_2,
    C_SATURATION,
    C_SATURATION_1,
    C_SATURATION_2,
    C_BEFORE,
    C_BY_SHARE,
) = range(9)
"""Fields of a channel."""
CHANNEL_FIELDS = 9

NORMAL, LOG_NORMAL, HALF_NORMAL, GAMMA, BETA, POOLED, SIZE, RELATIVE_SIZE = range(8)
"""``SIZE`` is the logarithm of a gamma, ``RELATIVE_SIZE`` one in units of the common factor."""
PRIOR_CODES = {
    PriorKind.NORMAL: NORMAL,
    PriorKind.LOG_NORMAL: LOG_NORMAL,
    PriorKind.HALF_NORMAL: HALF_NORMAL,
    PriorKind.GAMMA: GAMMA,
    PriorKind.BETA: BETA,
}
ADSTOCK_CODES = {kind: int(getattr(carry, kind.name)) for kind in AdstockKind}
SATURATION_CODES = {kind: int(getattr(saturations, kind.name)) for kind in SaturationKind}
"""Machine code stands in the branch of the same name."""
