"""When two spellings are one name: case, blanks, invisible characters, ``-`` for ``_``.

Belongs here: the comparison of names, and which column names come close to a prefix. Does not:
which column plays which role (``schemas.spec.roles``).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from schemas.hints import suggest
from schemas.names import (
    ACTIVITY_PREFIX,
    CONTROL_PREFIX,
    ENTITY_COLUMN,
    PERIOD_COLUMN,
    SPEND_PREFIX,
)

PREFIXES = (ACTIVITY_PREFIX, SPEND_PREFIX, CONTROL_PREFIX)
_INVISIBLE = {"Cf", "Cc"}
_SEPARATORS = re.compile(r"[\s_\-]+")
_WORDS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MONEY_WORDS = frozenset({"spend", "spends", "spent", "spending"})
_CONTROL_WORDS = frozenset({"ctrl", "ctl", "cntrl", "control", "controls"})
_ACTIVITY_WORDS = frozenset({"act", "acts", "activity", "activities"})


def plain_text(text: str) -> str:
    """Return a name without what cannot be seen: NFKC, no zero-width characters, single blanks."""
    composed = unicodedata.normalize("NFKC", text)
    shown = "".join(" " if c.isspace() else c for c in composed if c.isspace() or _is_visible(c))
    return " ".join(shown.split())


def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter) not in _INVISIBLE


def spelling_key(text: str) -> str:
    """Return what is equal for spellings of one name that differ in case or blanks alone."""
    return plain_text(text).casefold()


def column_key(column: str) -> str:
    """Return what is equal for spellings of one column: case, blanks, ``-`` and ``_`` aside."""
    return _SEPARATORS.sub("_", spelling_key(column)).strip("_")


def split_prefix(column: str) -> tuple[str, str] | None:
    """Split a column such as ``Spend-TikTok`` into its prefix and its name.

    Returns
    -------
    tuple[str, str] | None
        ``("spend_", "TikTok")``; None where no prefix is meant. A prefix alone is its own name.
    """
    text = plain_text(column)
    for prefix in PREFIXES:
        if text.casefold() == prefix:
            return prefix, text
        found = re.match(rf"{prefix[:-1]}\s*[_\-\s]\s*(.*\S)", text, re.IGNORECASE)
        if found:
            return prefix, found[1]
    return None


def has_prefix(column: str, prefix: str) -> bool:
    """Say whether a column is read by a prefix, whatever its case and separator."""
    found = split_prefix(column)
    return found is not None and found[0] == prefix


def strip_prefix(column: str, prefix: str) -> str:
    """Return the name behind a prefix, or the column where the prefix is not meant."""
    found = split_prefix(column)
    return found[1] if found and found[0] == prefix else column


def find_column(name: str, columns: Iterable[str]) -> str:
    """Return the column that ``name`` means: itself, else the only one like it, else itself."""
    listed = list(columns)
    if name in listed:
        return name
    alike = [c for c in listed if column_key(c) == column_key(name)]
    return alike[0] if len(alike) == 1 else name


def meant_prefix(column: str) -> str | None:
    """Return the prefix that a column seems to mean without having it; None where it means none.

    ``sepnd_x``, ``spendTikTok``, ``tiktok spend`` and ``control_price`` come close; a word of the
    middle does not count for controls and activity.
    """
    if split_prefix(column):
        return None
    words = [w.casefold() for w in _WORDS.findall(_CAMEL.sub(" ", plain_text(column)))]
    if not words:
        return None
    if any(w in _MONEY_WORDS or w.startswith("spend") for w in words) or _is_slip(
        words[0], "spend"
    ):
        return SPEND_PREFIX
    if words[0] in _CONTROL_WORDS or _is_slip(words[0], "ctrl"):
        return CONTROL_PREFIX
    return ACTIVITY_PREFIX if words[0] in _ACTIVITY_WORDS or words[0] == "atc" else None


def _is_slip(word: str, meant: str) -> bool:
    """Say whether one letter is missing, too many, wrong, or two neighbours are swapped."""
    if word == meant or abs(len(word) - len(meant)) > 1:
        return False
    if len(word) == len(meant):
        differing = [i for i, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b]
        swapped = len(differing) == 2 and sorted(word) == sorted(meant)
        return len(differing) == 1 or (swapped and differing[1] == differing[0] + 1)
    short, long = sorted((word, meant), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


class Spelling(NamedTuple):
    """One way in which a file writes a market."""

    text: str
    n_rows: int
    first_line: int


class Unified(NamedTuple):
    """A market that a file writes in several ways, or otherwise than the dataset has it."""

    name: str
    spellings: tuple[Spelling, ...]


def group_spellings(spellings: Sequence[Spelling], stored: Collection[str]) -> list[Unified]:
    """Group the spellings of each market under the name to use, those with one spelling left out.

    The name is the dataset's where it has the market, else the spelling of most rows.
    """
    groups: dict[str, list[Spelling]] = {}
    for one in spellings:
        if key := spelling_key(one.text):
            groups.setdefault(key, []).append(one)
    known = {spelling_key(name): name for name in sorted(stored)}
    names = {key: known.get(key, plain_text(group[0].text)) for key, group in groups.items()}
    return [
        Unified(names[key], tuple(group))
        for key, group in groups.items()
        if len(group) > 1 or group[0].text != names[key]
    ]


def point_to(role: str, column: str, columns: Sequence[str]) -> str:
    """Say which column of a file may be meant where the one that a role asks for is not there.

    A key column has a name of its own in every file, so nothing near is guessed for it where the
    spec gives none.
    """
    there = ", ".join(list(columns)[:20])
    if role == column and role in (ENTITY_COLUMN, PERIOD_COLUMN):
        return f"name it in the spec, as in columns: {{{role}: NAME}}; the file has: {there}"
    return suggest(column, columns, f"it has: {there}")
