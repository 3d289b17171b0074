"""Yearly Fourier terms and the linear trend."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS_PER_YEAR = 365.25
"""As in pymc-marketing's ``YearlyFourier``, so its MMM gives the same seasonality."""


def fourier_names(harmonics: int) -> list[str]:
    """Names of the Fourier columns: ``sin_1..sin_K, cos_1..cos_K``."""
    return [f"{wave}_{k}" for wave in ("sin", "cos") for k in range(1, harmonics + 1)]


def fourier_terms(dates: pd.DatetimeIndex, harmonics: int) -> NDArray[np.float64]:
    """Yearly Fourier terms at each date.

    Returns
    -------
    NDArray
        Shape ``(n_dates, 2 * harmonics)``, columns as in ``fourier_names``, each in [-1, 1].
    """
    cycles = np.asarray(dates.day_of_year, dtype=float)[:, None] / DAYS_PER_YEAR
    angles = 2 * np.pi * cycles * np.arange(1, harmonics + 1)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def standardized_trend(
    position: NDArray[np.float64], *, mean: float, std: float
) -> NDArray[np.float64]:
    """Linear trend ``(t - mean) / std`` at positions ``t`` in periods, same shape.

    Parameters
    ----------
    position
        Periods since the first of the fit, any shape.
    mean, std
        Of the fitted periods' positions, from ``feature_scaler.json``.

    Returns
    -------
    NDArray
        Shape of ``position``, no unit.
    """
    return (position - mean) / std
