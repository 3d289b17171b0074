"""Put the page together: one HTML file with everything in it, Plotly too.

Plotly is packed with gzip and unpacked by the browser: as it is, it would be nearly all that a page
may weigh. A policy in the page forbids every request, so a name that carries a link loads nothing.
"""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from schemas.documents.plan import Plan
from schemas.words import format_interval
from tasks.report.advice import advice_section, advice_sentence, advice_title
from tasks.report.appendix import appendix_section
from tasks.report.blocks import SYMBOLS, Cards, Column, Figure, Kind, Section, Table
from tasks.report.changes import changes_section
from tasks.report.checks import checks_section, data_section
from tasks.report.coming import coming_section
from tasks.report.curves import curves_section
from tasks.report.documents import PERIOD_WORD, ReportDocuments
from tasks.report.happened import channel_totals, happened_section, headline_cards
from tasks.report.look import script_json, to_json
from tasks.report.markets import markets_section
from tasks.report.planned import plan_section
from tasks.report.returns import returns_section
from tasks.report.split import split_section
from tasks.report.words import TONE, VERDICT_SENTENCE, VERDICT_TITLE

CHAPTERS: tuple[Callable[[ReportDocuments], Section | None], ...] = (
    happened_section,
    changes_section,
    advice_section,
    returns_section,
    split_section,
    curves_section,
    markets_section,
    plan_section,
    coming_section,
    checks_section,
    data_section,
)
MAX_REASONS_SHOWN = 5


@dataclass(frozen=True)
class Head:
    """The first screen: verdict, headline numbers, what to do, channels."""

    dataset_id: str
    subtitle: str
    verdict: str
    verdict_title: str
    verdict_sentence: str
    tone: str
    reasons: list[str]
    n_more_reasons: int
    notes: list[str]
    cards: Cards | None
    advice_title: str
    advice_sentence: str
    channels: Table | None


def render_report(documents: ReportDocuments) -> str:
    """Render one self-contained HTML page.

    Parameters
    ----------
    documents
        Files of the run and of the accepted run before it. Files that the run lacks leave their
        section out, or the section says why it is empty.

    Returns
    -------
    str
        HTML that opens from disk and requests nothing.
    """
    sections = build_sections(documents)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            head=build_head(documents),
            sections=sections,
            packed_plotly=_packed_plotly(),
            run_id=documents.run.record.run_id,
        )
    )


def build_sections(documents: ReportDocuments) -> list[Section]:
    """Return all chapters that have something to say, in the order of the page."""
    built = [chapter(documents) for chapter in CHAPTERS]
    sections = [section for section in built if section is not None]
    return [*sections, appendix_section(documents, sections)]


def build_head(documents: ReportDocuments) -> Head:
    """Return what the first screen says."""
    verdict = documents.verdict
    reasons = list(documents.diagnostics.get("reasons", []))
    if not reasons and documents.run.record.reason:
        reasons = [documents.run.record.reason]
    return Head(
        dataset_id=documents.spec.dataset_id,
        subtitle=_subtitle(documents),
        verdict=verdict.value,
        verdict_title=VERDICT_TITLE[verdict],
        verdict_sentence=VERDICT_SENTENCE[verdict] + _standing_sentence(documents),
        tone=TONE[verdict],
        reasons=reasons[:MAX_REASONS_SHOWN],
        n_more_reasons=max(len(reasons) - MAX_REASONS_SHOWN, 0),
        notes=list(documents.diagnostics.get("notes", [])),
        cards=headline_cards(documents),
        advice_title=advice_title(documents),
        advice_sentence=advice_sentence(documents),
        channels=channels_table(documents),
    )


def _standing_sentence(documents: ReportDocuments) -> str:
    standing = documents.standing
    return f" Champion stays {standing}; go by its report and plan." if standing else ""


def _subtitle(documents: ReportDocuments) -> str:
    reported = []
    if documents.kpi is not None:
        last = documents.kpi.index[-1]
        reported.append(f"up to the {PERIOD_WORD[documents.grain]} of {last.day} {last:%B %Y}")
    reported.append(f"KPI: {documents.spec.kpi_name}")
    if documents.is_panel:
        reported.append(f"{len(documents.entities)} entities")
    return " · ".join(reported)


def channels_table(documents: ReportDocuments) -> Table | None:
    """The small table of the first screen: what each channel added, returned, and gets next."""
    if not documents.roi:
        return None
    words, plan = documents.words, documents.plan
    plan = None if documents.verdict.value == "FAIL" else plan
    lately = channel_totals(documents, slice(-documents.n_recent, None))
    columns = [Column("Channel", Kind.TEXT, "channel of the run spec")]
    if plan is not None:
        columns += [
            Column("Do", Kind.MARK, ""),
            Column("Spend now", Kind.NUMBER, ""),
            Column("Planned", Kind.NUMBER, ""),
        ]
    columns += [
        Column(words.title, Kind.RATIO, ""),
        Column("94 % interval", Kind.INTERVAL, ""),
        Column(f"Added, last {documents.period_words(documents.n_recent)}", Kind.NUMBER, ""),
    ]
    rows = [
        [
            f"{name} *" if row.get("prior_driven") else name,
            *(_planned(plan, name) if plan is not None else []),
            row.get(f"{words.stem}_mean"),
            format_interval(row.get(f"{words.stem}_low"), row.get(f"{words.stem}_high")),
            None if lately is None else lately.get(name),
        ]
        for name, row in documents.roi.items()
    ]
    driven = any(row.get("prior_driven") for row in documents.roi.values())
    note = "* mostly assumed before the data: see below." if driven else ""
    return Table("head", "roi_metrics.json, contributions.parquet, plan.json", columns, rows, note)


def _planned(plan: Plan, channel: str) -> list[Any]:
    row = plan.channels.get(channel)
    return [row.action.value, row.current, row.planned] if row else [None, None, None]


def figure_json(figure: Figure) -> str:
    """Write a figure and its choices as JSON for a script element, escaped for it."""
    charts = [("", figure.chart), *figure.by_choice.items()]
    parts = [f"{script_json(json.dumps(choice))}:{to_json(chart)}" for choice, chart in charts]
    return "{" + ",".join(parts) + "}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tasks.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["symbols"] = SYMBOLS
    environment.globals["figure_json"] = figure_json
    return environment


@lru_cache(maxsize=1)
def _packed_plotly() -> str:
    # A fixed time in the header: the same run gives the same bytes.
    packed = gzip.compress(get_plotlyjs().encode("utf-8"), compresslevel=9, mtime=0)
    return base64.b64encode(packed).decode("ascii")
