"""What changed since the accepted run before: data, spec, verdict, returns."""

import re
from typing import Any

import pandas as pd

from schemas.documents.changes import Explanation
from schemas.documents.effects import ChannelReturns, ReturnStem
from schemas.documents.restatements import RESTATED_RULE
from schemas.names import ENTITY_COLUMN, PERIOD_COLUMN, Artifact
from schemas.outcomes import Layer, Verdict
from schemas.spec.differences import changed_keys
from schemas.words import VERDICT_TITLE, format_interval
from tasks.report.blocks import Block, Column, Fold, Items, Kind, Section, Table, Text
from tasks.report.documents import ReportDocuments
from tasks.report.files import RunFiles

FACTOR_TITLE = {
    "spec_or_code": "Changed spec or code",
    "restated": "Restated history",
    "new_periods": "New periods",
}
_UNCHANGED = "Data, spec and code are the same: what moved is the sampler's chance."
STRONG = 0.5
"""Intervals overlap strongly where they share this much of the narrower one."""
MAX_KEYS = 12
_AT_REST = ("unchanged.", "No more than sampling noise")
"""What the sentence of a channel says where nothing has to be explained."""


def changes_section(documents: ReportDocuments) -> Section:
    """Compare with the newest accepted run before; say so where there is none."""
    title = "What changed since the last refit"
    before = documents.previous
    if before is None:
        first = "First refit: there is no earlier accepted run of this dataset to compare with."
        return Section("changes", title, [Text([first])])
    blocks: list[Block] = [Items("", _sentences(documents, before))]
    change = documents.run.document(Artifact.CHANGE, Explanation)
    blocks += _reasons(change) if change else []
    if documents.roi and before.roi:
        table = _returns_then_and_now(documents, before)
        blocks.append(Fold(f"{documents.words.title} then and now", [table]))
    lead = (
        f"Compared with run {before.record.run_id} of {before.record.created_at:%Y-%m-%d}, the "
        "newest accepted run before this one."
    )
    return Section("changes", title, blocks, lead)


def overlap(now: tuple[float, float], then: tuple[float, float]) -> float:
    """Length that two intervals share, as a share of the narrower one."""
    shared = min(now[1], then[1]) - max(now[0], then[0])
    narrower = min(now[1] - now[0], then[1] - then[0])
    if narrower <= 0:
        return 1.0 if shared >= 0 else 0.0
    return max(shared, 0.0) / narrower


def _reasons(change: Explanation) -> list[Block]:
    """One line per channel that says why its return is another one than the champion's."""
    facts = [f"{FACTOR_TITLE[name]}: {fact}." for name, fact in change.facts.items()]
    lines = [row.sentence for row in change.channels]
    blocks: list[Block] = []
    moved = [line for line in lines if not any(word in line for word in _AT_REST)]
    rest = [line for line in lines if line not in moved]
    if moved:
        blocks.append(Items("Why returns changed since the champion", moved))
    if rest:
        title = "Returns that did not move, or no more than by chance"
        blocks.append(Fold(title, [Items("", rest)]))
    reported = [*(facts or [_UNCHANGED] if lines else []), *change.notes]
    lead = f"Compared with run {change.run_a}, which was champion until then."
    return [*blocks, Text([lead, *reported])]


def _sentences(documents: ReportDocuments, before: RunFiles) -> list[str]:
    reported = [_verdict_sentence(documents, before)]
    reported += _data_sentences(documents, before)
    old_spec = before.files.get(Artifact.RUN_SPEC)
    if old_spec:
        keys = changed_keys(documents.run.files[Artifact.RUN_SPEC], old_spec)
        more = f" and {len(keys) - MAX_KEYS} more" if len(keys) > MAX_KEYS else ""
        reported.append(
            f"Settings changed: {', '.join(map(_readable, keys[:MAX_KEYS]))}{more}."
            if keys
            else "Settings are the same."
        )
    return reported


def _readable(key: str) -> str:
    """A key of the run spec as words: what it belongs to, then its name."""
    return key.replace(".", ": ", 1).replace(".", " ").replace("_", " ")


def _verdict_sentence(documents: ReportDocuments, before: RunFiles) -> str:
    old = before.verdict or Verdict.NOT_EVALUATED
    if old is documents.verdict:
        return f"The verdict is the same: {old} ({VERDICT_TITLE[old].lower()})."
    return (
        f"The verdict was {old} ({VERDICT_TITLE[old].lower()}) and is now {documents.verdict} "
        f"({VERDICT_TITLE[documents.verdict].lower()})."
    )


def _data_sentences(documents: ReportDocuments, before: RunFiles) -> list[str]:
    now, then = documents.run.frame(Artifact.FITTED), before.frame(Artifact.FITTED)
    if now is None or then is None:
        return []
    new = sorted(set(now[PERIOD_COLUMN]) - set(then[PERIOD_COLUMN]))
    reported = []
    if new:
        span = f"{new[0]:%Y-%m-%d}"
        if len(new) > 1:
            span += f" to {new[-1]:%Y-%m-%d}"
        reported.append(f"{documents.period_words(len(new))} of new data: {span}.")
    else:
        reported.append("No new periods: the same weeks or months were fitted again.")
    gone = set(then[PERIOD_COLUMN]) - set(now[PERIOD_COLUMN])
    if gone:
        reported.append(f"{documents.period_words(len(gone))} left the fitted window.")
    n_restated = _count_restated(now, then)
    if n_restated:
        reported.append(f"Values of the KPI in earlier periods that were restated: {n_restated}.")
    return reported + _restatements(documents)


def _restatements(documents: ReportDocuments) -> list[str]:
    """What the data checks found to be restated, sized and dated, in any column."""
    layers = documents.validation.layers if documents.validation else {}
    found = layers[Layer.CANONICAL].findings if Layer.CANONICAL in layers else []
    return [f"Restated: {_without_file(one.message)}" for one in found if one.rule == RESTATED_RULE]


def _without_file(message: str) -> str:
    """What a finding says after the name of its file, which a marketer does not need."""
    return re.sub(r"^\S+\.(?:csv|tsv|txt|parquet|xlsx?)[,:]\s*", "", message)


def _count_restated(now: pd.DataFrame, then: pd.DataFrame) -> int:
    key = [ENTITY_COLUMN, PERIOD_COLUMN]
    both = now[[*key, "actual"]].merge(then[[*key, "actual"]], on=key, suffixes=("_now", "_then"))
    return int((both["actual_now"] != both["actual_then"]).sum())


def _returns_then_and_now(documents: ReportDocuments, before: RunFiles) -> Table:
    words = documents.words
    columns = [
        Column("Channel", Kind.TEXT, "channel of the run spec"),
        Column(f"{words.title} then", Kind.RATIO, "posterior mean, run before"),
        Column("94 % then", Kind.INTERVAL, "94 % interval, run before"),
        Column(f"{words.title} now", Kind.RATIO, "posterior mean, this run"),
        Column("94 % now", Kind.INTERVAL, "94 % interval, this run"),
        Column("Overlap", Kind.SHARE, "shared length of both intervals over the narrower one"),
        Column("Reading", Kind.LONG, "in words"),
    ]
    old = before.roi
    names = [*documents.roi, *(name for name in old if name not in documents.roi)]
    rows = [_row(name, documents.roi.get(name), old.get(name), words.stem) for name in names]
    return Table(
        "returns_then_and_now", f"{Artifact.ROI_METRICS} of both runs", columns, rows,
        "Intervals that overlap strongly (half of the narrower one or more) agree.",
    )  # fmt: skip


def _row(
    name: str,
    now: ChannelReturns | None,
    then: ChannelReturns | None,
    stem: ReturnStem,
) -> list[Any]:
    absent = (None, None, None)
    new = now.returned(stem) if now else absent
    old = then.returned(stem) if then else absent
    shared = None
    if now is None:
        reading = "no longer in the model"
    elif then is None:
        reading = "new in the model"
    elif new[1] is None or new[2] is None or old[1] is None or old[2] is None:
        reading = "no return to compare"
    else:
        shared = overlap((new[1], new[2]), (old[1], old[2]))
        reading = "agrees" if shared >= STRONG else "moved: look for the reason"
    return [
        name, old[0], format_interval(old[1], old[2]), new[0], format_interval(new[1], new[2]),
        shared, reading,
    ]  # fmt: skip
