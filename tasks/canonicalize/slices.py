"""Where the dates of a backtest lie."""

from collections.abc import Sequence
from datetime import date

from schemas.errors import DataContractError
from schemas.spec.backtest import BacktestRequest

LEAST_HISTORY = 26
"""Periods that are fitted at the first date at least."""


def place_origins(starts: Sequence[date], request: BacktestRequest) -> list[date]:
    """Return the last fitted period of each slice, the earliest first.

    Parameters
    ----------
    starts
        Starts of all known periods, ascending.
    request
        Slices, horizon and step, in periods.

    Raises
    ------
    DataContractError
        If the first slice would have less than ``LEAST_HISTORY`` periods.
    """
    newest = len(starts) - 1 - request.horizon
    first = newest - (request.n_slices - 1) * request.step
    if first + 1 < LEAST_HISTORY:
        most = (newest + 1 - LEAST_HISTORY) // request.step + 1
        fewer = f"ask for {most} slices or fewer" if most >= 1 else "ask for a shorter horizon"
        raise DataContractError(
            f"{request.n_slices} slices of {request.horizon} periods, {request.step} apart, leave "
            f"{max(first + 1, 0)} of {len(starts)} periods to fit at the first date, and "
            f"{LEAST_HISTORY} are needed; {fewer}."
        )
    return [starts[first + k * request.step] for k in range(request.n_slices)]
