"""Which periods are fitted, which only warm the carryover up, and which controls move in them."""

from collections.abc import Sequence

import pandas as pd

from schemas.errors import DataContractError
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.spec.roles import ControlRole
from schemas.spec.run_spec import Grain, Windows
from tasks.mathematics.panel import IS_ESTIMATION


def apply_windows(rows: pd.DataFrame, windows: Windows | None, grain: Grain) -> pd.DataFrame:
    """Keep the carryover and estimation windows and mark the latter.

    Parameters
    ----------
    rows
        Canonical panel with ``period_start``.
    windows
        Months of each window, counted back from the last period; None fits every period.
    grain
        A year has 52 weeks or 12 months.

    Returns
    -------
    pd.DataFrame
        The kept rows with a boolean column ``is_estimation``. A history shorter than both windows
        keeps its estimation window whole and shortens the carryover.

    Raises
    ------
    DataContractError
        If the history is shorter than the estimation window, or an entity has no row in it.
    """
    dates = pd.Index(sorted(rows[PERIOD_COLUMN].unique()))
    if windows is None:
        return rows.assign(**{IS_ESTIMATION: True})
    n_estimation = round(windows.estimation_months * grain.periods_per_month)
    n_carryover = round(windows.carryover_months * grain.periods_per_month)
    if len(dates) < n_estimation:
        raise DataContractError(
            f"windows.estimation_months = {windows.estimation_months} needs {n_estimation} "
            f"periods, the history has {len(dates)}; shorten the window or send more history."
        )
    kept = dates[-(n_estimation + n_carryover) :]
    first_fitted = dates[-n_estimation]
    _require_fitted_rows(rows, first_fitted)
    rows = rows[rows[PERIOD_COLUMN] >= kept[0]]
    return rows.assign(**{IS_ESTIMATION: rows[PERIOD_COLUMN] >= first_fitted})


def _require_fitted_rows(rows: pd.DataFrame, first_fitted: pd.Timestamp) -> None:
    last = rows.groupby(ENTITY_COLUMN)[PERIOD_COLUMN].max()
    closed = last[last < first_fitted]
    if len(closed):
        named = ", ".join(f"{name} (last row {day:%Y-%m-%d})" for name, day in closed.items())
        raise DataContractError(
            f"{named}: no row in the fitted periods, which begin on {first_fitted:%Y-%m-%d}; "
            "leave out what has closed, or make windows.estimation_months longer."
        )


def idle_controls(rows: pd.DataFrame, controls: Sequence[ControlRole]) -> list[ControlRole]:
    """Return the controls that never change within any entity in the fitted periods.

    What never changes is part of an entity's baseline: its coefficient would be the prior's alone,
    and its contribution millions either way.
    """
    fitted = rows[rows[IS_ESTIMATION]]
    by_entity = fitted.groupby(ENTITY_COLUMN)
    return [c for c in controls if c.column in rows and (by_entity[c.column].nunique() < 2).all()]
