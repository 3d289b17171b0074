"""Put the page together: one HTML file with everything in it, Plotly too.

Plotly is packed with gzip and unpacked by the browser: as it is, it would be nearly all that a page
may weigh. A policy in the page forbids every request, so a name that carries a link loads nothing.
"""

import base64
import gzip
import json
from collections.abc import Callable
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from schemas.words import SYMBOLS
from tasks.report.advice import advice_section
from tasks.report.appendix import appendix_section
from tasks.report.blocks import Figure, Section
from tasks.report.changes import changes_section
from tasks.report.checks import checks_section, data_section
from tasks.report.coming import coming_section
from tasks.report.curves import curves_section
from tasks.report.documents import ReportDocuments
from tasks.report.graph import graph_section
from tasks.report.happened import happened_section
from tasks.report.head import build_head
from tasks.report.look import script_json, to_json
from tasks.report.markets import markets_section
from tasks.report.recovery import recovery_section
from tasks.report.returns import returns_section
from tasks.report.split import split_section

CHAPTERS: tuple[Callable[[ReportDocuments], Section | None], ...] = (
    happened_section,
    advice_section,
    returns_section,
    curves_section,
    markets_section,
    coming_section,
    changes_section,
    split_section,
    graph_section,
    checks_section,
    recovery_section,
    data_section,
)


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
            currency=documents.spec.kpi.currency or "the currency of the data",
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
