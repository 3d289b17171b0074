"""Budget: a plan by hand, its gain, its saved forms. The model answers in this process here."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support.desks import DeskHere, seat
from support.plans import planned_fit, three_channel_world

from flows.api.desk import Desks
from flows.api.evaluator import Evaluator
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.plan_request import DeskRequest
from tasks.optimize.task_desk import MOST_DESKS


@pytest.fixture
def desk(web, published):
    """The site of a home with a champion of dataset ``demo``."""
    stand_in = DeskHere()
    seat(web.app, stand_in)
    return stand_in


def gain_of(page):
    found = re.search(r'id="gain".*?</div>', page, re.S)[0]
    return re.sub(r"<[^>]+>", " ", found)


def test_an_empty_home_says_what_is_missing(web):
    assert "No champion to plan with" in web.page("/budget")


def test_a_model_that_is_not_open_is_opened_after_the_page(web, desk):
    page = web.page("/budget")
    assert 'data-load="/budget?wait=1"' in page
    assert "Opening the model of demo@1" in page
    whole = web.page("/budget?wait=1")
    assert "Business as usual" in gain_of(whole)
    assert 'data-load="/budget' not in web.page("/budget")


def test_moving_a_channel_says_what_it_gains(web, desk):
    page = web.page("/budget?wait=1&spend.tv=1")
    assert "94 %" in gain_of(page)
    assert "Gain against the same money" in gain_of(page)
    assert 'name="spend.tv" value="1"' in page
    assert "Numbers of this figure" in page
    assert "Run world-run" in page or "Run demo-run" in page


def test_while_one_drags_only_the_outcome_is_made(web, desk, home):
    web.page("/budget?wait=1")
    part = web.get("/budget?dataset_id=demo&run_id=run-1&spend.tv=2", headers={"x-swap": "gain"})
    assert part.status_code == 200
    assert 'id="gain"' in part.text
    assert 'id="outcome"' in part.text
    assert 'id="saved"' not in part.text


def test_a_total_keeps_the_mix(web, desk):
    page = web.page("/budget?wait=1&total=1000&scale=1")
    money = [
        float(v) for v in re.findall(r'<input id="spend-\d+" name="[^"]+" value="([^"]+)"', page)
    ]
    assert sum(money) == pytest.approx(1000, rel=1e-3)


@pytest.mark.parametrize("typed", ["a lot", "-5", "nan", "1e999", "<b>"])
def test_what_is_no_amount_is_refused_by_name(web, desk, typed):
    answer = web.get("/budget", params={"wait": "1", "spend.tv": typed})
    assert answer.status_code == 422
    assert "tv: " in answer.text
    assert "no amount of money" in answer.text
    assert "<b>" not in answer.text


def test_a_channel_nobody_knows_is_refused_with_the_nearest(web, desk):
    assert "did you mean" in web.page("/budget?wait=1&spend.tvv=5", status=422)


def test_a_plan_is_saved_with_its_name_and_what_moved(web, desk):
    fields = {"dataset_id": "demo", "run_id": "run-1", "spend.tv": "5", "name": "less tv"}
    done = web.submit("/budget/save", fields)
    assert (done.status_code, done.headers["location"]) == (
        303, "/budget?dataset_id=demo&plan=plan-1",
    )  # fmt: skip
    asked = desk.saved[0]
    assert asked.name == "less tv"
    assert [(row.channel, row.spend) for row in asked.what_if] == [("tv", 5.0)]
    refused = web.post("/budget/save", data=fields, headers={"origin": "http://127.0.0.1:8099"})
    assert refused.status_code == 403
    assert len(desk.saved) == 1


def test_a_target_without_a_number_is_said_on_the_page(web, desk):
    fields = {"dataset_id": "demo", "run_id": "run-1", "aim": "target_roas"}
    answer = web.submit("/budget/plan", fields)
    assert answer.status_code == 422
    assert "needs a number" in answer.text


def test_plans_stand_beside_business_as_usual_and_go_out_as_a_table(web, desk):
    listed = web.page("/budget?wait=1")
    name = re.search(r'name="plan" value="([^"]+)"', listed)[1]
    page = web.page(f"/budget/compare?plan={name}")
    assert "Business as usual" in page
    table = web.get(f"/budget/plans/{name}/csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.startswith("channel,current,planned")
    assert "No plan is chosen" in web.page("/budget/compare")
    assert web.get("/budget/plans/none/csv").status_code == 404


def test_the_model_opens_in_a_process_that_says_what_is_wrong(home):
    evaluator = Evaluator()
    asked = DeskRequest(dataset_id="demo")
    try:
        with pytest.raises(Exception, match=r"demo|run") as raised:
            evaluator.open(asked)
        assert type(raised.value).__name__ == "UnknownRunError"
        assert not evaluator.is_open(asked)
    finally:
        evaluator.close()


class ProcessHere:
    """What ``flows.api.desk`` is to ``Evaluator``, in this process."""

    def __init__(self):
        self.stdin = self.stdout = self
        self._desks, self._line = Desks(), ""

    def poll(self):
        """It runs."""

    def write(self, line):
        self._line = line

    def flush(self):
        """Everything was written."""

    def readline(self):
        return json.dumps(self._desks.answer(self._line))


def test_a_model_that_had_to_make_room_is_not_called_open(monkeypatch):
    fits = [planned_fit(three_channel_world(), dataset_id="demo")]
    source = SimpleNamespace(spec=SimpleNamespace(optimizer=OptimizerSpec()))
    monkeypatch.setattr("tasks.scenarios.task_save.find_sources", lambda _: [source])
    monkeypatch.setattr("tasks.optimize.task_desk.open_fits", lambda *_: fits)
    monkeypatch.setattr("flows.api.evaluator._spawn", ProcessHere)
    evaluator = Evaluator()
    asked = [DeskRequest(dataset_id="demo", horizon=weeks) for weeks in range(4, 5 + MOST_DESKS)]
    for each in asked:
        assert not evaluator.is_open(each)
        assert evaluator.open(each).horizon == each.horizon
    assert [evaluator.is_open(each) for each in asked] == [False] + [True] * MOST_DESKS


def test_a_process_that_does_not_answer_is_ended_and_the_page_says_so(web, published, monkeypatch):
    silent = []

    def spawn():
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        silent.append(subprocess.Popen([sys.executable, "-c", "input(); input()"], **pipes))
        return silent[-1]

    monkeypatch.setattr("flows.api.evaluator._spawn", spawn)
    monkeypatch.setattr("flows.api.evaluator.JUDGING_SECONDS", 0.3)
    page = web.page("/budget?wait=1", status=503)
    assert "was not judged within" in page
    assert "fewer periods" in page
    assert [child.poll() is not None for child in silent] == [True], "one process, ended"
