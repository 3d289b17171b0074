"""``validation_summary.json``: all layers of one run, reported together."""

from collections.abc import Mapping
from typing import Any

from schemas.documents.data import LayerReport, ValidationSummary
from schemas.outcomes import Finding, Layer, worst


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
