"""Does what arrived look like what was there before? Faults of a column's newest periods.

Belongs here: arrays of periods × entities against their own past. Does not: roles, words, verdicts.

A column is judged over a window of its newest periods, each against all of the periods before the
window. Those hold the same season of every year that is known, so a yearly peak is no fault;
taking a fitted season out first changed one finding of the three panels that were compared, a
hundredfold unit on Robyn's set that was then missed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MIN_SEEN = 6
"""Values of a market before the window, without which nothing is judged."""
MIN_ROBUST_Z = 3.0
"""Robust standard deviations from the median that a fault is away at least."""
LOW = 3.0
"""Next to nothing is common, of money left over in a week or a promotion: limits are so much wider
downwards."""
MAX_SILENT = 0.2
"""Share of zeros from where silence, or next to nothing, is what a column does now and then."""
MIN_ENTITY_SHARE = 0.1
"""Of many markets one is odd every week; a column is, where so many of them are together."""
SAME_SHARE = 0.5
"""Likewise of those that are silent or repeat a value, and half as many of all: some pause in any
week."""
CLEAR_EXCESS = 3.0
"""Times the limit from where one market of many is enough."""
MIN_LOCAL = 3
"""Periods that a value repeats, or is silent, from where few markets of many are named."""
MAX_CHANCE = 0.01
"""Chance of a run of equal values, by the column's own repeats, up to which it is called stuck."""
MAD_TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation of a normal distribution."""


class Sighting(NamedTuple):
    """A fault of one column in its window."""

    row: int
    """Row of the period in which the clearest market shows it first."""
    entity: int
    """Column of that market."""
    n_entities: int
    """Markets that show it."""
    times: float | None = None
    """Value over the typical one; None where a ratio says nothing."""
    is_local: bool = False
    """Whether too few markets show it to speak of the column: each of them for long, though."""


def find_level_fault(
    values: NDArray[np.float64], n_window: int, *, max_times: float
) -> Sighting | None:
    """Find values of the window far outside of anything before it.

    A fault is beyond the record, and ``MIN_ROBUST_Z`` from the median. Without negative values that
    is meant in ratios of what is not 0, else in robust standard deviations.

    Parameters
    ----------
    values
        Shape ``(n_periods, n_entities)``, oldest first; NaN where there is none.
    n_window
        Newest periods that are judged, at least 1.
    max_times
        Ratio beyond the record, up or down, that is no fault, above 1; of a column that has
        negative values, the distance in robust standard deviations.
    """
    past = values[:-n_window]
    is_signed = bool((past < 0).any())
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = values if is_signed else np.log(np.where(values > 0, values, np.nan))
    if not is_signed and (values[-n_window:] < 0).any():
        return None
    seen = np.isfinite(scaled[:-n_window]).sum(axis=0) >= MIN_SEEN
    if not seen.any():
        return None
    excess = np.zeros((n_window, values.shape[1]))
    centre = np.zeros(values.shape[1])
    excess[:, seen], centre[seen] = _excess(
        scaled[:, seen], n_window, max_times, is_signed=is_signed
    )
    found = _sighting(excess, len(past), int(seen.sum()))
    if found is None or is_signed:
        return found
    ratio = float(np.exp(scaled[found.row, found.entity] - centre[found.entity]))
    return found._replace(times=ratio)


def _excess(
    scaled: NDArray[np.float64],
    n_window: int,
    max_times: float,
    *,
    is_signed: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance beyond the record over its limit, 0 where too near the median; and the median."""
    past, window = scaled[:-n_window], scaled[-n_window:]
    centre = np.nanmedian(past, axis=0)
    sigma = MAD_TO_SIGMA * np.nanmedian(np.abs(past - centre), axis=0)
    sigma = np.where(sigma > 0, sigma, np.nanstd(past, axis=0))
    limit = max_times * sigma if is_signed else np.full_like(sigma, np.log(max_times))
    high = window - np.nanmax(past, axis=0)
    often_silent = np.isnan(past).mean(axis=0) > MAX_SILENT
    low = np.where(often_silent, 0.0, (np.nanmin(past, axis=0) - window) / LOW)
    away = np.abs(window - centre) > MIN_ROBUST_Z * sigma
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.maximum(high, low) / limit
    return np.where(away & (beyond > 0), beyond, 0.0), centre


def find_cost_fault(
    spend: NDArray[np.float64], activity: NDArray[np.float64], n_window: int, *, max_times: float
) -> Sighting | None:
    """Find periods in which a unit of activity cost far more or less than ever before.

    Two columns that were swapped, and the unit of one of them, show here before anywhere else:
    what a unit costs varies less than what is bought.

    Parameters
    ----------
    spend, activity, n_window
        As the values of ``find_level_fault``.
    max_times
        As there; half of the way to it is the limit here.
    """
    both = (spend > 0) & (activity > 0)
    cost = np.divide(spend, activity, out=np.full_like(spend, np.nan), where=both)
    return find_level_fault(cost, n_window, max_times=(1 + max_times) / 2)


def find_stuck_values(values: NDArray[np.float64], n_window: int) -> Sighting | None:
    """Find values that repeat the one before them, in a column that hardly ever does.

    A run of ``k`` repeats has the chance ``p ** k``, ``p`` the share of repeats before the window.

    Parameters
    ----------
    values, n_window
        As in ``find_level_fault``; zeros and missing values repeat nothing.
    """
    there = np.isfinite(values) & (values != 0)
    pairs = there[1:] & there[:-1]
    repeats = pairs & (values[1:] == values[:-1])
    n_past = len(values) - n_window - 1
    if n_past < MIN_SEEN:
        return None
    n_pairs = pairs[:n_past].sum(axis=0)
    share = repeats[:n_past].sum(axis=0) / np.maximum(n_pairs, 1)
    runs = np.vstack([np.zeros((1, values.shape[1])), _runs(repeats)])[-n_window:]
    judged = n_pairs >= MIN_SEEN
    odd = (runs > 0) & (share**runs <= MAX_CHANCE) & judged
    rare = share**runs <= MAX_CHANCE / max(int(judged.sum()), 1)
    lasting = np.where(odd & rare & (runs >= MIN_LOCAL), runs, 0)
    return _together(odd, judged, len(values) - n_window, lasting)


def find_dead_values(
    values: NDArray[np.float64], present: NDArray[np.bool_], n_window: int
) -> Sighting | None:
    """Find columns that fell silent in the window: 0 or missing for longer than they ever were.

    Parameters
    ----------
    values, n_window
        As in ``find_level_fault``.
    present
        Where there is a row at all: a market that closed is no fault.
    """
    silent = present & (np.isnan(values) | (values == 0))
    runs = _runs(silent)
    longest, alive = _before_run(runs), np.cumsum(present & ~silent, axis=0)
    share = np.cumsum(silent, axis=0) / np.maximum(np.cumsum(present, axis=0), 1)
    judged = (alive >= MIN_SEEN) & (share <= MAX_SILENT)
    begins = (runs == np.maximum(1, 2 * longest)) & judged
    lasting = np.where((runs == np.maximum(MIN_LOCAL, 2 * longest)) & judged, runs, 0)
    first = len(values) - n_window
    return _together(begins[-n_window:], judged[-1], first, lasting[-n_window:])


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the run of true values that ends in each row; 0 where it is false."""
    rows = np.arange(1, len(flags) + 1)[:, None]
    last_false = np.maximum.accumulate(np.where(flags, 0, rows), axis=0)
    return np.asarray(np.where(flags, rows - last_false, 0), dtype=np.int64)


def _before_run(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Longest run that had ended before the one that a row is in."""
    ended = np.zeros_like(runs)
    ended[1:] = np.where(runs[1:] == 0, runs[:-1], 0)
    return np.maximum.accumulate(ended, axis=0)


def _together(
    odd: NDArray[np.bool_], judged: NDArray[np.bool_], first: int, lasting: NDArray[np.int64]
) -> Sighting | None:
    """Return where half of the judged markets are odd in the window, or few of them for long.

    ``lasting`` is the length of a run in the row where it is long enough, 0 in all others.
    """
    n_odd, n_markets = int(odd.any(axis=0).sum()), odd.shape[1]
    if n_odd < max(1.0, SAME_SHARE * judged.sum(), n_markets * SAME_SHARE / 2):
        # What began before the window is known by now.
        begun = np.arange(len(lasting))[:, None] - lasting + 1
        seen = (lasting > 0) & (begun >= 0)
        if not seen.any():
            return None
        entity = int(seen.any(axis=0).argmax())
        row = int(begun[int(seen[:, entity].argmax()), entity])
        return Sighting(first + row, entity, int(seen.any(axis=0).sum()), is_local=True)
    entity = int(odd.any(axis=0).argmax())
    return Sighting(first + int(odd[:, entity].argmax()), entity, n_odd)


def _sighting(excess: NDArray[np.float64], first: int, n_judged: int) -> Sighting | None:
    """Return where the clearest market is, if enough of them show a fault; above 1 is one."""
    strength = excess.max(axis=0)
    n_odd = int((strength > 1).sum())
    few = n_odd < max(1, int(np.ceil(MIN_ENTITY_SHARE * n_judged)))
    if n_odd == 0 or (few and strength.max() <= CLEAR_EXCESS):
        return None
    entity = int(strength.argmax())
    row = int((excess[:, entity] > 1).argmax())
    return Sighting(first + row, entity, n_odd)
