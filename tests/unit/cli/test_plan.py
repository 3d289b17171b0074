"""``mmm plan`` and ``mmm scenarios``: exit codes, what is printed, what is saved.

MLflow is replaced.
"""

import json
import shutil
from datetime import timedelta

import pytest
from support.forged_runs import end_run, forge_run
from support.plan_documents import MADE, channel_plan, forged_plan
from support.worlds import mmm_world

from flows import what_if
from flows.cli import app, process
from flows.cli.render import plans as plan_output
from flows.services import servers
from schemas.answers.scenarios import MadeBy
from schemas.documents.plan import Advice, Plan
from schemas.errors import StorageError
from schemas.outcomes import Verdict
from tasks.scenarios import task_save
from tasks.store.home import Home
from tasks.store.runs import plan_sources
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.plans import list_scenarios, owner_of, write_plan

FEW = ["--starts", "2", "--draws", "50", "--horizon", "4"]


@pytest.fixture(scope="module")
def world():
    return mmm_world(optimizer={"n_starts": 2, "horizon": 4})


@pytest.fixture(scope="module")
def forged(world, tmp_path_factory):
    """Forge the accepted run once: the tests start from copies."""
    root = tmp_path_factory.mktemp("forged")
    forge_run(Home(root), "world-1", world)
    return root


@pytest.fixture
def champion(home, monkeypatch, forged):
    """A home with one accepted run, the champion's, and no MLflow."""
    shutil.copytree(forged, home.root, dirs_exist_ok=True)
    monkeypatch.setattr(plan_sources, "champion_run_id", lambda _home, _dataset: "world-1")
    monkeypatch.setattr(servers, "names_an_api", lambda: False)
    monkeypatch.setattr(task_save.experiments, "open_store", lambda _home: None)
    monkeypatch.setattr(task_save, "log_plan", log_noisily)
    return home


def log_noisily(_client, _home, _record):
    print("a library prints")  # noqa: T201 - what must not reach stdout
    return "mlflow-1"


def call(capsys, *argv):
    code = app.main([str(a) for a in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def save(home, *plans):
    for plan in plans:
        with writing(home, owner_of(plan)) as con:
            write_plan(con, plan, MadeBy.PLAN, "m-1")


def test_a_plan_is_one_json_object_and_nothing_else_on_stdout(champion, capsys):
    code, out, err = call(capsys, "plan", "--dataset", "world", "--json", "--name", "spring")
    assert code == 0
    assert out.count("\n") == 1
    assert "a library prints" in err
    document = json.loads(out)
    assert document["mlflow_run_id"] == "mlflow-1"
    with open(document["plan_file"], encoding="utf-8") as file:  # noqa: PTH123
        assert Plan.model_validate(json.load(file)) == Plan.model_validate(document)
    assert (document["name"], document["horizon"]) == ("spring", 4)
    assert document["settings"]["n_starts"] == 2, "what is not given is as the run's spec says"
    assert document["models"][0]["run_id"] == "world-1"
    saved = list_scenarios(champion)
    assert [(s.name, s.made_by) for s in saved] == [("spring", MadeBy.PLAN)]


def test_a_plan_is_a_flow_run_where_an_api_is_named(champion, monkeypatch, capsys):
    flows = []

    def call_flow(open_flow, request, *, engines):
        flows.append(open_flow().name)
        return what_if.plan_at_once(request)

    monkeypatch.setattr(process, "call_flow", call_flow)
    monkeypatch.setattr(servers, "names_an_api", lambda: True)
    code, _, _ = call(capsys, "plan", "--dataset", "world", *FEW)
    assert (code, flows) == (0, ["plan-budget"])


@pytest.mark.parametrize("asked", [[], ["--set", "tv=-10%"]])
def test_who_may_only_read_the_home_gets_the_plan_and_nothing_is_saved(
    champion, monkeypatch, capsys, asked
):
    def refuse(_home):
        raise StorageError("the home cannot be written: Permission denied.")

    monkeypatch.setattr("tasks.store.storage.require_writable", refuse)
    before = sorted(champion.root.rglob("*"))
    code, out, err = call(capsys, "plan", "--dataset", "world", "--json", *FEW, *asked)
    document = json.loads(out)
    assert (code, document["plan_file"], document["mlflow_run_id"]) == (0, None, None)
    assert Plan.model_validate(document).channels
    assert "not saved: the home cannot be written" in err
    assert sorted(champion.root.rglob("*")) == before


def test_options_replace_the_settings_of_the_spec_and_leave_the_others(champion, capsys):
    argv = ["--utility", "cvar", "--risk-level", "0.2", "--max-change", "0.1", "--by-entity"]
    _, out, _ = call(capsys, "plan", "--dataset", "world", "--json", "--seed", "7", *argv)
    settings = json.loads(out)["settings"]
    assert (settings["utility"], settings["risk_level"]) == ("cvar", 0.2)
    assert (settings["max_change"], settings["by_entity"]) == (0.1, True)
    assert (settings["horizon"], settings["n_starts"]) == (4, 2)


def test_a_plan_by_hand_is_evaluated_and_saved_as_one(champion, capsys, tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text("channel,change\ntv,-10%\n")
    _, from_file, _ = call(capsys, "plan", "--dataset", "world", "--what-if", path, "--json")
    _, inline, _ = call(capsys, "plan", "--dataset", "world", "--set", "tv=-10%", "--json")
    one, other = json.loads(from_file), json.loads(inline)
    assert one["advice"] == "evaluated"
    assert one["channels"] == other["channels"]
    tv, search = one["channels"]["tv"], one["channels"]["search"]
    assert tv["planned"] == pytest.approx(0.9 * tv["current"])
    assert search["planned"] == pytest.approx(search["current"])
    assert {s.made_by for s in list_scenarios(champion)} == {MadeBy.WHAT_IF}


def test_a_file_of_bounds_replaces_those_of_the_spec(champion, capsys, tmp_path):
    path = tmp_path / "bounds.yaml"
    path.write_text("channels:\n  tv: {low: 0.97, high: 1.05}\n")
    _, out, _ = call(capsys, "plan", "--dataset", "world", "--bounds", path, "--json")
    tv = json.loads(out)["channels"]["tv"]
    assert tv["low"] == pytest.approx(0.97 * tv["current"])
    assert tv["high"] == pytest.approx(1.05 * tv["current"])


def test_a_run_may_be_named_instead_of_a_dataset(champion, capsys, world):
    forge_run(champion, "world-2", world, Verdict.REVIEW)
    _, out, _ = call(capsys, "plan", "--run", "world-2", "--json", *FEW)
    assert json.loads(out)["models"][0]["run_id"] == "world-2"


def test_several_datasets_share_one_budget_with_weights(champion, capsys, monkeypatch):
    forge_run(champion, "other-1", mmm_world(dataset_id="other"))
    monkeypatch.setattr(plan_sources, "champion_run_id", lambda _home, dataset: f"{dataset}-1")
    argv = ["--dataset", "world", "--dataset", "other", "--weight", "other=2.5", *FEW]
    code, out, _ = call(capsys, "plan", *argv, "--json")
    models = json.loads(out)["models"]
    assert code == 0
    assert [(m["run_id"], m["weight"]) for m in models] == [("world-1", 1.0), ("other-1", 2.5)]
    for dataset in ("world", "other"):
        assert [s.dataset_ids for s in list_scenarios(champion, dataset)] == [["other", "world"]]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--budget", "-5"], r"budget: Input should be greater than 0 (got -5.0)"),
        (["--budget", "0"], r"budget: Input should be greater than 0"),
        (["--budget", "nan"], r"budget: Input should be a finite number"),
        (["--budget", "lots"], "--budget"),
        (["--budget", "9", "--target-roas", "2"], "give one of budget, target ROAS, target mROAS"),
        (["--budget", "9", "--set", "tv=5"], "give one of budget, target ROAS, target mROAS"),
        (["--target-mroas", "-1"], "target_mroas: Input should be greater than 0"),
        (["--set", "tx=5"], "Channel 'tx' in the plan file cannot be planned; did you mean 'tv'?"),
        (["--set", "email=5"], "Channel 'email' in the plan file cannot be planned"),
        (["--set", "tv=10%"], "'10%' could be a share of current spend or a change of it"),
        (["--set", "tv=ten"], "'ten' cannot be read as money"),
        (["--what-if", "gone.yaml"], "--what-if: gone.yaml does not exist"),
        (["--what-if", "gone.yaml", "--set", "tv=5"], "in a file or in options, not both"),
        (["--bounds", "gone.yaml"], "--bounds: gone.yaml does not exist"),
        (["--name", "../x"], "name: String should match pattern"),
        (["--name", "x'); DROP TABLE kpi;--"], "name: String should match pattern"),
        (["--utility", "maen"], "utility: Input should be 'mean', 'var', 'cvar' or 'sharpe'"),
        (["--risk-level", "0.7"], "risk_level: Input should be less than 0.5"),
        (["--horizon", "0"], "horizon: Input should be greater than or equal to 1"),
        (["--method", "guess"], "'guess' is not one of"),
        (["--seed", "-1"], "random_seed: Input should be greater than or equal to 0"),
        (["--budget", "1"], "budget"),
        (["--dataset", "world"], "a dataset is named twice"),
        (["--dataset", "b", "--run", "world-1"], "--run names one run"),
        (["--run", "world-2"], "No run 'world-2'; did you mean 'world-1'?"),
        (["--weight", "wrld=2"], "names no dataset of this plan; did you mean 'world'?"),
        (["--weight", "world=much"], "'much' is not a number; write world=2.5"),
        (["--weight", "world=0"], "weight: Input should be greater than 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_ends_with_two_and_the_reason(champion, capsys, argv, message):
    code, out, err = call(capsys, "plan", "--dataset", "world", *argv, "--json")
    assert code == 2, err
    reported = json.loads(out)["error"]["message"]
    assert message in reported
    assert err.count("mmm: ") == 1
    assert "Traceback" not in err
    assert list_scenarios(champion) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("channels: {tw: {low: 1}}", "Channel 'tw' in the bounds cannot be planned; did you mean"),
        ("chanels: {}", "chanels: unknown key; did you mean 'channels'?"),
        ("channels: {tv: {low: 2, high: 3}, search: {low: 2, high: 3}}", "bound"),
    ],
)
def test_bounds_that_cannot_be_met_end_with_two(champion, capsys, tmp_path, content, message):
    path = tmp_path / "bounds.yaml"
    path.write_text(content)
    code, out, err = call(capsys, "plan", "--dataset", "world", "--bounds", path)
    assert (code, out) == (2, "")
    assert message in err


def test_a_dataset_that_nobody_knows_is_reported_with_the_nearest(champion, capsys):
    code, _, err = call(capsys, "plan", "--dataset", "wrold")
    assert (code, "did you mean 'world'?" in err) == (2, True)
    code, _, err = call(capsys, "plan")
    assert (code, "--dataset: name the dataset" in err) == (2, True)


def test_without_a_champion_or_with_a_rejected_run_there_is_no_plan(champion, capsys, monkeypatch):
    monkeypatch.setattr(plan_sources, "champion_run_id", lambda _home, _dataset: None)
    code, _, err = call(capsys, "plan", "--dataset", "world")
    assert code == 2, err
    assert "no champion yet. Its newest run is world-1: OUTPUTS_READY, verdict PASS" in err
    end_run(champion, "world-9", Verdict.FAIL)
    code, _, err = call(capsys, "plan", "--dataset", "world", "--run", "world-9")
    assert code == 2, err
    assert "was rejected by a gate (FAIL)" in err


def test_the_terminal_says_advice_reason_channels_gain_and_place(champion, capsys):
    code, out, _ = call(capsys, "plan", "--dataset", "world", "--name", "spring")
    assert code == 0
    for words in ("2 of 2 starts agree", "scenario   spring (plan-world-", "from       world-1",
                  "MLflow     run mlflow-1", "  - tv: ", "not planned"):  # fmt: skip
        assert words in out
    again = call(capsys, "plan", "--dataset", "world", "--name", "spring")[1]
    assert "An earlier plan was named spring, too; it is found as plan-world-" in again


def test_withheld_advice_shows_what_was_found_and_what_is_advised(home, capsys):
    channels = {"tv": channel_plan(planned=100.0, candidate=130.0, prior_driven=True)}
    plan = forged_plan(advice=Advice.WITHHELD, channels=["tv"]).model_copy(
        update={"channels": channels}
    )
    save(home, plan)
    code, out, _ = call(capsys, "scenarios", "plan-1")
    assert code == 0
    assert out.startswith("WITHHELD  demo  2026-01-05 to 2026-03-30 (13 periods)  budget 240")
    row = next(line.split() for line in out.splitlines() if line.split()[:1] == ["tv"])
    assert row[:6] == ["tv", "100", "100", "+0.0", "%", "130"]
    assert row[-1] == "prior-driven"
    for words in (
        "It gains 30", "gain 30 (94 % interval -5 to 60)", "expected regret 0.25",
        "15 of 16 starts agree, 1 gave up (slsqp, utility mean)",
        "! search leaves the range that was observed",
        "email: not planned; it has no spend column", "against today's spend 50 (10 to 90)",
        "online",
    ):  # fmt: skip
        assert words in out


def test_a_kpi_without_value_has_its_own_words(home, capsys):
    save(home, forged_plan(unit="leads", return_word="leads per money"))
    out = call(capsys, "scenarios", "plan-1")[1]
    assert "gain 30 leads (94 % interval" in out
    assert "marginal leads per money" in out


def test_scenarios_are_listed_newest_first_and_names_can_be_taken(home, capsys):
    assert call(capsys, "scenarios")[1].startswith("No plans yet")
    older = forged_plan("a", name="q1")
    newer = forged_plan("b", name="q1", created_at=MADE + timedelta(days=1))
    save(home, older, newer)
    code, out, _ = call(capsys, "scenarios", "--json")
    listed = json.loads(out)["scenarios"]
    assert code == 0
    assert [(s["scenario_id"], s["has_name"]) for s in listed] == [("b", True), ("a", False)]
    rows = [line.split() for line in call(capsys, "scenarios")[1].splitlines()[2:]]
    assert [row[0] for row in rows] == ["q1", "a"]
    assert rows[1][-3:] == ["was", "named", "q1"]


def test_scenarios_are_compared_side_by_side_from_the_mart(home, capsys):
    one = forged_plan("a", name="one", channels=["tv", "search"])
    two = forged_plan("b", name="two", channels=["tv", "radio"], budget=1234.5)
    save(home, one, two)
    code, out, _ = call(capsys, "scenarios", "--compare", "one", "two")
    assert code == 0
    cells = {line[:18].strip(): line[18:].split() for line in out.splitlines()}
    assert cells[""][:2] == ["one", "two"]
    assert cells["budget"] == ["240", "1,234"]
    assert cells["spend on search"] == ["120", "–"]
    assert cells["spend on radio"] == ["–", "120"]
    document = json.loads(call(capsys, "scenarios", "--compare", "one", "b", "--json")[1])
    assert [s["scenario_id"] for s in document["scenarios"]] == ["a", "b"]
    assert document["planned"] == {
        "tv": {"a": 120.0, "b": 120.0},
        "search": {"a": 120.0, "b": None},
        "radio": {"a": None, "b": 120.0},
    }


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--compare", "plan-1"], "--compare: name at least two plans"),
        (["--compare"], "--compare: name at least two plans"),
        (["plan-1", "plan-1"], "add --compare"),
        (["plan-2"], "No plan 'plan-2'; did you mean 'plan-1'?"),
        (["--compare", "plan-1", "x'); DROP TABLE kpi;--"], "No plan"),
    ],
)
def test_a_wrong_question_about_scenarios_ends_with_two(home, capsys, argv, message):
    save(home, forged_plan())
    code, out, err = call(capsys, "scenarios", *argv)
    assert (code, out) == (2, "")
    assert message in err


def test_an_unknown_dataset_has_no_scenarios_but_a_suggestion(home, capsys):
    end_run(home, "world-1", Verdict.PASS)
    assert call(capsys, "scenarios", "--dataset", "world")[:2] == (
        0,
        "No plans yet; make one with `mmm plan --dataset ID`.\n",
    )
    code, _, err = call(capsys, "scenarios", "--dataset", "wordl")
    assert (code, "did you mean 'world'?" in err) == (2, True)


@pytest.mark.parametrize(
    ("past", "shown"),
    [
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 d"),
    ],
)
def test_age_of_a_plan(past, shown):
    assert plan_output.format_age(MADE - past, MADE) == shown
