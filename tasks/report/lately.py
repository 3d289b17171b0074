"""What happened in the last horizon, and in the last period: numbers and sentences."""

from dataclasses import dataclass

import pandas as pd

from schemas.names import PERIOD_COLUMN, Artifact, ComponentKind
from schemas.words import format_change, format_compact, format_interval, format_ratio, format_share
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.report.documents import ReportDocuments
from tasks.report.today import ChannelToday, Decided, channels_today


@dataclass(frozen=True)
class Lately:
    """The KPI of the last ``n`` periods, and of the same periods a year before where known."""

    n: int
    total: float
    year_before: float | None
    media: float | None
    """Part of it that the model gives to all channels together."""
    media_before: float | None
    expected: float


def measure_lately(documents: ReportDocuments, n: int) -> Lately | None:
    """Sum the last ``n`` periods; None without a fit or with fewer periods."""
    kpi = documents.kpi
    if kpi is None or len(kpi) < n:
        return None
    before = year_before(documents, n)
    media = channel_totals(documents, slice(-n, None))
    earlier = channel_totals(documents, before) if before is not None else None
    return Lately(
        n=n,
        total=float(kpi["actual"].iloc[-n:].sum()),
        year_before=float(kpi["actual"].iloc[before].sum()) if before is not None else None,
        media=float(media.sum()) if media is not None else None,
        media_before=float(earlier.sum()) if earlier is not None else None,
        expected=float(kpi["fitted_mean"].iloc[-n:].sum()),
    )


def year_before(documents: ReportDocuments, n: int) -> slice | None:
    """Places of the same periods a year before the last ``n``; None where history is shorter."""
    year = PERIODS_PER_YEAR[documents.grain]
    n_periods = len(documents.kpi) if documents.kpi is not None else 0
    return slice(-n - year, -year) if n_periods >= n + year else None


def component_totals(documents: ReportDocuments, window: slice) -> pd.DataFrame | None:
    """Contribution per component over some periods, summed over entities.

    Returns
    -------
    pd.DataFrame or None
        Indexed by component: ``kind`` and ``contribution_mean`` (KPI units); None without a fit.
    """
    table = documents.run.frame(Artifact.CONTRIBUTIONS)
    if table is None:
        return None
    chosen = sorted(table[PERIOD_COLUMN].unique())[window]
    part = table[table[PERIOD_COLUMN].isin(chosen)]
    return part.groupby("component", sort=False).agg(
        kind=("kind", "first"), contribution_mean=("contribution_mean", "sum")
    )


def channel_totals(documents: ReportDocuments, window: slice) -> pd.Series | None:
    """Contribution per channel over the periods of ``window``, in the order of the page."""
    table = component_totals(documents, window)
    if table is None:
        return None
    media = table[table["kind"] == ComponentKind.CHANNEL.value]["contribution_mean"]
    return media.reindex(documents.in_order(media.index))


def sentences(documents: ReportDocuments) -> list[str]:
    """Three sentences: the KPI, the part of media in it, and the lead channel."""
    lately = measure_lately(documents, documents.n_recent)
    if lately is None:
        return []
    said = [_kpi_sentence(documents, lately), _media_sentence(lately)]
    lead = lead_channel(documents)
    if lead is not None:
        said.append(_lead_sentence(documents, lead))
    return [sentence for sentence in said if sentence]


def _kpi_sentence(documents: ReportDocuments, lately: Lately) -> str:
    name = documents.spec.kpi_name
    text = f"In the {documents.today_words}, {name} came to {format_compact(lately.total)}"
    if lately.year_before is None:
        return f"{text}; there are no data of a year before."
    change = format_change(lately.total, lately.year_before)
    return f"{text}, {change} against a year before." if change else f"{text}."


def _media_sentence(lately: Lately) -> str:
    if lately.media is None or not lately.expected > 0:
        return ""
    text = (
        f"Media brought {format_compact(lately.media)} of it "
        f"({format_share(lately.media / lately.expected)} of what the model expects)"
    )
    change = format_change(lately.media, lately.media_before) if lately.media_before else None
    return f"{text}, {change} against a year before." if change else f"{text}."


def lead_channel(documents: ReportDocuments) -> ChannelToday | None:
    """Return the channel that brought most in the last horizon; None without one.

    Of those that the data speak of, where there are any: an assumption leads nothing.
    """
    found = [row for row in channels_today(documents) if (row.contribution[0] or 0.0) > 0]
    known = [row for row in found if row.decided in (Decided.DATA, Decided.BOTH)]
    rows = known or found
    return max(rows, key=lambda row: row.contribution[0] or 0.0, default=None)


def is_outdone(documents: ReportDocuments, lead: ChannelToday) -> bool:
    """Whether a channel that the data do not speak of stands above the lead channel."""
    return any(
        (row.contribution[0] or 0.0) > (lead.contribution[0] or 0.0)
        for row in channels_today(documents)
    )


def _lead_sentence(documents: ReportDocuments, lead: ChannelToday) -> str:
    name = documents.spec.kpi_name
    among = "Of channels that the data speak of, " if is_outdone(documents, lead) else ""
    text = f"{among}{lead.name} leads: it brought {format_compact(lead.contribution[0])} {name}"
    if lead.effect_share is not None and lead.spend_share is not None:
        text += (
            f", {format_share(lead.effect_share)} of the effect of media for "
            f"{format_share(lead.spend_share)} of the spend"
        )
    mean, low, high = lead.returned
    if mean is not None:
        text += (
            f" ({documents.words.title} {format_ratio(mean)}, 94 %: {format_interval(low, high)})"
        )
    return f"{text}."
