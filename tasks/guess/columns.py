"""Which column may be what, guessed from its name and its values.

Belongs here: pure decisions over profiles. Does not: reading the file, writing the spec.
Invariant: every column ends in exactly one place, with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.column_profile import ColumnProfile
from schemas.errors import SpecError
from schemas.spec.kpi import KpiKind
from tasks.guess.guess import Guess
from tasks.guess.media import guess_media
from tasks.guess.numbers import LEAST_NUMBERS, NEARLY_ALL, NO_NUMBER, PLAIN, Distinct, keep_numbers
from tasks.guess.vocabulary import (
    COMPETITOR,
    CONTROL,
    ENTITY,
    KPI_WORDS,
    LONG_FORM,
    OWNED,
    PERIOD,
    marks_by_letter,
    read_name,
    split_words,
)

MIN_PERIODS = 8


def guess_decimal(profiles: Sequence[ColumnProfile]) -> str:
    """Return the decimal mark of a text file: a comma where columns are numbers with it alone."""
    comma = sum(p.share_comma_numbers > p.share_numbers + 0.01 for p in profiles)
    point = sum(p.share_numbers > p.share_comma_numbers + 0.01 for p in profiles)
    return "," if comma > point else "."


def guess_roles(
    profiles: Sequence[ColumnProfile], distinct: Distinct, *, decimal: str, kpi: str | None = None
) -> Guess:
    """Guess what every column is.

    Parameters
    ----------
    profiles
        In the order of the file.
    distinct
        Counts different rows of some columns.
    decimal
        Decimal mark of its numbers.
    kpi
        Column of the KPI, where a person named it.

    Raises
    ------
    SpecError
        If no column holds dates, rows cannot be told apart by any one column beside it, no column
        can be the KPI, or none is a channel.
    """
    period = _guess_period(profiles)
    guess = Guess(period=period.name)
    guess.reasons["period"] = f"{period.share_dates:.0%} of its values are dates"
    n_rows = max(p.n_given for p in profiles)
    rest = [p for p in profiles if p is not period]
    entity = _guess_entity(rest, period, distinct, n_rows)
    if entity is not None:
        guess.entity = entity.name
        guess.reasons["entity"] = f"{entity.n_distinct} values, one row per period for each"
        rest = [p for p in rest if p is not entity]
    numbers = keep_numbers(guess, rest, decimal, distinct, n_periods=period.n_distinct)
    _guess_kpi(guess, numbers, named=kpi)
    left = [p for p in numbers if p.name not in (guess.kpi, guess.value_per_unit)]
    guess_media(guess, left)
    if not guess.channels:
        raise SpecError(
            "No column looks like media: none is named after a medium, spend, cost, impressions, "
            "clicks or GRPs. Write the spec by hand and name channels in it; all keys are in "
            "schemas/README.md."
        )
    _name_faults(guess)
    return guess


def _name_faults(guess: Guess) -> None:
    """Say of every column that is used which of its cells a check of the file will refuse."""
    for key, column in (("kpi", guess.kpi), ("value_per_unit", guess.value_per_unit)):
        if column in guess.faults:
            guess.reasons[key] += f"; {guess.faults[column]}"
    for column in set(guess.controls) & set(guess.faults):
        guess.reasons[column] += f"; {guess.faults[column]}"
    for place, channel in enumerate(guess.channels):
        faults = [guess.faults[c] for c in (channel.activity, channel.spend) if c in guess.faults]
        guess.channels[place] = replace(channel, reason="; ".join([channel.reason, *faults]))


def _guess_period(profiles: Sequence[ColumnProfile]) -> ColumnProfile:
    dated = [
        p for p in profiles if p.share_dates >= NEARLY_ALL and p.n_distinct >= MIN_PERIODS
    ]  # fmt: skip
    named = [p for p in dated if PERIOD & set(split_words(p.name))]
    # Eight digits are a date or a number of impressions: without a name that says so, a number.
    plain = [p for p in dated if p.share_numbers < NEARLY_ALL]
    if not (found := named or plain):
        raise SpecError(
            f"No column of dates was found among {listed([p.name for p in profiles])}; one row "
            f"per period needs the date on which it starts, such as 2024-01-29.{_closest(profiles)}"
        )
    return found[0]


def _closest(profiles: Sequence[ColumnProfile]) -> str:
    """Say what stands in a column that is named after time."""
    named = [
        p for p in profiles if PERIOD & set(split_words(p.name)) and p.share_dates < LEAST_NUMBERS
    ]
    text = next((p for p in named if p.odd), None)
    if text is not None:
        return f" In column {text.name!r} stands {text.odd[:40]!r}: write its first day alone."
    if named:
        return (
            f" Column {named[0].name!r} counts periods: write the first day of each in its place."
        )
    return ""


def _guess_entity(
    rest: Sequence[ColumnProfile], period: ColumnProfile, distinct: Distinct, n_rows: int
) -> ColumnProfile | None:
    """Return the column that, with the period, tells rows apart; None where the period does."""
    if distinct([period.name]) >= n_rows:
        return None
    able = [
        p for p in rest
        if 1 < p.n_distinct <= n_rows / 2
        and (p.share_numbers < NEARLY_ALL or ENTITY & set(split_words(p.name)))
    ]  # fmt: skip
    able.sort(key=lambda p: (not ENTITY & set(split_words(p.name)), p.n_distinct))
    fits = [p for p in able if distinct([period.name, p.name]) >= n_rows]
    long = next((p for p in able if LONG_FORM & set(split_words(p.name))), None)
    if long is not None and (not fits or fits[0] is long):
        raise SpecError(
            f"Column {long.name!r} says what a row is about ({listed(long.values[:4])}), so the "
            f"file has several rows per period, one for each. Pivot it: one row per period (and "
            "market), with a column for the spend of each channel."
        )
    if not fits:
        raise SpecError(
            f"Column {period.name!r} has the same date in several rows, and no single column tells "
            f"them apart{_tried(able)}. Give one row per period and market: sum over the rest, or "
            "join the columns that tell rows apart to one."
        )
    return fits[0]


def _tried(able: Sequence[ColumnProfile]) -> str:
    return f" (tried: {listed([p.name for p in able])})" if able else ""


@dataclass(frozen=True)
class _Outcome:
    """A column that may be the KPI: how likely by its word, and how plain its name is."""

    rank: int
    n_words: int
    column: str
    word: str


def _guess_kpi(guess: Guess, numbers: Sequence[ColumnProfile], *, named: str | None) -> None:
    able = _outcomes(guess, numbers)
    columns = [p.name for p in numbers]
    if named is not None:
        if named not in columns:
            raise SpecError(f"--kpi: {named!r} is no column of numbers of the file.")
        chosen = next((o for o in able if o.column == named), None)
        guess.kpi, guess.reasons["kpi"] = named, "named by --kpi"
    elif able:
        chosen = min(able, key=lambda o: (o.rank, o.n_words))
        guess.kpi, guess.reasons["kpi"] = chosen.column, f"its name says {chosen.word!r}"
    else:
        raise SpecError(_no_kpi(guess, columns))
    guess.kpi_kind = KPI_WORDS[chosen.word] if chosen else KpiKind.REVENUE
    for outcome in able:
        if outcome.column != guess.kpi:
            why = "is another KPI: an outcome must not explain an outcome"
            guess.unused[outcome.column] = why
    _guess_value(guess)


def _no_kpi(guess: Guess, numbers: Sequence[str]) -> str:
    words = set(KPI_WORDS)
    as_text = [
        column for column, why in guess.unused.items()
        if why == NO_NUMBER and words & set(split_words(column))
    ]  # fmt: skip
    if as_text:
        return (
            f"Column {as_text[0]!r} has the name of a KPI, and its values are no plain numbers: "
            f"{PLAIN} So in the columns of media."
        )
    return (
        "No column looks like a KPI (revenue, sales, orders ...); name it with --kpi, one of "
        f"{listed(numbers) if numbers else 'none: no column is a number'}."
    )


def _outcomes(guess: Guess, numbers: Sequence[ColumnProfile]) -> list[_Outcome]:
    """Return what may be the KPI; the value of a unit of one goes into the guess."""
    order, other = list(KPI_WORDS), COMPETITOR | OWNED | CONTROL
    letters = marks_by_letter([p.name for p in numbers])
    able = []
    for profile in numbers:
        name = read_name(profile.name, has_letters=letters)
        found = next((word for word in order if word in name.all), None)
        if found and ("per" in name.all or "aov" in name.all):
            guess.value_per_unit = guess.value_per_unit or profile.name
        elif found and not (name.is_spend or name.is_activity or name.all & other):
            able.append(_Outcome(order.index(found), len(name.all), profile.name, found))
    return able


def _guess_value(guess: Guess) -> None:
    if guess.value_per_unit and guess.kpi_kind is KpiKind.REVENUE:
        guess.unused[guess.value_per_unit] = "the KPI is money already"
        guess.value_per_unit = None
    elif guess.value_per_unit:
        guess.reasons["value_per_unit"] = "money that one unit of the KPI stands for"


def listed(names: Sequence[str]) -> str:
    """Write some names for a message, long ones and long lists cut."""
    shown = ", ".join(repr(name[:60]) for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown
