"""Channels in the last horizon: what they cost, what they brought, and who decided that."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.documents.effects import ChannelReturns, EvidenceClass
from schemas.documents.windows import WindowEffect
from tasks.report.documents import ReportDocuments

DECIDED_ELASTICITY = 0.2
"""A result that goes along with more than this share of a shift of its prior is not the data's
alone. In worlds with known truth the total of media was above it in all weak ones and in none of
the strong ones."""

type Ends = tuple[float | None, float | None, float | None]
"""Mean and the ends of its 94 % interval."""


class Decided(StrEnum):
    """Who decided the return of a channel."""

    DATA = "the data"
    BOTH = "partly the data"
    UNCLEAR = "unclear, may be none"
    PRIOR = "mostly assumptions"


@dataclass(frozen=True)
class ChannelToday:
    """One channel over the last horizon, or over all fitted periods in runs of before."""

    name: str
    spend: float | None
    contribution: Ends
    returned: Ends
    """ROAS, or cost per unit of a count."""
    spend_share: float | None
    """Of all channels' spend."""
    effect_share: float | None
    """Of all channels' effect."""
    decided: Decided


def channels_today(documents: ReportDocuments) -> list[ChannelToday]:
    """Return the channels in the order of the page."""
    found = {name: _last_window(documents, name) for name in documents.roi}
    spend = sum(row.spend or 0.0 for row in found.values())
    effect = sum(row.contribution_mean for row in found.values())
    return [
        ChannelToday(
            name=name,
            spend=row.spend,
            contribution=(row.contribution_mean, row.contribution_low, row.contribution_high),
            returned=return_of(documents, row),
            spend_share=row.spend / spend if row.spend is not None and spend > 0 else None,
            effect_share=row.contribution_mean / effect if effect > 0 else None,
            decided=decided_by(documents.roi[name]),
        )
        for name, row in found.items()
    ]


def period_of(documents: ReportDocuments) -> str:
    """Say which periods ``channels_today`` speaks of."""
    return documents.today_words if len(documents.effects) else "all fitted periods"


def return_of(documents: ReportDocuments, row: WindowEffect) -> Ends:
    """Return of a channel over a window, as the page calls it: ROAS, or cost per unit."""
    if documents.words.stem == "roas":
        return row.roas_mean, row.roas_low, row.roas_high
    ends = (row.contribution_mean, row.contribution_high, row.contribution_low)
    mean, low, high = (row.spend / e if row.spend and e > 0 else None for e in ends)
    return mean, low, high


def decided_by(row: ChannelReturns) -> Decided:
    """Say who decided the return of a channel; ``row`` is its row of ``roi_metrics.json``."""
    if row.prior_driven:
        return Decided.PRIOR
    if row.evidence is EvidenceClass.UNCLEAR:
        return Decided.UNCLEAR
    return Decided.DATA if (row.prior_elasticity or 0.0) <= DECIDED_ELASTICITY else Decided.BOTH


def _last_window(documents: ReportDocuments, name: str) -> WindowEffect:
    known = documents.effects.get(name)
    if known is not None and known.windows:
        return known.windows[-1]
    row = documents.roi[name]
    return WindowEffect(
        first_period="",
        last_period="",
        spend=row.spend,
        contribution_mean=row.contribution_mean,
        contribution_low=row.contribution_low,
        contribution_high=row.contribution_high,
        roas_mean=row.roas_mean,
        roas_low=row.roas_low,
        roas_high=row.roas_high,
    )
