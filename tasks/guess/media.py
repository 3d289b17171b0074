"""Channels and controls, from the names of columns: spend and activity of one thing are paired.

Belongs here: what is bought and how it is measured. Does not: keys and the KPI (``columns``).
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from schemas.column_profile import ColumnProfile
from schemas.spec.channels import ChannelKind
from schemas.spec.name_rule import KEPT_FOR_COMPONENTS
from tasks.guess.guess import Guess, GuessedChannel
from tasks.guess.vocabulary import (
    CAMPAIGNS,
    COMPETITOR,
    CONTROL,
    MEDIA,
    OWNED,
    TOTAL,
    Words,
    marks_by_letter,
    read_name,
)

MAX_CREDITED = 0.1
"""Share of negative cells up to which they are credit notes among spend; more are no media."""


def guess_media(guess: Guess, left: Sequence[ColumnProfile]) -> None:
    """Sort columns into channels, controls, and what nobody can say from its name.

    Parameters
    ----------
    guess
        Gets them; what it says is not used stays so.
    left
        Columns of numbers that are neither key nor KPI.
    """
    letters = marks_by_letter([p.name for p in left])
    channels: dict[tuple[str, ...], dict[str, Words]] = {}
    for profile in left:
        if profile.name in guess.unused:
            continue
        name = read_name(profile.name, has_letters=letters)
        measure = _measure(name, profile)
        if measure is None:
            _add_control(guess, name, profile)
        elif measure in channels.setdefault(name.base, {}):
            first = channels[name.base][measure].column
            guess.unused[profile.name] = f"measures the same as {first!r}"
        else:
            channels[name.base][measure] = name
    _leave_totals_out(guess, channels)
    credited = {p.name for p in left if p.share_negative}
    taken: set[str] = set()
    for base, found in channels.items():
        channel = _channel(base, found, taken)
        if {channel.activity, channel.spend} & credited:
            reason = f"{channel.reason}; set its negative cells (credit notes) to 0"
            channel = replace(channel, reason=reason)
        guess.channels.append(channel)


def _leave_totals_out(guess: Guess, channels: dict[tuple[str, ...], dict[str, Words]]) -> None:
    """Take out a column that is the total of the others, where its name says so."""
    totals = [base for base in channels if set(base) & TOTAL and set(base) <= TOTAL | CAMPAIGNS]
    if len(channels) - len(totals) < 2:
        return
    for base in totals:
        for words in channels.pop(base).values():
            guess.unused[words.column] = "is a total of other channels, by its name"


def _measure(name: Words, profile: ColumnProfile) -> str | None:
    """Return whether a column is spend or activity of a channel; None where it is neither."""
    if profile.share_negative > MAX_CREDITED or not name.base:
        return None
    if name.all & CONTROL or (
        name.all & COMPETITOR and not (name.is_spend or "sales" not in name.all)
    ):
        return None
    if name.is_spend:
        return "spend"
    if name.is_activity or name.all & OWNED:
        return "activity"
    is_numbered = re.fullmatch(r"x\d+", name.base[0]) is not None
    return "spend" if name.all & MEDIA or is_numbered else None


def _channel(
    base: tuple[str, ...], found: dict[str, Words], taken: set[str]
) -> GuessedChannel:  # fmt: skip
    named = base[1:] if len(base) > 1 and re.fullmatch(r"x\d+", base[0]) else base
    name = "_".join(named)
    while name in taken or name in KEPT_FOR_COMPONENTS:
        name += "_2"
    taken.add(name)
    words = frozenset().union(*(w.all for w in found.values()))
    kind = ChannelKind.PAID
    if words & COMPETITOR:
        kind = ChannelKind.COMPETITOR
    elif words & OWNED and "spend" not in found:
        kind = ChannelKind.OWNED
    return GuessedChannel(
        name=name,
        kind=kind,
        activity=found["activity"].column if "activity" in found else None,
        spend=found["spend"].column if "spend" in found else None,
        reason=_channel_reason(found, kind),
    )


def _channel_reason(found: dict[str, Words], kind: ChannelKind) -> str:
    plain = next(iter(found.values()))
    if len(found) > 1:
        return "paired by name"
    if plain.is_spend or plain.is_activity:
        return "by name"
    if kind is ChannelKind.OWNED:
        return "by name; nobody is paid for it"
    return "taken for money; write activity instead of spend if it counts contacts"


def _add_control(guess: Guess, name: Words, profile: ColumnProfile) -> None:
    if name.all & (CONTROL | COMPETITOR):
        guess.controls.append(profile.name)
        word = next(iter(sorted(name.all & (CONTROL | COMPETITOR))))
        guess.reasons[profile.name] = f"its name says {word!r}"
    else:
        guess.unused[profile.name] = "its name does not say what it is"
