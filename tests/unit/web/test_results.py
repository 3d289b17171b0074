"""Results of a run: what the report says, in the report's words, for whoever may read."""

import html
import json
import re
import subprocess
import sys

from support.reports import HOSTILE, forge_graph

from schemas.documents.causal_graph import CLAIM
from schemas.names import Artifact
from tasks.report.graph import graph_section
from tasks.report.task_page import open_report, read_report
from tasks.store.files.artifacts import write_json
from tasks.store.runs.status import fail_run, start_run


def charts_in(page):
    return {
        name: json.loads(text)
        for name, text in re.findall(r'data-plot="plot-([^"]+)"[^>]*>(.*?)</script>', page, re.S)
    }


def test_an_empty_home_says_what_comes_first(web):
    page = web.page("/results")
    assert "No results yet" in page
    assert 'class="button main"' in page


def test_a_run_that_left_nothing_leads_to_why(web, home):
    for run_id in ("broken", "going"):
        start_run(home, run_id, "brand")
    fail_run(home, "broken", "no KPI")
    assert "Why it stopped" in web.page("/results/broken", status=409)
    page = web.page("/results/going", status=409)
    assert "How far it is" in page
    assert 'href="/run/going"' in page


def test_the_newest_run_with_results_is_shown(web, finished_run):
    finished_run("older", day=2)
    finished_run("newer", day=9)
    answer = web.get("/results?dataset_id=brand", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/results/newer")
    page = web.page("/results?run_id=older")
    assert 'value="older" selected' in page
    assert 'value="newer"' in page


def test_a_page_says_what_the_report_says(web, finished_run):
    finished_run()
    page, report = web.page("/results/run-1"), read_report("run-1")
    assert report.head.decision_title in page
    for section in report.sections:
        assert f'id="{section.key}"' in page
        assert section.title in page
    shown = html.unescape(page)
    written = [
        text
        for section in report.sections
        for table in section.tables
        for row in table.cells
        for column, text in row
        if column.kind.value != "mark"
    ]
    assert len(written) > 200
    assert [text for text in written if text not in shown] == []


def test_every_figure_has_its_numbers_and_its_run(web, finished_run):
    finished_run()
    page = web.page("/results/run-1")
    charts = charts_in(page)
    assert {"shares", "returns-roas"} <= set(charts)
    for each in charts.values():
        assert each[""]["data"]
    figures = page.count("<figcaption>")
    assert figures >= 6
    assert page.count("Numbers of this figure") + page.count("Numbers of these figures") >= 6
    assert "Run run-1" in page


def test_a_rejected_run_says_not_to_act_on_it(web, finished_run):
    finished_run(verdict="FAIL")
    page = web.page("/results/run-1")
    assert "The fit was rejected" in page
    assert 'class="panel bad" id="verdict"' in page


def test_names_are_no_markup(web, finished_run):
    finished_run(channels=(HOSTILE[:60], "tv"))
    answer = web.get("/results/run-1")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert len(charts_in(answer.text)) > 3
    assert not re.search(r"\sstyle=", re.sub(r"<script.*?</script>", "", answer.text, flags=re.S))


def test_a_run_that_does_not_exist_is_a_page_with_a_hint(web, finished_run):
    finished_run("run-1")
    assert "did you mean" in web.page("/results/run-11", status=404)
    assert web.get("/results/..%2F..%2Fetc").status_code == 404
    assert web.get("/results?run_id=nope").status_code == 404


def test_a_page_changes_with_the_files_of_its_run(web, home, finished_run):
    finished_run()
    assert "The fit was rejected" not in web.page("/results/run-1")
    finished_run(verdict="FAIL")
    assert "The fit was rejected" in web.page("/results/run-1")


def test_the_web_process_draws_without_a_model_library():
    code = (
        "import sys; import flows.web.app, tasks.report.page, tasks.report.head; "
        "print([m for m in ('pymc', 'pytensor', 'numba', 'nutpie', 'arviz') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_learned_graph_is_shown_as_in_the_report(web, home, finished_run):
    finished_run()
    write_json(home, home.run_dir("run-1") / Artifact.CAUSAL_GRAPH, forge_graph())
    section = graph_section(open_report("run-1"))
    picture, page = section.blocks[0], web.page("/results/run-1")
    assert picture.svg in page
    assert CLAIM in html.unescape(page)
    assert section.blocks[-1].paragraphs[0] in html.unescape(page)
    assert "<script>alert(1)" not in page
    assert " style=" not in picture.svg, "the policy of a page refuses it"
