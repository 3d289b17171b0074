"""Can we trust it: gates in plain words, then what was found in the data."""

from collections.abc import Sequence

from schemas.documents.data import ValidationSummary
from schemas.documents.diagnostics import Diagnostics, JudgedGate, LiftTestOutcome
from schemas.documents.effects import FitMetrics
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.words import format_number, format_share
from tasks.report.blocks import Block, Card, Cards, Column, Kind, Section, Table, Text
from tasks.report.documents import ReportDocuments
from tasks.report.words import GateWords, gate_words

_ORDER = {
    Verdict.FAIL: 0, Verdict.NOT_EVALUATED: 1, Verdict.REVIEW: 2, Verdict.PASS: 3,
}  # fmt: skip


def checks_section(documents: ReportDocuments) -> Section:
    """Gates, the worst first: what each asks and what was found."""
    title = "Can we trust it?"
    judged, gates = documents.diagnostics, documents.gates
    if judged is None or not gates:
        text = "This run has no diagnostics: the model was not fitted, or not judged."
        return Section("checks", title, [Text([text], tone="care")], is_folded=True)
    ordered = sorted(gates, key=lambda gate: _ORDER[gate.verdict])
    n_passed = sum(gate.verdict == Verdict.PASS for gate in gates)
    blocks: list[Block] = []
    cards = _fit_cards(documents, judged)
    if cards.cards:
        blocks.append(cards)
    blocks.append(_gates_table(ordered))
    if judged.lift_tests:
        blocks.append(_lift_table(documents, judged.lift_tests))
    lead = f"{n_passed} of {len(gates)} checks of the fit passed."
    return Section("checks", title, blocks, lead, is_folded=True)


def _fit_cards(documents: ReportDocuments, judged: Diagnostics) -> Cards:
    fit = documents.run.document(Artifact.FIT_METRICS, FitMetrics)
    cards = []
    if fit and fit.mape is not None:
        cards.append(Card("Average miss", format_share(fit.mape), "MAPE, in sample"))
    if fit and fit.r2 is not None:
        cards.append(Card("Explained", format_share(fit.r2), "R², in sample: not a proof"))
    inside = judged.coverage_94
    if inside is not None:
        cards.append(Card("Inside the 94 % band", format_share(inside), "of fitted periods"))
    return Cards(cards)


def _gates_table(gates: Sequence[JudgedGate]) -> Table:
    columns = [
        Column("Result", Kind.MARK, "PASS, REVIEW, FAIL or NOT_EVALUATED"),
        Column("Question", Kind.LONG, "what the gate asks"),
        Column("Found", Kind.TEXT, "the judged number, and where it was found"),
        Column("Needed", Kind.TEXT, "limit of PASS"),
        Column("What to do", Kind.LONG, "why it is no pass, and the remedy"),
        Column("Gate", Kind.CODE, "name of the gate"),
    ]
    rows = []
    for gate in gates:
        words = gate_words(gate.gate, gate.pass_limit, gate.review_limit)
        rows.append(
            [
                gate.verdict.value, words.asks, _found(gate, words), _needed(gate, words),
                gate.reason or "–", gate.gate,
            ]
        )  # fmt: skip
    return Table("gates", Artifact.DIAGNOSTICS, columns, rows)


def _written(value: float | None, words: GateWords) -> str:
    if value is None:
        return "not computed"
    return format_share(value) if words.is_share else format_number(round(value, 4))


def _found(gate: JudgedGate, words: GateWords) -> str:
    return _written(gate.observed, words) + (f" ({gate.where})" if gate.where else "")


def _needed(gate: JudgedGate, words: GateWords) -> str:
    limit = _written(gate.pass_limit, words)
    if words.at_most is None:
        return f"limit {limit}"
    return f"at most {limit}" if words.at_most else f"at least {limit}"


def _lift_table(documents: ReportDocuments, lifts: Sequence[LiftTestOutcome]) -> Table:
    unit = documents.words.unit
    columns = [
        Column("Channel", Kind.TEXT, "channel of the experiment"),
        Column("Entity", Kind.TEXT, "entity of the experiment; empty: all"),
        Column("From", Kind.DATE, "first day"),
        Column("To", Kind.DATE, "last day"),
        Column("Measured", Kind.NUMBER, "change of the KPI that the experiment found", unit),
        Column(
            "Without it", Kind.NUMBER, "what the model would expect had it not known the test", unit
        ),
        Column("Conflict", Kind.TEXT, "yes where experiment and other evidence disagree"),
        Column("In words", Kind.LONG, "the finding, and how it is known"),
    ]
    rows = [
        [
            lift.channel, lift.entity, lift.start, lift.end, lift.observed,
            lift.expected_without, "yes" if lift.conflict else "no", lift.sentence or "–",
        ]
        for lift in lifts
    ]  # fmt: skip
    return Table("lift_tests", Artifact.DIAGNOSTICS, columns, rows, "Experiments and the model.")


def data_section(documents: ReportDocuments) -> Section:
    """Findings of the data checks, the worst first, with remedies."""
    title = "Data quality"
    summary = documents.validation
    if summary is None:
        text = Text(["This run has no record of data checks."])
        return Section("data", title, [text], is_folded=True)
    findings = [finding for layer in summary.layers.values() for finding in layer.findings]
    lead = _data_lead(summary)
    if not findings:
        good = Text(["All data checks passed; nothing was found."], tone="good")
        return Section("data", title, [good], lead, is_folded=True)
    columns = [
        Column("Result", Kind.MARK, "PASS, REVIEW or FAIL; a PASS is reported for information"),
        Column("Layer", Kind.TEXT, "raw file, canonical data or model features"),
        Column("Finding", Kind.LONG, "what was found and where"),
        Column("What to do", Kind.LONG, "remedy"),
        Column("Rule", Kind.CODE, "name of the rule"),
    ]
    ordered = sorted(findings, key=lambda finding: _ORDER[finding.verdict])
    rows = [[f.verdict.value, f.layer.value, f.message, f.remedy, f.rule] for f in ordered]
    table = Table("findings", Artifact.VALIDATION_SUMMARY, columns, rows)
    return Section("data", title, [table], lead, is_folded=True)


def _data_lead(summary: ValidationSummary) -> str:
    reported = []
    if summary.n_rows is not None:
        reported.append(f"{summary.n_rows:,} rows")
    if summary.n_entities is not None:
        n = summary.n_entities
        reported.append(f"{n} {'entity' if n == 1 else 'entities'}")
    return f"{', '.join(reported)}." if reported else ""
