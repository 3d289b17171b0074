"""Runs side by side, and who is champion."""

import re

from support.reports import forge_graph

from schemas.documents.causal_graph import CLAIM
from schemas.names import Artifact
from tasks.store.files.artifacts import write_json


def test_empty_homes_say_what_comes_first(web):
    assert "Nothing to compare yet" in web.page("/compare")
    assert "No champion yet" in web.page("/champions")


def test_one_run_is_not_enough_and_foreign_ones_are_refused(web, published):
    page = web.page("/compare?run=run-1")
    assert "choose another one" in page
    assert 'value="run-1" id="run-1" checked' in page
    assert "did you mean" in web.page("/compare?run=run-1&run=run-2", status=404)
    assert web.get("/compare/jobs/..%2Frun-1").status_code == 404


def test_two_runs_stand_side_by_side_with_figures_and_their_numbers(web, finished_run):
    finished_run("run-1", day=2)
    finished_run("run-2", day=9, seed=3)
    page = web.page("/compare?run=run-1&run=run-2")
    for words in ("ROAS (94 % interval)", "Contribution (94 % interval)", "Why returns changed"):
        assert words in page
    assert page.count('class="chart"') >= 2
    assert page.count("Numbers of this figure") == page.count('class="chart"')
    assert "From run-1 to run-2" in page


def test_learned_graphs_stand_side_by_side_with_their_edges(web, home, finished_run):
    for run_id, day in (("run-1", 2), ("run-2", 9), ("run-3", 16)):
        finished_run(run_id, day=day)
    assert "The learned graphs" not in web.page("/compare?run=run-1&run=run-2")
    for run_id in ("run-1", "run-2"):
        write_json(home, home.run_dir(run_id) / Artifact.CAUSAL_GRAPH, forge_graph())
    page = web.page("/compare?run=run-1&run=run-2&run=run-3")
    assert page.count("<h3>What follows what in run-") == 2
    assert "2 of 3 runs learned one" in page
    assert page.count(f"<figcaption>{CLAIM}") == 2
    assert 'id="numbers-edges-1"' in page
    assert 'id="numbers-edges-2"' in page
    assert "<script>alert(1)" not in page


def test_the_champion_and_its_history_are_there(web, published):
    page = web.page("/champions")
    assert "demo@1" in page
    assert "No run under review waits" in page
    assert "no other accepted version" in page
    assert 'href="/results/run-1"' in page


def decide(web, verb, **fields):
    page = web.page("/champions?dataset_id=demo")
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    known = {"dataset_id": "demo", "seen": seen[1].replace("&#34;", '"') if seen else '"1-1"'}
    return web.submit(f"/champions/{verb}", known | fields)


def test_a_decision_needs_a_reason_the_champion_that_was_seen_and_a_proof(web, published):
    silent = decide(web, "accept", run_id="run-1")
    assert (silent.status_code, "Reason: say" in silent.text) == (422, True)
    stale = decide(web, "accept", run_id="run-1", reason="looked", seen='"0-0"')
    assert (stale.status_code, "decided meanwhile" in stale.text) == (412, True)
    free = web.post(
        "/champions/accept",
        data={"dataset_id": "demo", "run_id": "run-1", "reason": "x", "seen": '"1-1"'},
        headers={"origin": "http://127.0.0.1:8099"},
    )
    assert free.status_code == 403


def test_going_back_to_what_is_no_version_is_refused(web, published):
    assert decide(web, "rollback", to="one", reason="x").status_code == 422
    gone = decide(web, "rollback", to="9", reason="x")
    assert gone.status_code == 404
    assert "demo@1" in gone.text


def test_accepting_is_kept_with_its_reason(web, published):
    done = decide(web, "accept", run_id="run-1", reason="the <b>sale</b> of week 12")
    assert done.status_code == 303
    page = web.page("/champions?dataset_id=demo")
    assert "the &lt;b&gt;sale&lt;/b&gt; of week 12" in page
