"""Words by which columns of marketing data are named, and how a column name is taken apart."""

import re
from typing import NamedTuple

from schemas.spec.kpi import KpiKind

SPEND = frozenset(
    "spend spends spent spending cost costs budget invest investment investments adspend kosten "
    "ausgaben investition investitionen depense depenses gasto gastos".split()
)
ACTIVITY = frozenset(
    "impression impressions imps imp click clicks grp grps trp trps view views reach activity act "
    "klicks impressionen kontakte sends sent opens exposure exposures".split()
)
CONTROL = frozenset(
    "control ctrl price prices preis promo promos promotion promotions aktion discount discounts "
    "rabatt weather wetter temperature temp temperatur rain holiday holidays feiertag event index "
    "unemployment cpi confidence sentiment covid lockdown stores distribution inflation".split()
)
COMPETITOR = frozenset("competitor competitors competition konkurrenz wettbewerb rival".split())
MEDIA = frozenset(
    "tv radio facebook fb google search sem sea ppc display video youtube social print ooh dooh "
    "outdoor tiktok meta instagram pinterest bing affiliate affiliates influencer podcast "
    "billboard cinema kino snapchat linkedin twitter programmatic retargeting ctv olv newspaper "
    "magazine plakat shopping pmax audio".split()
)
OWNED = frozenset("organic email emails newsletter newsletters crm sms push blog seo".split())
CALENDAR = frozenset(
    "t trend dayofyear day week weekofyear weeknumber month quarter year id row unnamed".split()
)
PERIOD = frozenset("date week period time day month start datum woche monat ds wk".split())
ENTITY = frozenset(
    "geo region market store entity country dma brand product location land filiale state city "
    "area territory segment markt shop".split()
)
LONG_FORM = frozenset("channel media medium platform source campaign kanal metric variable".split())
"""Columns that name what a row is about, where a file has one row per channel and period."""
SIZE = frozenset("population pop households inhabitants einwohner".split())
NOTHING = frozenset(["na", "n/a", "none", "no", "nan", "null", "0", "-", "false", "nein", "kein"])
"""What a column of events says where there is none."""

KPI_WORDS: dict[str, KpiKind] = {
    **dict.fromkeys("revenue umsatz sales turnover gmv erlös".split(), KpiKind.REVENUE),
    **dict.fromkeys(
        "conversions orders bestellungen subscriptions signups registrations installs leads "
        "transactions purchases bookings customers visits units quantity".split(),
        KpiKind.COUNT,
    ),
    **dict.fromkeys("kpi target response y".split(), KpiKind.REVENUE),
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
