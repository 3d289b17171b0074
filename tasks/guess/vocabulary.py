"""Words by which columns of marketing data are named, and how a column name is taken apart."""

import re
from typing import NamedTuple

from schemas.spec.kpi import KpiKind


def _in_order(text: str) -> list[str]:
    return text.split()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPEND = _words(
    "spend spends spent spending cost costs budget invest investment investments adspend "
    "kosten ausgaben investition investitionen depense depenses gasto gastos"
)
ACTIVITY = _words(
    "impression impressions imps imp click clicks grp grps trp trps view views reach "
    "activity act klicks impressionen kontakte sends sent opens exposure exposures"
)
CONTROL = _words(
    "control ctrl price prices preis promo promos promotion promotions aktion discount "
    "discounts rabatt weather wetter temperature temp temperatur rain holiday holidays "
    "feiertag event index unemployment cpi confidence sentiment covid lockdown stores "
    "distribution inflation"
)
COMPETITOR = _words("competitor competitors competition konkurrenz wettbewerb rival")
MEDIA = _words(
    "tv radio facebook fb google search sem sea ppc display video youtube social print "
    "ooh dooh outdoor tiktok meta instagram pinterest bing affiliate affiliates "
    "influencer podcast billboard cinema kino snapchat linkedin twitter programmatic "
    "retargeting ctv olv newspaper magazine plakat shopping pmax audio "
    "amazon criteo reddit spotify vod bvod dv360 gdn flyer flyers leaflet leaflets "
    "catalog catalogue sponsoring sponsorship sponsorships ads ad"
)
TOTAL = _words("total totals sum all overall gesamt summe alle insgesamt")
"""Of a column that adds up the others."""
CAMPAIGNS = _words("media marketing advertising ads ad paid werbung")
"""What such a total is of."""
OWNED = _words("organic email emails newsletter newsletters crm sms push blog seo")
CALENDAR = _words(
    "t trend dayofyear day week weekofyear weeknumber month quarter year id row unnamed"
)
PERIOD = _words("date week period time day month start datum woche monat ds wk")
ENTITY = _words(
    "geo region market store entity country dma brand product location land filiale state "
    "city area territory segment markt shop"
)
LONG_FORM = _words("channel media medium platform source campaign kanal metric variable")
"""Columns that name what a row is about, where a file has one row per channel and period."""
SIZE = _words("population pop households inhabitants einwohner")
NO_EVENT = frozenset(["na", "n/a", "none", "no", "nan", "null", "0", "-", "false", "nein", "kein"])
"""What a column of events says where there is none."""

KPI_WORDS: dict[str, KpiKind] = {
    **dict.fromkeys(_in_order("revenue umsatz sales turnover gmv erlös"), KpiKind.REVENUE),
    **dict.fromkeys(
        _in_order(
            "conversions orders bestellungen subscriptions signups registrations installs leads "
            "transactions purchases bookings customers visits units quantity"
        ),
        KpiKind.COUNT,
    ),
    **dict.fromkeys(_in_order("kpi target response y"), KpiKind.REVENUE),
}
"""Words for a KPI, the likeliest first, and whether it is money."""

_GLUED = ("spend", "cost", "costs", "impressions", "clicks", "grps")


class Words(NamedTuple):
    """What the name of a column says."""

    column: str
    base: tuple[str, ...]
    """Words of what is bought, without those of how it is measured."""
    all: frozenset[str]
    is_spend: bool
    is_activity: bool


def split_words(column: str) -> list[str]:
    """Return the words of a column name in lower case: at signs, blanks and capitals."""
    parts = re.findall(r"[^\W_]+", re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", column))
    words: list[str] = []
    for part in (p.casefold() for p in parts):
        glued = next((g for g in _GLUED if part.endswith(g) and part != g), None)
        words += [part.removesuffix(glued), glued] if glued else [part]
    return words


def read_name(column: str, *, has_letters: bool) -> Words:
    """Take the name of a column apart.

    Parameters
    ----------
    column
        Name in the file.
    has_letters
        Whether the file marks money by a last letter ``_S``, as in ``tv_S``; then ``_I``, ``_P``
        and ``_C`` mark activity.
    """
    words = split_words(column)
    last = words[-1] if len(words) > 1 and has_letters else ""
    spend = SPEND & set(words) or last == "s"
    activity = ACTIVITY & set(words) or last in {"i", "p", "c"}
    base = [w for w in words if w not in SPEND | ACTIVITY]
    if last in {"s", "i", "p", "c"}:
        base = base[:-1]
    return Words(column, tuple(base), frozenset(words), bool(spend), bool(activity))


def marks_by_letter(columns: list[str]) -> bool:
    """Say whether at least two columns end in ``_S`` for spend."""
    return sum(bool(re.search(r"_S$", column)) for column in columns) > 1
