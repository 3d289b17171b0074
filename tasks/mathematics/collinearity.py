"""How far columns can be told apart."""

import numpy as np
import pandas as pd


def within_markets(values: pd.DataFrame, market: pd.Series) -> pd.DataFrame:
    """Return how columns move within each market; markets differ in size, which tells nothing.

    Parameters
    ----------
    values
        One column per input, one row per market and period.
    market
        Of each row, on the index of ``values``.

    Returns
    -------
    pd.DataFrame
        The columns less their means in the row's market.
    """
    return values - values.groupby(market).transform("mean")


def variance_inflation(values: pd.DataFrame) -> dict[str, float]:
    """Return the variance inflation factor of every column; 1 for a constant one.

    The diagonal of the inverse correlation matrix; the pseudo-inverse stands in where columns are
    exactly dependent, and such columns are reported as 1e12.

    Parameters
    ----------
    values
        One column per input, one row per period; rows that are not finite are left out.
    """
    clean = values.replace([np.inf, -np.inf], np.nan).dropna()
    varying = [c for c in clean.columns if clean[c].min() < clean[c].max()]
    factors = dict.fromkeys(map(str, values.columns), 1.0)
    if len(varying) < 2:
        return factors
    matrix = clean[varying].corr().to_numpy()
    eigenvalues, vectors = np.linalg.eigh(matrix)
    inverse: np.ndarray = (vectors**2) @ (1.0 / np.maximum(eigenvalues, 1e-12))
    return factors | dict(zip(varying, map(float, np.maximum(inverse, 1.0)), strict=True))
