"""Log density of lift tests: measured differences of responses."""

from tasks.models.mmm.kernel import codes as at
from tasks.models.mmm.kernel.elementary import Floats, Ints, compiled
from tasks.models.mmm.kernel.media import (
    amplitude,
    backward_response,
    forward_cell,
    forward_response,
    part,
)

_TEST, _CHANNEL, _ENTITY, _FIRST = range(4)


@compiled
def _segment(s: int, which: int, ints: Ints) -> int:
    return ints[ints[at.I_SEGMENTS] + 4 * s + which]


@compiled
def add_lift(ints: Ints, floats: Floats, work: Floats) -> float:
    """Log density of all tests less its constant; adds to the adjoints in ``work``."""
    n_tests, n_segments, length = (
        ints[at.H_TESTS],
        ints[at.H_SEGMENTS],
        ints[at.H_SEGMENT_PERIODS],
    )
    scratch = part(work, ints[at.W_LIFT], 0, n_tests + 2 * n_segments)
    expected, differences = scratch[:n_tests], scratch[n_tests : n_tests + n_segments]
    betas = scratch[n_tests + n_segments :]
    for s in range(n_segments):
        c, e = _segment(s, _CHANNEL, ints), _segment(s, _ENTITY, ints)
        if amplitude(c, e, ints, floats) == 0.0:
            continue
        betas[s] = forward_cell(c, e, ints, floats, work) * floats[ints[at.F_SEGMENT_SCALE] + s]
        after = part(floats, ints[at.F_SEGMENT_AFTER], s, length)
        before = part(floats, ints[at.F_SEGMENT_BEFORE], s, length)
        differences[s] = _response(s, after, ints, work) - _response(s, before, ints, work)
        expected[_segment(s, _TEST, ints)] += betas[s] * differences[s]
    total = 0.0
    for i in range(n_tests):
        measured, error = floats[ints[at.F_LIFT] + 2 * i], floats[ints[at.F_LIFT] + 2 * i + 1]
        scaled = (measured - expected[i]) / error
        total -= 0.5 * scaled * scaled
        expected[i] = scaled / error
    for s in range(n_segments):
        _segment_adjoint(s, expected[_segment(s, _TEST, ints)], betas[s], ints, floats, work)
        cell = _segment(s, _CHANNEL, ints) * ints[at.H_ENTITIES] + _segment(s, _ENTITY, ints)
        pull = expected[_segment(s, _TEST, ints)] * floats[ints[at.F_SEGMENT_SCALE] + s]
        work[ints[at.W_G_BETA] + cell] += pull * differences[s]
    return total


@compiled
def _response(s: int, series: Floats, ints: Ints, work: Floats) -> float:
    """Sum of the response over a segment, times the media multiplier."""
    start = _segment(s, _FIRST, ints)
    n = series.shape[0] - start
    response = part(work, ints[at.W_G_RESPONSE], 0, n)
    forward_response(_segment(s, _CHANNEL, ints), series, start, response, ints, work)
    dates = ints[ints[at.I_SEGMENT_DATES] + s * series.shape[0] + start :]
    total = 0.0
    for t in range(n):
        total += response[t] * work[ints[at.W_MULTIPLIER] + dates[t]]
    return total


@compiled
def _segment_adjoint(
    s: int, pull: float, beta: float, ints: Ints, floats: Floats, work: Floats
) -> None:
    """Adjoints of both responses of a segment, the changed one and the one it is compared with."""
    if beta == 0.0:
        return
    length, start = ints[at.H_SEGMENT_PERIODS], _segment(s, _FIRST, ints)
    c, n = _segment(s, _CHANNEL, ints), length - start
    dates = ints[ints[at.I_SEGMENT_DATES] + s * length + start :]
    response, g_response = part(work, ints[at.W_MU], 0, n), part(work, ints[at.W_G_RESPONSE], 0, n)
    for side in range(2):
        begin = ints[at.F_SEGMENT_AFTER] if side == 0 else ints[at.F_SEGMENT_BEFORE]
        series = part(floats, begin, s, length)
        signed = pull * beta if side == 0 else -pull * beta
        forward_response(c, series, start, response, ints, work)
        for t in range(n):
            g_response[t] = signed * work[ints[at.W_MULTIPLIER] + dates[t]]
            work[ints[at.W_G_MULTIPLIER] + dates[t]] += signed * response[t]
        backward_response(c, series, start, response, g_response, ints, work)
