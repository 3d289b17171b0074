"""The page as a whole: it stands alone, it is small, and hostile names stay text."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser

import pytest
from plotly.offline import get_plotlyjs
from support.reports import HOSTILE, forge_documents

from tasks.report.blocks import walk
from tasks.report.head import build_head
from tasks.report.page import build_sections, render_report

LIMIT = 5_000_000
LOADS = {"src", "srcset", "href", "action", "data", "poster", "background", "formaction"}
CALLS = re.compile(
    r"fetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(|url\(|@import"
)
FILES = sorted(forge_documents(n_periods=20).run.files)


class Page(HTMLParser):
    """Tags, attributes and script contents of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and self.scripts[-1][1] == "":
            self.scripts[-1] = (self.scripts[-1][0], data)
        else:
            self.text.append(data)

    def charts(self) -> dict[str, dict]:
        return {
            attrs["data-plot"]: json.loads(content)
            for attrs, content in self.scripts
            if attrs.get("class") == "chart"
        }

    def code(self) -> str:
        """Scripts that run, and styles."""
        return "".join(content for attrs, content in self.scripts if "type" not in attrs)


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(forge_documents(n_entities=3))


def test_the_page_loads_nothing_from_anywhere(page):
    parsed = Page(page)
    for tag, attrs in parsed.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        loads = {name: value for name, value in attrs.items() if name in LOADS}
        assert all(value.startswith("#") for value in loads.values()), (tag, loads)
    style = "".join(parsed.text[: parsed.text.index("brand")])
    assert not CALLS.search(parsed.code() + style)


def test_the_page_forbids_every_request_by_policy(page):
    policies = [
        attrs["content"]
        for tag, attrs in Page(page).tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'")
    assert "http" not in policies[0]
    assert "connect-src" not in policies[0]


def test_the_page_carries_the_whole_of_plotly(page):
    packed = next(
        content for attrs, content in Page(page).scripts if attrs.get("id") == "packed-plotly"
    )
    assert gzip.decompress(base64.b64decode(packed)).decode("utf-8") == get_plotlyjs()


def test_a_panel_of_forty_entities_and_six_channels_stays_under_five_megabytes():
    names = tuple(f"channel {i}" for i in range(6))
    page = render_report(forge_documents(40, names, 156))
    assert len(page.encode("utf-8")) < LIMIT


def test_hostile_names_stay_text():
    plain = Page(render_report(forge_documents(2, ("a", "b", "c"), kpi={"name": "k"})))
    kpi = {"name": HOSTILE}
    text = render_report(forge_documents(2, (HOSTILE, f"{HOSTILE}2", "c"), kpi=kpi))
    hostile = Page(text)
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert "<script>alert" not in text
    assert "{{ 7*7 }}" in text
    assert hostile.charts().keys() == plain.charts().keys()


def test_a_hostile_name_has_no_power_inside_a_figure():
    charts = Page(render_report(forge_documents(1, (HOSTILE, "b")))).charts()
    labels = [y for trace in charts["plot-lately"][""]["data"] for y in trace["y"]]
    assert any("&lt;/script&gt;" in label for label in labels)
    assert not any(re.search(r"<(?!br>)", label) for label in labels)
    for choices in charts.values():
        for chart in choices.values():
            for trace in chart["data"]:
                assert "alert" not in trace.get("hovertemplate", "")


def test_every_figure_has_its_numbers_in_a_table_that_opens():
    documents = forge_documents(n_entities=3)
    page = render_report(documents)
    head = build_head(documents)
    parts = [b for s in build_sections(documents) for b in walk(s.blocks)]
    figures = [head.shares, *(b for b in parts if b.type == "figure")]
    grids = [head.curves, *(b for b in parts if b.type == "grid")]
    assert len(figures) >= 12
    assert all(f.table is not None and f.table.rows for f in figures)
    assert all(g.table.rows for g in grids)
    assert page.count("Numbers of this figure<") == len(figures)
    assert page.count("Numbers of these figures<") == len(grids)


def test_every_table_names_the_file_of_its_numbers():
    sections = build_sections(forge_documents(n_entities=3))
    explained = next(t for t in sections[-1].tables if t.name == "dictionary")
    sources = {(row[0], row[1]) for row in explained.rows}
    for section in sections[:-1]:
        for table in section.tables:
            assert re.search(r"\.(json|parquet)", table.source), table.name
            assert (table.name, table.source) in sources


def test_the_data_dictionary_explains_every_column_of_every_table():
    sections = build_sections(forge_documents(n_entities=3))
    explained = next(t for t in sections[-1].tables if t.name == "dictionary")
    rows = {(row[0], row[2]): row[4] for row in explained.rows}
    for section in sections[:-1]:
        for table in section.tables:
            for column in table.columns:
                assert rows[table.name, column.title]


def test_the_same_documents_give_the_same_bytes():
    assert render_report(forge_documents()) == render_report(forge_documents())


@pytest.mark.parametrize("name", [n for n in FILES if n != "run_spec.json"])
def test_a_file_that_is_missing_leaves_the_rest_of_the_page(name):
    page = render_report(forge_documents(n_periods=60, leave_out=(name,)))
    assert "Appendix" in page
    assert page.rstrip().endswith("</html>")


def test_a_run_with_nothing_but_its_spec_has_a_page_that_says_so():
    documents = forge_documents(
        has_previous=False, leave_out=tuple(n for n in FILES if n != "run_spec.json")
    )
    page = render_report(documents)
    assert "This run has no diagnostics" in page
    assert "This run made no budget plan" in page
    assert "This run has no record of data checks" in page


def test_a_short_history_has_no_comparison_with_a_year_before():
    page = render_report(forge_documents(n_periods=30))
    assert "there are no data of a year before" in page
    assert "against a year before" not in page
    assert "A year before" not in page


def test_a_history_shorter_than_a_quarter_renders():
    assert "Appendix" in render_report(forge_documents(n_periods=6))


def test_a_row_with_a_reason_names_its_cells_for_a_phone(page):
    """There it is a card: without their headings the numbers would say nothing."""
    tables = [t for s in build_sections(forge_documents(n_entities=3)) for t in s.tables]
    worded = {c.title for t in tables if t.is_worded for c in t.columns}
    assert {"Channel", "Planned, next 13 weeks", "Why"} <= worded
    titles = {attrs["data-title"] for tag, attrs in Page(page).tags if "data-title" in attrs}
    assert titles == worded


class Unfolded(HTMLParser):
    """Text that is read without opening anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self._hidden: list[str] = []
        self._is_summary = False
        self.feed(text)

    def handle_starttag(self, tag, _attrs):
        if tag in {"details", "script", "style", "noscript", "title"}:
            self._hidden.append(tag)
        self._is_summary = self._is_summary or tag == "summary"

    def handle_endtag(self, tag):
        if tag == "summary":
            self._is_summary = False
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data):
        inside = self._hidden
        if not inside or (self._is_summary and inside == ["details"]):
            self.text.append(data)


@pytest.mark.parametrize(
    "settings",
    [
        {"verdict": "PASS"},
        {"verdict": "PASS", "advice": "withheld", "n_entities": 3},
        {"verdict": "REVIEW", "champion": "follow"},
        {"verdict": "REVIEW"},
        {"verdict": "FAIL"},
    ],
    ids=["pass", "withheld", "champion", "review", "fail"],
)
def test_a_marketer_reads_no_word_of_the_machine_without_opening_anything(settings):
    read = " ".join(Unfolded(render_report(forge_documents(**settings))).text)
    assert "brand" in read
    for word in ("P(gain", "slsqp", "starts", "optimizer", "R-hat", "ESS", "SHA", "posterior"):
        assert word not in read, word
    assert not re.search(r"\.(json|parquet|csv)\b", read)
    assert not re.findall(r"\b[a-z]+_[a-z_]+\b", read.replace("market_", ""))
    assert not re.search(r"[0-9a-f]{32}", read)


def test_checks_data_and_appendix_are_folded():
    folded = {s.key for s in build_sections(forge_documents()) if s.is_folded}
    assert {"split", "checks", "data", "appendix"} <= folded
    assert not {"happened", "advice", "returns", "curves", "horizon"} & folded


def test_many_entities_do_not_push_everything_down():
    for n_entities, is_folded in ((3, False), (5, True)):
        sections = build_sections(forge_documents(n_entities=n_entities))
        assert {s.key: s for s in sections}["markets"].is_folded is is_folded
