"""``validation_summary.json``: all layers of one run, reported together."""

from collections.abc import Mapping
from typing import Any

from schemas.outcomes import Finding, Layer, Verdict, worst


def add_layer(
    summary: Mapping[str, Any],
    *,
    layer: Layer,
    findings: list[Finding],
    facts: Mapping[str, Any],
    expectations: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the summary with one layer added or replaced, and the verdict over all layers.

    Facts of a layer (rows, entities, periods, grain, missing rates) also stand at the top, where
    the latest layer wins.
    """
    reported = {
        "verdict": worst(f.verdict for f in findings).value,
        "findings": [f.model_dump(mode="json") for f in findings],
        **facts,
        "expectations": dict(expectations),
    }
    layers = {**summary.get("layers", {}), layer.value: reported}
    verdict = worst(Verdict(one["verdict"]) for one in layers.values())
    return {**summary, **facts, "verdict": verdict.value, "layers": layers}
