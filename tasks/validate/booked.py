"""Money that is booked in another way than it worked: bills, totals, commissions, national money.

Belongs here: pure rules over the spend of a panel, before any sampling. Does not: units and signs
(``plausible``), what the features let a model tell apart (``features``).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN
from schemas.outcomes import Finding, Verdict
from schemas.spec.roles import ChannelRole, ColumnRoles
from schemas.words import format_share
from tasks.mathematics.collinearity import within_markets
from tasks.validate.findings import panel_finding


class _Billed(NamedTuple):
    """A span that is billed at once."""

    word: str
    least: int
    """How many of them are no chance, whatever the number of markets."""


_BILLED = {"Y": _Billed("year", 2), "Q": _Billed("quarter", 4), "M": _Billed("month", 6)}
MIN_PAIRS_OF_WEEKS = 12
"""Payments in every second period that are no chance."""
USUALLY = 0.9
MIN_PERIODS_PER_MONTH = 3
"""Below it a period is a month, and money in every one of them is no bill."""
MAX_COMMISSION_CORRELATION = 0.97
MAX_CONTROL_CORRELATION = 0.95
MAX_LAG = 4
"""Periods by which a control may repeat the KPI later: sales of the week before, of the month."""
MIN_PAIRS = 26
"""Pairs of values from which a correlation says anything."""
MIN_SAME_PERIODS = 4
"""Periods with spend of which equal numbers in all markets are no chance."""
MIN_PERIODS_PER_ENTITY = 2
"""Below it a sum of entities may be chance."""
ROUNDING = 1e-3
"""Of the sum of channels: what rounding moves it by."""


def judge_bookings(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Judge how the spend of each channel is written down.

    Parameters
    ----------
    rows
        Panel sorted by entity and period, missing values as they are.
    roles
        Which channel has which column.
    """
    paid = [channel for channel in roles.channels if channel.spend_column]
    findings = _judge_total_entities(rows, roles)
    findings += _judge_totals(rows, paid) + _judge_controls(rows, roles)
    for channel in paid:
        findings += _judge_national(rows, channel)
        # Contacts say when it worked, whenever it was paid.
        if channel.activity is None:
            findings += _judge_bills(rows, channel) + _judge_commission(rows, channel, roles)
    return findings


def _judge_totals(rows: pd.DataFrame, paid: Sequence[ChannelRole]) -> list[Finding]:
    """Fail a channel that is the sum of others: its money and its effect would count twice."""
    spend = rows[[str(channel.spend_column) for channel in paid]].fillna(0.0).to_numpy(float)
    found = []
    for place, channel in enumerate(paid):
        parts = _parts_of(spend, place)
        if len(parts) < 2:
            continue
        names = ", ".join(repr(paid[n].name) for n in parts)
        found.append(
            panel_finding(
                "total_of_channels",
                Verdict.FAIL,
                f"channel {channel.name!r}: column {channel.spend!r} is the sum of {names} in "
                "every period; its money and its effect would count twice.",
                "Leave the total out of the channels, or leave out its parts.",
                column=channel.spend,
            )
        )
    return found


def _judge_total_entities(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Fail an entity that is the sum of others: all that happened would count twice."""
    n_entities = rows[ENTITY_COLUMN].nunique()
    if rows[PERIOD_COLUMN].nunique() < MIN_PERIODS_PER_ENTITY * n_entities:
        return []
    kpi = rows.pivot_table(index=PERIOD_COLUMN, columns=ENTITY_COLUMN, values=roles.kpi_name)
    values = kpi.fillna(0.0).to_numpy(float)
    found = []
    for place, entity in enumerate(kpi.columns):
        parts = _parts_of(values, place)
        if len(parts) < 2:
            continue
        names = ", ".join(repr(str(kpi.columns[n])) for n in parts)
        found.append(
            panel_finding(
                "total_of_entities",
                Verdict.FAIL,
                f"entity {str(entity)!r}: its KPI is the sum of {names} in every period; all that "
                "was spent and sold would count twice.",
                "Leave out the rows of the total, or those of its parts.",
                column=roles.entity,
            )
        )
    return found


def _parts_of(spend: NDArray[np.float64], place: int) -> list[int]:
    """Return the columns whose sum a column is; none where it is no sum."""
    others = np.delete(np.arange(spend.shape[1]), place)
    whole = spend[:, place]
    if len(others) < 2 or not whole.any():
        return []
    weights = np.linalg.lstsq(spend[:, others], whole, rcond=None)[0]
    parts = others[np.abs(weights - 1) < 0.01]
    is_sum = np.allclose(spend[:, parts].sum(axis=1), whole, rtol=ROUNDING, atol=ROUNDING)
    return [int(n) for n in parts if spend[:, n].any()] if is_sum else []


def _judge_bills(rows: pd.DataFrame, channel: ChannelRole) -> list[Finding]:
    """Review spend that stands in one and the same week of each month, quarter or year."""
    spend = rows[str(channel.spend_column)].fillna(0.0)
    for unit, billed in _BILLED.items():
        span = rows[PERIOD_COLUMN].dt.to_period(unit)
        by_span = rows.groupby([ENTITY_COLUMN, span], sort=False)
        size = by_span[PERIOD_COLUMN].transform("size")
        paid = (spend != 0) & (size >= MIN_PERIODS_PER_MONTH)
        place = by_span.cumcount()[paid]
        n_spans = span[paid].nunique()
        n_bills = by_span.ngroup()[paid].nunique()
        if n_spans < billed.least or n_bills < USUALLY * paid.sum():
            continue
        from_end = (size[paid] - 1) - place
        for which, position in (("first", place), ("last", from_end)):
            share = float((position == 0).mean())
            if share >= USUALLY:
                when = f"one week a {billed.word} ({n_spans} {billed.word}s), the {which} of them"
                return [_bill_finding(channel, f"{when} in {format_share(share)}")]
    return _judge_every_second(rows, spend, channel)


def _judge_every_second(
    rows: pd.DataFrame, spend: pd.Series, channel: ChannelRole
) -> list[Finding]:
    """Review spend that stands in every second period, month in, month out."""
    for entity, one in rows.groupby(ENTITY_COLUMN, sort=True):
        gaps = np.diff(np.flatnonzero(spend.loc[one.index].to_numpy(float)))
        if len(gaps) < MIN_PAIRS_OF_WEEKS or (gaps == 2).mean() < USUALLY:
            continue
        return [_bill_finding(channel, f"every second period ({entity}, {len(gaps)} times)")]
    return []


def _bill_finding(channel: ChannelRole, when: str) -> Finding:
    return panel_finding(
        "spend_as_billed",
        Verdict.REVIEW,
        f"channel {channel.name!r}: its spend stands in {when}. Are these bills? A model takes "
        "them for what ran in that week alone.",
        "Spread each bill over the weeks in which it ran, or give what ran in each week as the "
        "channel's activity (channels[].activity). If it ran like that, nothing.",
        column=channel.spend,
    )


def _judge_national(rows: pd.DataFrame, channel: ChannelRole) -> list[Finding]:
    """Review spend that is the same in all markets: national money that stands there N times."""
    by_period = rows.groupby(PERIOD_COLUMN)[str(channel.spend_column)]
    n_markets = rows[ENTITY_COLUMN].nunique()
    spent = by_period.max() > 0
    is_same = (by_period.min() == by_period.max()) & (by_period.size() == n_markets)
    if n_markets < 2 or spent.sum() < MIN_SAME_PERIODS or not is_same[spent].all():
        return []
    return [
        panel_finding(
            "same_spend_everywhere",
            Verdict.REVIEW,
            f"channel {channel.name!r}: its spend is the same in all {n_markets} markets in every "
            "period. National money that stands once for each market counts that many times, and "
            "its return is that much too small.",
            "Divide it among the markets by their size, so that they add up to what was paid. If "
            "they do already, nothing.",
            column=channel.spend,
        )
    ]


def _judge_controls(rows: pd.DataFrame, roles: ColumnRoles) -> list[Finding]:
    """Review controls that are the KPI in other words: they take away what media did."""
    findings = []
    for control in roles.controls:
        by_lag = {lag: _correlation(rows, control.column, roles, lag) for lag in range(MAX_LAG + 1)}
        lag = max(by_lag, key=lambda lag: abs(by_lag[lag]))
        if not abs(by_lag[lag]) > MAX_CONTROL_CORRELATION:
            continue
        when = f", {lag} period(s) later" if lag else ""
        findings.append(
            panel_finding(
                "control_follows_kpi",
                Verdict.REVIEW,
                f"control {control.name!r} moves as the KPI does{when} (correlation "
                f"{by_lag[lag]:.3f}). If sales or media make it (visits, orders, searches for the "
                "brand, sales of earlier periods), it takes away what media did, and returns come "
                "out too small.",
                "Leave it out of the controls: noise that lasts is modelled anyway. If it is a "
                "cause of sales that nobody here decides, nothing.",
                column=control.source,
            )
        )
    return findings


def _correlation(rows: pd.DataFrame, column: str, roles: ColumnRoles, lag: int = 0) -> float:
    """Return how closely a column moves as the KPI did some periods before, within markets."""
    entity = rows[ENTITY_COLUMN]
    kpi = rows[roles.kpi_name].groupby(entity).shift(lag)
    both = pd.DataFrame({"column": rows[column], "kpi": kpi}).dropna()
    if len(both) < MIN_PAIRS:
        return 0.0
    moves = within_markets(both, entity.loc[both.index])
    return float(moves.corr().to_numpy()[0, 1])


def _judge_commission(
    rows: pd.DataFrame, channel: ChannelRole, roles: ColumnRoles
) -> list[Finding]:
    """Review spend that is the KPI in another unit: a commission, which follows sales."""
    correlation = _correlation(rows, str(channel.spend_column), roles)
    if not correlation > MAX_COMMISSION_CORRELATION:
        return []
    return [
        panel_finding(
            "spend_follows_kpi",
            Verdict.REVIEW,
            f"channel {channel.name!r}: its spend moves as the KPI does (correlation "
            f"{correlation:.3f}). Is it a share of sales, such as a commission? Then sales make "
            "it, and a model would call all of them its effect.",
            "Leave it out of the channels, or give what it did (clicks, placements) as the "
            "channel's activity.",
            column=channel.spend,
        )
    ]
