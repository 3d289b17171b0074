"""Look at a landed file, and write a run spec for it."""

import re
from dataclasses import replace
from pathlib import Path

from schemas.answers.guessed_spec import GuessedLine, GuessedSpec
from schemas.errors import SpecError
from schemas.refs import BatchRef
from schemas.spec.errors import parse_run_spec
from schemas.spec.roles import resolve_roles
from tasks.guess.columns import guess_decimal, guess_roles
from tasks.guess.guess import Guess
from tasks.guess.page import FileFacts, render_spec
from tasks.guess.vocabulary import NO_EVENT
from tasks.mathematics.calendar import detect_grain
from tasks.store.home import current_home
from tasks.store.inputs import landing, profiles
from tasks.store.inputs.allowed_files import require_allowed
from tasks.store.inputs.date_formats import decide_date_format
from tasks.store.inputs.landing_rows import read_date_shapes
from tasks.store.inputs.spec_file import parse_document, write_run_spec
from tasks.store.inputs.text_values import effective_decimal


def propose_spec(
    batch: BatchRef,
    data: Path,
    out: Path,
    *,
    sheet: str | None = None,
    kpi: str | None = None,
    overwrite: bool = False,
) -> GuessedSpec:
    """Guess a run spec for a landed file, check that it can be read, and write it.

    Parameters
    ----------
    batch
        The file as it landed.
    data
        Where it came from, absolute.
    out
        Where the spec goes, absolute.
    sheet
        Sheet of an Excel file, where a person named it.
    kpi
        Column of the KPI, where a person named it.
    overwrite
        Replace a file that is there.

    Raises
    ------
    SpecError
        If the file does not show what a spec needs, or there is a file at ``out`` already.
    """
    if out.exists() and not overwrite:
        raise SpecError(f"--out: {out} is there already; give --force to replace it.")
    with landing.opened(current_home(), batch) as con:
        header = landing.header_of(con)
        seen = profiles.profile_columns(con, header, decimal=".", nothing=NO_EVENT)
        decimal = effective_decimal(batch.source_name, guess_decimal(seen))
        if decimal != ".":
            seen = profiles.profile_columns(con, header, decimal=decimal, nothing=NO_EVENT)
        guess = guess_roles(
            seen, lambda columns: profiles.count_distinct(con, columns), decimal=decimal, kpi=kpi
        )
        facts = replace(_facts(con, batch, guess, decimal, data=data, out=out), sheet=sheet)
    text = render_spec(guess, facts)
    spec = parse_run_spec(parse_document(text, name=out.name, suffix=".yaml"), source=out.name)
    resolve_roles(spec, header)
    write_run_spec(out, text, overwrite=overwrite)
    return GuessedSpec(
        spec=str(out),
        file=str(data),
        dataset_id=facts.dataset_id,
        n_rows=batch.n_rows,
        has_data=facts.data is not None,
        guessed=_lines(guess, facts),
        unused=guess.unused,
    )


def _facts(
    con: profiles.Connection,
    batch: BatchRef,
    guess: Guess,
    decimal: str,
    *,
    data: Path,
    out: Path,
) -> FileFacts:
    reading = decide_date_format(read_date_shapes(con, guess.period), None)
    date_format = reading.date_format
    if date_format is None:
        date_format = _regular_format(con, guess.period)
    events = {}
    if guess.events:
        found = profiles.days_of_values(
            con, guess.events, period=guess.period, date_format=date_format
        )
        events = {name: days for name, days in found.items() if name.casefold() not in NO_EVENT}
    return FileFacts(
        name=batch.source_name,
        data=_named_data(data, out),
        dataset_id=dataset_id_of(data),
        decimal=decimal,
        date_format=None if reading.date_format else date_format,
        grain=detect_grain(profiles.days_of_file(con, guess.period, date_format)),
        n_entities=profiles.count_distinct(con, [guess.entity]) if guess.entity else 1,
        events=events,
    )


def _regular_format(con: profiles.Connection, period: str) -> str:
    """Return the reading of ambiguous dates under which they are weeks or months.

    Raises
    ------
    SpecError
        If none is, or they are written in several ways.
    """
    shapes = [s.shape for s in read_date_shapes(con, period) if s.shape not in ("empty", "other")]
    mark = next((m for m in "/.-" if shapes == [f"d{m}d{m}Y"]), None)
    for order in ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y"):
        written = order.format(mark)
        if mark and detect_grain(profiles.days_of_file(con, period, written)) is not None:
            return written
    raise SpecError(
        f"Column {period!r}: its dates cannot be read one way ({', '.join(shapes)}). Write them as "
        "2024-01-29, or write the spec by hand with date_format."
    )


def _named_data(data: Path, out: Path) -> str | None:
    """Return the file as the spec may name it; None where it may not."""
    try:
        require_allowed(data, named_by="data", beside=out.parent)
    except SpecError:
        return None
    return str(data.relative_to(out.parent)) if data.is_relative_to(out.parent) else str(data)


def dataset_id_of(data: Path) -> str:
    """Return a name for the dataset of a file, from its name."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", data.stem).strip("_.-")[:64]
    return plain or "dataset"


def _lines(guess: Guess, facts: FileFacts) -> list[GuessedLine]:
    keys = [("period_start", guess.period, "period")]
    keys += [("entity_id", guess.entity, "entity")] if guess.entity else []
    keys += [(f"kpi ({guess.kpi_kind.value})", guess.kpi, "kpi")]
    if guess.value_per_unit:
        keys.append(("value_per_unit", guess.value_per_unit, "value_per_unit"))
    lines = [
        GuessedLine(what=what, columns=[column], reason=guess.reasons[key])
        for what, column, key in keys
    ]
    if facts.grain is None:
        why = "the dates are neither weeks nor months: sum daily rows to weeks first"
        lines.insert(1, GuessedLine(what="no grain", columns=[guess.period], reason=why))
    lines += [
        GuessedLine(
            what=f"{c.kind.value} channel {c.name}",
            columns=[column for column in (c.activity, c.spend) if column],
            reason=c.reason,
        )
        for c in guess.channels
    ]
    lines += [
        GuessedLine(what="control", columns=[c], reason=guess.reasons[c]) for c in guess.controls
    ]
    if guess.events:
        what = f"{len(facts.events)} event(s)"
        lines.append(GuessedLine(what=what, columns=[guess.events], reason=guess.reasons["events"]))
    return lines
