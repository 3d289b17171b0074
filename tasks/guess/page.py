"""The proposed run spec as commented YAML.

Belongs here: a guess to text. Does not: guessing. Invariant: what comes from the file is quoted as
a JSON string, which is YAML too, so no name of a column can end a line or open a key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.spec.channels import ChannelKind
from schemas.spec.kpi import KpiKind
from schemas.spec.run_spec import Grain
from tasks.guess.guess import Guess

MAX_EVENT_DAYS = 200
"""Days of all events together up to which they are written out."""
_HEAD = """\
# Run spec for {file}, proposed by `mmm init`.
# Every line is a guess from names and values: read it once and correct it; `mmm refit --spec FILE`
# then fits it. All keys: schemas/README.md.
"""


@dataclass(frozen=True)
class FileFacts:
    """What is known of the file beside its columns."""

    name: str
    data: str | None
    """As the spec names it; None where it may not be named from where the spec lies."""
    dataset_id: str
    decimal: str
    date_format: str | None
    """None where dates are read without being told how."""
    grain: Grain | None
    n_entities: int
    events: Mapping[str, Sequence[date]]
    """First days of the periods of each event."""
    sheet: str | None = None


def render_spec(guess: Guess, facts: FileFacts) -> str:
    """Return the run spec as commented YAML.

    Parameters
    ----------
    guess
        Roles of the columns.
    facts
        What else is known of the file.
    """
    blocks = [
        _HEAD.format(file=_quoted(facts.name)),
        _file_block(guess, facts),
        _kpi_block(guess),
        _channel_block(guess),
        _control_block(guess),
        _event_block(guess, facts),
        _unused_block(guess),
    ]
    return "\n".join(block for block in blocks if block)


def _file_block(guess: Guess, facts: FileFacts) -> str:
    lines = [f"dataset_id: {_quoted(facts.dataset_id)}  # name in the warehouse and in MLflow"]
    if facts.data is None:
        lines.append("# data: the file lies where a spec may not name it; give `--data FILE`")
    else:
        lines.append(f"data: {_quoted(facts.data)}  # `--data` overrides it")
    if facts.sheet is not None:
        lines.append(f"sheet: {_quoted(facts.sheet)}")
    lines.append("columns:")
    lines.append(f"  period_start: {_quoted(guess.period)}  # {guess.reasons['period']}")
    if guess.entity:
        lines.append(f"  entity_id: {_quoted(guess.entity)}  # {guess.reasons['entity']}")
    if facts.date_format:
        lines.append(f"date_format: {_quoted(facts.date_format)}  # how dates are written")
    if facts.decimal == ",":
        lines.append('decimal: ","  # numbers have a decimal comma')
    if facts.grain:
        lines.append(f"grain: {facts.grain.value}  # by the distance of the dates")
    else:
        lines.append("# grain: neither WEEK nor MONTH for most dates; sum daily rows first")
    return "\n".join(lines) + "\n"


def _kpi_block(guess: Guess) -> str:
    is_money = guess.kpi_kind is KpiKind.REVENUE
    what = "money: results speak of ROAS" if is_money else "a count: of cost per unit"
    lines = [
        f"target_col: {_quoted(guess.kpi)}  # the KPI: {guess.reasons['kpi']}",
        "kpi:",
        f"  kind: {guess.kpi_kind.value}  # {what}; revenue or count",
    ]
    if guess.value_per_unit:
        why = guess.reasons["value_per_unit"]
        lines.append(f"  value_per_unit: {_quoted(guess.value_per_unit)}  # {why}")
    elif not is_money:
        lines.append(
            "  # value_per_unit: 20   # what one is worth in money, so that ROAS can be said"
        )
    return "\n".join(lines) + "\n"


def _channel_block(guess: Guess) -> str:
    lines = [
        "channels:  # kind: paid (default), owned (nobody is paid for it), competitor",
    ]
    for channel in guess.channels:
        fields = [f"name: {_quoted(channel.name)}"]
        if channel.kind is not ChannelKind.PAID:
            fields.append(f"kind: {channel.kind.value}")
        if channel.activity is not None:
            fields.append(f"activity: {_quoted(channel.activity)}")
        if channel.spend is not None:
            fields.append(f"spend: {_quoted(channel.spend)}")
        lines.append(f"  - {{{', '.join(fields)}}}  # {channel.reason}")
    return "\n".join(lines) + "\n"


def _control_block(guess: Guess) -> str:
    if not guess.controls:
        return "controls: []  # what is not media: price, promotions, weather\n"
    lines = ["controls:  # what moves the KPI and is not media"]
    lines += [f"  - {_quoted(column)}  # {guess.reasons[column]}" for column in guess.controls]
    return "\n".join(lines) + "\n"


def _event_block(guess: Guess, facts: FileFacts) -> str:
    if guess.events is None or not facts.events:
        return ""
    length = {Grain.WEEK: 7}.get(facts.grain or Grain.WEEK, 28)
    head = (
        f"# Column {_quoted(guess.events)} is {guess.reasons['events']}: events, by their days.\n"
        "# Add the ones that are coming."
    )
    n_days = length * sum(len(days) for days in facts.events.values())
    if n_days > MAX_EVENT_DAYS:
        names = ", ".join(_quoted(name) for name in list(facts.events)[:10])
        return (
            f"{head}\n# They are too many to write out ({names}); write the ones that matter:\n"
            '# model: {events: [{name: "sale", dates: [2024-11-29]}]}\n'
        )
    lines = [head, "model:", "  events:"]
    for name, starts in facts.events.items():
        days = [start + timedelta(days=n) for start in starts for n in range(length)]
        lines.append(f"    - {{name: {_quoted(name)}, dates: [{', '.join(map(str, days))}]}}")
    return "\n".join(lines) + "\n"


def _unused_block(guess: Guess) -> str:
    if not guess.unused:
        return ""
    lines = ["# Columns that are not used. To use one, name it under channels or controls."]
    lines += [f"#   {_quoted(column)}: {reason}" for column, reason in guess.unused.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a string as JSON, which YAML reads too, with what is not printed escaped."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in written)
