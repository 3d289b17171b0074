"""What each channel did in window after window of history, and how fast it works."""

from schemas.documents.base import KpiAmount, Money, NamedRows, Return, Share, SparsePart


class WindowEffect(SparsePart):
    """One channel over the periods of one horizon, with 94 % intervals."""

    first_period: str
    """First day of the first period."""
    last_period: str
    """First day of the last period."""
    spend: Money | None = None
    """Null without a spend column."""
    contribution_mean: KpiAmount
    """Posterior mean; carryover of earlier spend included."""
    contribution_low: KpiAmount
    """Lower end."""
    contribution_high: KpiAmount
    """Upper end."""
    roas_mean: Return | None = None
    """Null without spend, or where a unit of the KPI has no value in money."""
    roas_low: Return | None = None
    """Lower end."""
    roas_high: Return | None = None
    """Upper end."""


class ChannelWindows(SparsePart):
    """One channel: its windows, the oldest first, and the timing of the next percent of it."""

    windows: list[WindowEffect]
    """Whole horizons, counted back from the last fitted period; the last one is today."""
    immediate_share_mean: Share | None = None
    """Share of the effect that comes in the period of the spend; null where there is none."""
    immediate_share_low: Share | None = None
    """Lower end."""
    immediate_share_high: Share | None = None
    """Upper end."""
    within_4_share_mean: Share | None = None
    """Share that comes in the period of the spend and the three after it."""
    within_4_share_low: Share | None = None
    """Lower end."""
    within_4_share_high: Share | None = None
    """Upper end."""


class ChannelEffects(NamedRows[ChannelWindows]):
    """``channel_effects.json``: every channel horizon by horizon, immediate and later effect."""
