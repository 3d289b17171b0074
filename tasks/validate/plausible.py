"""Numbers that can be read and cannot be meant: padded history, other units, a KPI of both signs.

Belongs here: pure rules over the panel, before any sampling. Does not: the grid, gaps, outliers
(``tasks.validate.canonical``).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.gates import DataGates
from schemas.spec.kinds import KINDS
from schemas.spec.kpi import KpiKind
from schemas.spec.roles import UNIT_VALUE_COLUMN, ColumnRoles
from schemas.spec.run_spec import RunSpec
from tasks.mathematics.carryover import recursive_adstock
from tasks.mathematics.collinearity import within_markets
from tasks.models.regression import regress
from tasks.validate.findings import panel_finding
from tasks.validate.reported import is_by_month
from tasks.validate.spikes import judge_spikes

MIN_PADDED = 4
"""Equal values in a row at either end of a market's KPI that are no chance."""
MAX_ZERO_SHARE = 0.05
"""Share of zeros elsewhere up to which zeros at an end are told: some KPIs are often zero."""
TYPICAL_RETENTION = 0.3
CERTAIN = 3.0
"""Standard errors by which an implied return has to be away from the limit."""
CLEARLY = 5.0
"""The same for changes from one period to the next: noise makes each of them move back, so their
standard errors are too small; a cost that was taken off shows by twenty."""
MIN_MOVES = 26
"""Changes from one period to the next from which their regression says anything."""
_HARMONICS = 2


def judge_plausibility(rows: pd.DataFrame, roles: ColumnRoles, spec: RunSpec) -> list[Finding]:
    """Judge a canonical panel by what KPI and money can be.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles, spec
        What the numbers are.
    """
    kpi = rows[roles.kpi_name]
    findings = judge_padding(rows, roles.kpi_name)
    findings += [*_judge_sign(kpi, roles.kpi_name, spec), *judge_spikes(rows, roles)]
    value = _value_of_kpi(rows, roles, spec)
    if value is None:
        return findings
    total_spend = sum(float(rows[c].fillna(0).sum()) for _, c in _spend_columns(roles))
    total_value = float(value.abs().sum())
    if total_spend > spec.gates.data.max_spend_ratio * total_value > 0:
        findings.append(_ratio_finding(total_spend, total_value, spec))
        return findings
    findings += judge_returns(rows, value, roles, spec.gates.data)
    return findings + judge_net_of_media(rows, value, roles)


def judge_padding(rows: pd.DataFrame, kpi: str) -> list[Finding]:
    """Review markets whose KPI begins or ends with a run of one value, such as zero."""
    if is_by_month(rows, kpi):
        return []
    findings = []
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        values = one[kpi].to_numpy(float)
        for side, n in (("first", _run_length(values)), ("last", _run_length(values[::-1]))):
            rest = values[n:] if side == "first" else values[: len(values) - n]
            value = values[0] if side == "first" else values[-1]
            if n < MIN_PADDED or not len(rest) or np.mean(rest == value) > MAX_ZERO_SHARE:
                continue
            dates = one[PERIOD_COLUMN].dt.strftime("%Y-%m-%d")
            padded = dates.iloc[:n] if side == "first" else dates.iloc[-n:]
            findings.append(_padding_finding(str(entity), kpi, side, float(value), list(padded)))
    return findings


def _run_length(values: NDArray[np.float64]) -> int:
    differing = np.flatnonzero(values != values[:1])
    return int(differing[0]) if len(differing) else len(values)


def _padding_finding(
    entity: str, kpi: str, side: str, value: float, dates: Sequence[str]
) -> Finding:
    return panel_finding(
        "padded_history",
        Verdict.REVIEW,
        f"column {kpi!r}: {entity} has {value:g} in its {side} {len(dates)} periods "
        f"({dates[0]} to {dates[-1]}). If the market was not open, the model takes the step for "
        "an effect of media.",
        "Leave these rows out: a market is fitted on what it has. If they are true, explain them "
        "with a control.",
        column=kpi,
        places=[f"{entity}, {day}" for day in dates],
    )


def _judge_sign(kpi: pd.Series, name: str, spec: RunSpec) -> list[Finding]:
    negative = int((kpi < 0).sum())
    if not negative or not KINDS[spec.model.kind].is_logarithmic:
        return []
    return [
        panel_finding(
            "negative_kpi",
            Verdict.FAIL,
            f"column {name!r}: {negative} value(s) are negative; kind {spec.model.kind} "
            "models the logarithm of the KPI, which has none there.",
            "Set model.kind to mmm, which adds up effects, or give a KPI that is not negative "
            "(joiners instead of joiners less leavers).",
            column=name,
            n_affected=negative,
        )
    ]


def _value_of_kpi(rows: pd.DataFrame, roles: ColumnRoles, spec: RunSpec) -> pd.Series | None:
    """KPI in money; None where a unit has no value."""
    kpi = rows[roles.kpi_name].fillna(0.0)
    if roles.unit_value:
        return kpi * rows[UNIT_VALUE_COLUMN].groupby(rows[ENTITY_COLUMN]).ffill().bfill()
    if isinstance(spec.kpi.value_per_unit, float | int):
        return kpi * float(spec.kpi.value_per_unit)
    return kpi if spec.kpi.kind is KpiKind.REVENUE else None


def _spend_columns(roles: ColumnRoles) -> list[tuple[str, str]]:
    return [(c.name, c.spend_column) for c in roles.channels if c.spend_column]


def _ratio_finding(spend: float, value: float, spec: RunSpec) -> Finding:
    return panel_finding(
        "units_of_money",
        Verdict.REVIEW,
        f"all channels together cost {spend:,.0f}, {spend / value:.3g} times the value of the KPI "
        f"({value:,.0f}). Are spend and KPI in different units (cents, thousands, currencies)?",
        "Give both in one unit, or state kpi.value_per_unit; if it is true, raise "
        "gates.data.max_spend_ratio.",
        column=spec.target_col,
    )


def judge_returns(
    rows: pd.DataFrame, value: pd.Series, roles: ColumnRoles, gates: DataGates
) -> list[Finding]:
    """Review channels whose return, as a plain regression sees it, no media ever had.

    Parameters
    ----------
    rows
        Panel sorted by entity and period.
    value
        KPI in money, on its index.
    roles, gates
        Channels, and ``max_implied_return``.
    """
    named = _spend_columns(roles)
    if not named:
        return []
    spend = np.stack([_carried(rows, column) for _, column in named], axis=1)
    columns = np.column_stack([spend, _season(rows), value.to_numpy(float)])
    centred = within_markets(pd.DataFrame(columns), rows[ENTITY_COLUMN]).to_numpy()
    estimates, errors = regress(centred[:, :-1], centred[:, -1])
    limit = gates.max_implied_return
    return [
        panel_finding(
            "implied_return",
            Verdict.REVIEW,
            f"channel {name!r}: a unit of its spend goes with {estimate:.3g} units of KPI value "
            f"(standard error {error:.2g}); media never return above {limit:g}. Is {column!r} in "
            "another unit (thousands, another currency) than the KPI?",
            "Give both in one unit, or state kpi.value_per_unit; if it is true, raise "
            "gates.data.max_implied_return.",
            column=column,
        )
        for (name, column), estimate, error in zip(named, estimates, errors, strict=False)
        if np.isfinite(error) and estimate - CERTAIN * error > limit
    ]


def judge_net_of_media(rows: pd.DataFrame, value: pd.Series, roles: ColumnRoles) -> list[Finding]:
    """Review a KPI that falls as media as a whole cost more: theirs may have been taken off it.

    From one period to the next, so that neither a level that wanders nor a season is taken for it;
    controls move beside, since money may be spent where they take sales away.

    Parameters
    ----------
    rows
        Panel sorted by entity and period.
    value
        KPI in money, on its index.
    roles
        Channels, controls, and what the KPI is called.
    """
    columns = [column for _, column in _spend_columns(roles)]
    if not columns:
        return []
    controls = rows[[control.column for control in roles.controls]]
    levels = pd.concat(
        [
            rows[columns].fillna(0.0).sum(axis=1),
            controls.groupby(rows[ENTITY_COLUMN]).ffill(),
            value,
        ],
        axis=1,
    )
    moves = levels.groupby(rows[ENTITY_COLUMN]).diff().dropna().to_numpy(float)
    if len(moves) < MIN_MOVES + len(roles.controls):
        return []
    estimates, errors = regress(moves[:, :-1], moves[:, -1])
    estimate, error = float(estimates[0]), float(errors[0])
    if not np.isfinite(error) or estimate + CLEARLY * error >= 0:
        return []
    return [
        panel_finding(
            "kpi_net_of_media",
            Verdict.REVIEW,
            f"column {roles.kpi!r}: the KPI falls as media cost more, by {-estimate:.2f} for a "
            f"unit of money (standard error {error:.2g}); media do not take sales away. Was their "
            "cost taken off it (profit, margin after media), or was more spent when sales were "
            "low?",
            "Give the KPI before media are paid; a return below 1 then says what profit shows as a "
            "loss. If more is spent in bad times, give what made them bad as a control.",
            column=roles.kpi,
        )
    ]


def _carried(rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Spend with typical carryover, within each market, kept in its sum."""
    filled = rows[column].fillna(0.0)
    return np.concatenate(
        [
            recursive_adstock(one.to_numpy(float)[None], decay=TYPICAL_RETENTION, max_lag=8)[0]
            * (1 - TYPICAL_RETENTION)
            for _, one in filled.groupby(rows[ENTITY_COLUMN], sort=True)
        ]
    )


def _season(rows: pd.DataFrame) -> NDArray[np.float64]:
    days = (rows[PERIOD_COLUMN] - rows[PERIOD_COLUMN].min()).dt.days.to_numpy(float)
    angle = 2 * np.pi * days / 365.25
    waves = [f(k * angle) for k in range(1, _HARMONICS + 1) for f in (np.sin, np.cos)]
    return np.column_stack([days / max(days.max(), 1.0), *waves])
