"""Can this data answer the question: what refits of simulated KPIs with known truth found."""

from schemas.answers.recovery import ChannelRecovery, RecoveryReport
from schemas.answers.recovery_words import say_advice, say_answer, say_experiment, say_source
from tasks.report.blocks import Block, Column, Items, Kind, Section, Table
from tasks.report.documents import ReportDocuments

_TITLE = "Can this data answer the question?"
_SOURCE = "recovery.json"


def recovery_section(documents: ReportDocuments) -> Section | None:
    """One row per channel; nothing where no recovery check of this spec was made."""
    report = documents.recovery
    if report is None:
        return None
    sentences = [
        say_advice(report),
        say_experiment(report.experiment, documents.grain.word),
        *report.notes,
    ]
    blocks: list[Block] = [
        _channels(documents, report),
        Items("", [text for text in sentences if text]),
        _kinds(report),
    ]
    known = sum(row.answer == "yes" for row in report.channels.values())
    lead = f"{known} of {len(report.channels)} channels can be known. {say_source(report)}."
    return Section("recovery", _TITLE, blocks, lead, is_folded=True)


def _channels(documents: ReportDocuments, report: RecoveryReport) -> Table:
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column("Answer", Kind.LONG, "whether these data can say what the channel brings"),
        Column("Bias", Kind.CHANGE, "estimated over true effect, less one; where the model holds"),
        Column("Holds truth", Kind.SHARE, "94 % intervals that do; where the model holds"),
        Column("Where unlike", Kind.SHARE, "94 % intervals that do; where the model is wrong"),
        Column("Width", Kind.RATIO, "of the interval over the true effect", "ratio"),
        Column("Found", Kind.SHARE, "refits that show its effect, where it has one"),
        Column("False effect", Kind.SHARE, "refits that show one, where it has none"),
        Column("Collinearity", Kind.RATIO, "width over that with all others known", "ratio"),
        Column("After a lift test", Kind.SHARE, "width left by the best test of this channel"),
    ]
    names = documents.in_order(report.channels)
    rows = [_row(name, report.channels[name]) for name in names]
    return Table("recovery", _SOURCE, columns, rows)


def _row(name: str, row: ChannelRecovery) -> list[object]:
    return [
        name, say_answer(row), row.bias, row.coverage, row.coverage_unlike, row.width, row.found,
        row.false_effect, row.collinearity,
        row.experiment.width_left if row.experiment else None,
    ]  # fmt: skip


def _kinds(report: RecoveryReport) -> Table:
    columns = [
        Column("Simulated KPI", Kind.TEXT, "what it is like"),
        Column("Refits", Kind.NUMBER, "number of refits", "count"),
        Column("Holds truth", Kind.SHARE, "94 % intervals of channels that do"),
        Column("Bias of all media", Kind.CHANGE, "estimated over true effect, less one"),
        Column("Wrong without a flag", Kind.SHARE, "channels whose interval misses unnoticed"),
        Column("Passed", Kind.NUMBER, "refits whose verdict is PASS", "count"),
    ]
    rows = [
        [str(k.kind), k.n, k.coverage, k.bias, k.confident_wrong, k.n_accepted]
        for k in report.kinds
    ]
    return Table("recovery_kinds", _SOURCE, columns, rows, "By what the simulated KPI is like.")
