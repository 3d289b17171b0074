"""A least-squares look at the data before sampling: what they know about each coefficient.

It decides only how the sampler's coordinates are laid out, never a prior or a result.
"""

import numpy as np
from numpy.typing import NDArray


def regress(
    columns: NDArray[np.float64], kpi: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a regression with intercept.

    Parameters
    ----------
    columns
        Shape ``(n_rows, n_columns)``.
    kpi
        Shape ``(n_rows,)``.

    Returns
    -------
    tuple
        Estimates and standard errors per column; a column without variation gets zero and an
        infinite error.
    """
    centered = columns - columns.mean(axis=0)
    scale = centered.std(axis=0)
    flat = scale < 1e-12
    safe = np.where(flat, 1.0, scale)
    unit = centered / safe
    n, p = unit.shape
    # A little ridge keeps collinear columns finite: they are simply not resolved.
    precision = unit.T @ unit + 1e-3 * n * np.eye(p)
    coefficients = np.linalg.solve(precision, unit.T @ (kpi - kpi.mean()))
    residual = kpi - kpi.mean() - unit @ coefficients
    variance = float(residual @ residual) / max(n - p - 1, 1)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(precision)))
    return np.where(flat, 0.0, coefficients / safe), np.where(flat, np.inf, errors / safe)
