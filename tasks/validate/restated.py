"""Judge what a batch changes of history: sized, dated, accepted or quarantined.

Belongs here: limits and words. Does not: measuring (``tasks.store.warehouse.restatements``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.documents.restatements import RESTATED_RULE, HistoryChange, Restatement, Vanished
from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.gates import DataGates
from schemas.spec.run_spec import Grain
from schemas.words import format_share
from tasks.mathematics.calendar import n_periods_between

_WORDS = {Grain.WEEK: "week", Grain.MONTH: "month"}


def judge_history(
    history: HistoryChange,
    *,
    file: str | None,
    sources: Mapping[tuple[str, str], str],
    grain: Grain,
    newest_period: date,
    gates: DataGates,
    is_allowed: bool,
) -> list[Finding]:
    """Judge restated columns, the largest first, then what the file no longer has.

    Parameters
    ----------
    history
        What the newest batch changes.
    file
        Name of the file.
    sources
        Source column by role and name; a column that the run does not use is not judged.
    grain, newest_period
        Of the panel: they report how old a change is.
    gates
        ``restated_share_pass`` and ``restated_share_review``.
    is_allowed
        Whether a person has accepted a change above the limit.
    """
    found = sorted(history.restated, key=lambda one: (-one.share, one.role, one.name))
    asked = _Asked(history, file, grain, newest_period, gates, is_allowed)
    findings = [
        _judge_column(one, sources[one.role, one.name], asked)
        for one in found
        if (one.role, one.name) in sources
    ]
    return findings + (_report_vanished(history.vanished, file) if history.vanished else [])


@dataclass(frozen=True)
class _Asked:
    """Arguments of ``judge_history`` that are the same for every column."""

    history: HistoryChange
    file: str | None
    grain: Grain
    newest_period: date
    gates: DataGates
    is_allowed: bool


def _judge_column(one: Restatement, column: str, asked: _Asked) -> Finding:
    history, gates, file = asked.history, asked.gates, asked.file
    is_large = one.share > gates.restated_share_review
    is_decided = asked.is_allowed or history.accepted_from is not None
    verdict, remedy = Verdict.PASS, "Nothing to do: late conversions and corrections look like it."
    if is_large and not is_decided:
        verdict, remedy = Verdict.FAIL, _remedy_of_hold(gates)
    elif one.share > gates.restated_share_pass:
        verdict, remedy = (
            Verdict.REVIEW,
            ("Ask the sender why history changed; canonical.restated keeps the values before."),
        )
    how = ""
    if history.accepted_from is not None:
        how = f" Accepted on {history.accepted_from}."
    elif is_large and asked.is_allowed:
        how = " Accepted with accept_restatement."
    return Finding(
        layer=Layer.CANONICAL,
        rule=RESTATED_RULE,
        verdict=verdict,
        message=f"{file}, column {column!r}: {_size(one)} "
        f"{_dates(one, asked.grain, asked.newest_period)}{how}",
        remedy=remedy,
        file=file,
        column=column,
        n_affected=one.n_values,
    )


def _remedy_of_hold(gates: DataGates) -> str:
    return (
        f"The file is quarantined: more than {format_share(gates.restated_share_review)} of a "
        "column may not change unseen. If it is right, refit once with --accept-restatement "
        "(in a deployment: accept_restatement), or raise gates.data.restated_share_review; if not, "
        "send the file again."
    )


def _size(one: Restatement) -> str:
    verb = "changes" if one.n_values == 1 else "change"
    entities = "1 entity" if one.n_entities == 1 else f"{one.n_entities} entities"
    return (
        f"{one.n_values} of {one.n_known} known values {verb} in {entities}, by "
        f"{format_share(one.share)} of the column's sum,"
    )


def _dates(one: Restatement, grain: Grain, newest_period: date) -> str:
    age = n_periods_between(one.first_period, newest_period, grain)
    word = _WORDS[grain] + ("" if age == 1 else "s")
    if one.first_period == one.last_period:
        return f"in {one.first_period}, {age} {word} before the newest period."
    return (
        f"from {one.first_period} to {one.last_period}, the oldest {age} {word} before the "
        "newest period."
    )


def _report_vanished(gone: Vanished, file: str | None) -> list[Finding]:
    findings = []
    if gone.n_rows:
        findings.append(
            Finding(
                layer=Layer.CANONICAL,
                rule="vanished_history",
                verdict=Verdict.REVIEW,
                message=f"{file}: {gone.n_rows} known row(s) within its dates are not in it: "
                f"{'; '.join(gone.places[:5])}. They stay as they are known.",
                remedy="Give the file whole, or correct wrong rows; leaving out deletes nothing.",
                file=file,
                places=gone.places,
                n_affected=gone.n_rows,
            )
        )
    if gone.n_absent_entities:
        named = ", ".join(gone.absent_entities[:5])
        findings.append(
            Finding(
                layer=Layer.CANONICAL,
                rule="absent_entities",
                verdict=Verdict.PASS,
                message=f"{file}: {gone.n_absent_entities} known entity(ies) are not in it: "
                f"{named}. They stay as they are known.",
                remedy="Nothing to do where each entity has a file of its own.",
                file=file,
                n_affected=gone.n_absent_entities,
            )
        )
    return findings
