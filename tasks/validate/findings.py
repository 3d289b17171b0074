"""Turn plain expectation results into findings that a marketer can act on.

Belongs here: filling a rule's message from what failed. Does not: the rules, running expectations.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.documents.data import LayerReport, ValidationSummary
from schemas.names import ENTITY_COLUMN, LINE_COLUMN, PERIOD_COLUMN
from schemas.outcomes import MAX_PLACES, Finding, Layer, Verdict, worst
from schemas.words import format_number

MAX_EXAMPLES = 5


def findings_of(
    plain: Mapping[str, Any],
    *,
    layer: Layer,
    file: str | None,
    names: Mapping[str, str],
    facts: Mapping[str, Any],
) -> list[Finding]:
    """Return one finding per failed expectation.

    Parameters
    ----------
    plain
        Result of ``tasks.store.gx.run_suite``.
    layer
        The layer that was judged.
    file
        Name of the file, if one is at fault.
    names
        What ``$name`` in ``meta.column`` stands for.
    facts
        Further words that messages use, such as limits.
    """
    failed = [r for r in plain["results"] if not r["success"]]
    reported = {(r["meta"]["rule"], r["meta"].get("column")) for r in failed}
    return [
        _finding(r, layer=layer, file=file, names=names, facts=facts)
        for r in failed
        if (r["meta"].get("unless"), r["meta"].get("column")) not in reported
    ]


def panel_finding(
    rule: str,
    verdict: Verdict,
    message: str,
    remedy: str,
    *,
    column: str | None = None,
    places: Sequence[str] = (),
    n_affected: int | None = None,
) -> Finding:
    """Return a finding of a rule over the panel as a whole.

    Parameters
    ----------
    rule, verdict, message, remedy, column
        As in ``Finding``.
    places
        Where it was found; the first ``MAX_PLACES`` are named.
    n_affected
        How many there are; default: as many as places.
    """
    return Finding(
        layer=Layer.CANONICAL,
        rule=rule,
        verdict=verdict,
        message=message,
        remedy=remedy,
        column=column,
        places=list(places)[:MAX_PLACES],
        n_affected=n_affected or len(places) or None,
    )


def _finding(
    result: Mapping[str, Any],
    *,
    layer: Layer,
    file: str | None,
    names: Mapping[str, str],
    facts: Mapping[str, Any],
) -> Finding:
    meta = result["meta"]
    column = meta.get("column")
    if column and column.startswith("$") and column[1:] in names:
        column = names[column[1:]]
    failing: Sequence[Mapping[str, Any]] = result["unexpected"]
    count = result["unexpected_count"]
    rows = [int(row[LINE_COLUMN]) for row in failing if LINE_COLUMN in row]
    keys = [key_of(row) for row in failing if LINE_COLUMN not in row and ENTITY_COLUMN in row]
    words = {
        **facts,
        "n": count,
        "share": f"{(count or 0) / (result['element_count'] or 1):.1%}",
        "examples": "; ".join(_example(row) for row in failing[:MAX_EXAMPLES]),
        "keys": "; ".join(keys[:MAX_EXAMPLES]),
        "observed": _measured(result["observed"]),
        "partner": facts.get("partners", {}).get(column, "another channel"),
    }
    where = ", ".join(part for part in (file, f"column {column!r}" if column else None) if part)
    return Finding(
        layer=layer,
        rule=meta["rule"],
        verdict=Verdict(meta["verdict"]),
        message=f"{where}: {meta['message'].format(**words)}"
        if where
        else meta["message"].format(**words),
        remedy=meta["remedy"],
        file=file,
        column=column,
        rows=rows[:MAX_PLACES],
        places=keys[:MAX_PLACES],
        n_affected=count,
    )


def key_of(row: Mapping[str, Any]) -> str:
    """Render the key of a row as ``entity, period``."""
    return f"{row[ENTITY_COLUMN]}, {str(row[PERIOD_COLUMN])[:10]}"


def _example(row: Mapping[str, Any]) -> str:
    place = f"line {row[LINE_COLUMN]}" if LINE_COLUMN in row else key_of(row)
    values = [v for k, v in row.items() if k not in (LINE_COLUMN, ENTITY_COLUMN, PERIOD_COLUMN)]
    if not values and LINE_COLUMN in row and PERIOD_COLUMN in row:
        return f"{place} ({key_of(row)})"
    return f"{place} ({', '.join(_shown(v) for v in values)})" if values else place


def _shown(value: Any) -> str:
    return _number(value) if isinstance(value, int | float) else repr(str(value)[:60])


def _measured(value: Any) -> str:
    """Write what was worked out: four digits, for no one reads 4.72727 rows."""
    if not isinstance(value, int | float):
        return str(value)
    return format_number(value) if abs(value) >= 1 else f"{value:.4g}"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)


def add_layer(
    summary: ValidationSummary | None,
    *,
    layer: Layer,
    findings: list[Finding],
    facts: Mapping[str, Any],
    expectations: Mapping[str, Any],
) -> ValidationSummary:
    """Return the summary with one layer added or replaced, and the verdict over all layers.

    Facts of a layer (rows, entities, periods, grain, missing rates) also stand at the top, where
    the latest layer wins.
    """
    reported = LayerReport(
        verdict=worst(f.verdict for f in findings),
        findings=findings,
        expectations=dict(expectations),
        **facts,
    )
    layers = {**(summary.layers if summary else {}), layer.value: reported}
    verdict = worst(one.verdict for one in layers.values())
    before = summary.model_dump(exclude={"verdict", "layers"}) if summary else {}
    return ValidationSummary(**{**before, **facts}, verdict=verdict, layers=layers)
