"""The sentence of one channel's change. No numbers are made here."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.documents.changes import CLEAR, Factor, Part
from schemas.words import format_share
from tasks.explain.orders import JOINED
from tasks.explain.route import Split

FACTOR_WORDS = {
    Factor.NOISE: "sampling noise",
    Factor.NEW_PERIODS: "new periods",
    Factor.RESTATED: "restated history",
    Factor.SPEC_OR_CODE: "the changed spec or code",
}
_QUANTITY_WORDS = {"roas": "ROAS", "share": "share of the KPI"}
RANGE_MATTERS = 0.25
"""A range over orders is reported where it is more than this share of the part."""
_NO_MORE = "not more than sampling noise"


class Move(NamedTuple):
    """What changed: the return of one channel, from one run to another."""

    channel: str
    quantity: str
    before: float
    after: float


class _Unit(NamedTuple):
    """How a difference is written."""

    scale: float
    name: str
    digits: int


def report_change(move: Move, split: Split, main_cause: str, changed: Sequence[Factor]) -> str:
    """Write one line: from what to what, the main cause, and each part with how sure it is."""
    channel, quantity, before, after = move
    # As many digits as the table beside it has: sentence and numbers agree.
    digits = 3 if max(abs(before), abs(after)) >= 0.1 else 5
    unit = _Unit(1.0, "", digits) if quantity == "roas" else _Unit(100.0, " points", 2)
    moved = f"{_number(before, unit)} to {_number(after, unit)}"
    head = f"{channel}: {_QUANTITY_WORDS[quantity]} {moved} ({_signed(after - before, unit)})"
    if not changed and after == before:
        return f"{channel}: {_QUANTITY_WORDS[quantity]} {_number(after, unit)}, unchanged."
    is_named = main_cause != Factor.NOISE
    reported = [
        FACTOR_WORDS[factor]
        + _report_part(split.parts[factor], unit, factor, is_named=is_named)
        + _report_range(split, factor, unit)
        for factor in Factor
        if factor in split.parts and (factor in changed or factor is Factor.NOISE)
    ]
    if split.unsplit is not None:
        together = " and ".join(FACTOR_WORDS[factor] for factor in split.unsplit_of)
        size = _report_part(split.unsplit, unit, None, is_named=is_named)
        reported.append(f"{together}{size}, which could not be told apart")
    return f"{head}. {_report_cause(main_cause, split)}: {'; '.join(reported)}."


def _report_cause(main_cause: str, split: Split) -> str:
    if main_cause == Factor.NOISE:
        return "No more than sampling noise"
    if main_cause == "unsplit":
        return "Mainly " + " and ".join(FACTOR_WORDS[factor] for factor in split.unsplit_of)
    return f"Mainly {FACTOR_WORDS[Factor(main_cause)]}"


def _report_part(part: Part, unit: _Unit, factor: Factor | None, *, is_named: bool) -> str:
    """Size of a part; that it is no more than noise goes without saying where all of them are."""
    reported = f" {_signed(part.value, unit)}"
    is_plain = factor is Factor.NOISE or part.is_clear or not is_named
    return reported if is_plain else f"{reported} ({_NO_MORE})"


def _report_range(split: Split, factor: Factor, unit: _Unit) -> str:
    """What the factor changed over the orders, where that is more than chance and matters."""
    low, high = split.ranges.get(factor, (0.0, 0.0))
    part = split.parts[factor]
    if high - low <= max(CLEAR * part.mcse, RANGE_MATTERS * abs(part.value)):
        return ""
    return f" ({_signed(low, unit)} to {_signed(high, unit)} by order)"


def state_words(name: str) -> str:
    """Name a fit in words: the factors that are let in, or sampling noise."""
    return " with ".join(FACTOR_WORDS[Factor(part)] for part in name.split(JOINED))


def _number(value: float, unit: _Unit) -> str:
    return f"{value:.{unit.digits}f}" if unit.scale == 1 else format_share(value)


def _signed(value: float, unit: _Unit) -> str:
    shown = round(unit.scale * value, unit.digits) + 0.0
    return f"{shown:+.{unit.digits}f}{unit.name}"  # no minus before a zero
