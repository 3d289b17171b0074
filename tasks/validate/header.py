"""What a header says beside its roles: columns nobody reads, names read although spelled otherwise.

Belongs here: words and verdicts. Does not: reading names (``schemas.spec.spelling``).
"""

from collections.abc import Sequence

from schemas.names import CONTROL_PREFIX
from schemas.outcomes import Finding, Layer, Verdict
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import RunSpec
from schemas.spec.spelling import Unified, column_key, meant_prefix, split_prefix

MAX_LISTED = 30
_SIZES = ("population", "pop", "households", "inhabitants", "einwohner")
"""Usual names of the size of a market, as ``column_key`` writes them."""


def judge_header(
    file: str, header: Sequence[str], roles: ColumnRoles, spec: RunSpec
) -> list[Finding]:
    """Report ignored columns, and review those that come close to a prefix the run reads by."""
    used = _used_columns(roles)
    ignored = [column for column in header if column not in used]
    close = [(c, p) for c in ignored if (p := meant_prefix(c)) and _reads_by(p, spec)]
    findings = [_close_finding(file, column, prefix) for column, prefix in close]
    read = {column_key(c): c for c in used}
    findings += [
        _double_finding(file, column, read[key])
        for column in ignored
        if (key := column_key(column)) in read
    ]
    odd = [c for c in used if c in header and _is_respelled(c, spec)]
    if odd:
        findings.append(_respelled_finding(file, odd))
    sizes = [c for c in ignored if column_key(c) in _SIZES]
    if sizes:
        findings.append(_size_finding(file, sizes[0]))
    if others := [c for c in ignored if c not in sizes]:
        findings.append(_ignored_finding(file, others))
    return findings


def _used_columns(roles: ColumnRoles) -> list[str]:
    keys = [roles.period, *([roles.entity] if roles.entity else [])]
    return list(dict.fromkeys([*keys, *roles.numeric_sources().values()]))


def _reads_by(prefix: str, spec: RunSpec) -> bool:
    """Say whether columns are found by a prefix; where the spec names them, it has decided."""
    if prefix == CONTROL_PREFIX:
        return spec.controls is None
    return spec.channels is None and spec.drivers is None


def _is_respelled(column: str, spec: RunSpec) -> bool:
    """Say whether a column was read although it is not written as the spec, or a prefix, has it."""
    named = {*spec.columns.values(), spec.target_col, *(spec.drivers or [])}
    named |= {c for channel in spec.channels or [] for c in (channel.activity, channel.spend) if c}
    named |= {control.name for control in spec.controls or []} | {str(spec.kpi.value_per_unit)}
    if column in named or column in ("entity_id", "period_start"):
        return False
    found = split_prefix(column)
    return found is None or not column.startswith(found[0]) or column != f"{found[0]}{found[1]}"


def _respelled_finding(file: str, columns: Sequence[str]) -> Finding:
    named = _listed(columns)
    return Finding(
        layer=Layer.RAW,
        rule="column_spelling",
        verdict=Verdict.PASS,
        message=f"{file}, line 1: read although spelled otherwise: {named}.",
        remedy="Nothing to do: case, blanks, '-' and '_' make no difference.",
        file=file,
        rows=[1],
        n_affected=len(columns),
    )


def _ignored_finding(file: str, columns: Sequence[str]) -> Finding:
    return Finding(
        layer=Layer.RAW,
        rule="ignored_columns",
        verdict=Verdict.PASS,
        message=f"{file}, line 1: {len(columns)} column(s) are ignored: {_listed(columns)}.",
        remedy="Nothing to do, or name them in the spec (channels, controls, kpi), or give them "
        "the prefix act_, spend_ or ctrl_. Events in words, such as holidays and sales, are named "
        "with their days in model.events.",
        file=file,
        rows=[1],
        n_affected=len(columns),
    )


def _size_finding(file: str, column: str) -> Finding:
    return Finding(
        layer=Layer.RAW,
        rule="size_column",
        verdict=Verdict.PASS,
        message=f"{file}, line 1, column {column!r}: it is ignored, and the size of a market does "
        "not matter: effects are scaled by the KPI of each market.",
        remedy="Nothing to do.",
        file=file,
        column=column,
        rows=[1],
    )


def _close_finding(file: str, column: str, prefix: str) -> Finding:
    return Finding(
        layer=Layer.RAW,
        rule="near_miss_column",
        verdict=Verdict.REVIEW,
        message=f"{file}, line 1, column {column!r}: it is ignored, but looks like a column with "
        f"the prefix {prefix}.",
        remedy=f"Name it {prefix}<name> in the file, name the columns in the spec (channels, "
        "controls), or rename it if it is none.",
        file=file,
        column=column,
        rows=[1],
    )


def _double_finding(file: str, column: str, read: str) -> Finding:
    return Finding(
        layer=Layer.RAW,
        rule="near_miss_column",
        verdict=Verdict.REVIEW,
        message=f"{file}, line 1, column {column!r}: it is ignored, because {read!r} is read.",
        remedy="Keep one of them, or give them names that differ in more than case and blanks.",
        file=file,
        column=column,
        rows=[1],
    )


def judge_spellings(file: str, column: str | None, unified: Sequence[Unified]) -> list[Finding]:
    """Report every market that is written in several ways and read as one."""
    return [
        Finding(
            layer=Layer.RAW,
            rule="entity_spelling",
            verdict=Verdict.PASS,
            message=f"{file}, column {column!r}: {' and '.join(_written(one))} are one market, "
            f"read as {one.name!r}.",
            remedy="Nothing to do if they are; else give them names that differ in more than "
            "case, blanks and invisible characters.",
            file=file,
            column=column,
            rows=[s.first_line for s in one.spellings][:10],
            n_affected=sum(s.n_rows for s in one.spellings),
        )
        for one in unified
        if any(s.text.strip() != one.name for s in one.spellings)
    ]


def _written(one: Unified) -> list[str]:
    """Spellings with what cannot be seen written out."""
    return [f"{_shown(s.text)} ({s.n_rows} rows from line {s.first_line})" for s in one.spellings]


def _shown(text: str) -> str:
    visible = (
        c if c == " " or (c.isprintable() and not c.isspace()) else ascii(c)[1:-1] for c in text
    )
    return "'" + "".join(visible) + "'"


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(c) for c in columns[:MAX_LISTED])
    more = len(columns) - MAX_LISTED
    return f"{shown} and {more} more" if more > 0 else shown
