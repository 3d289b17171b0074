"""What pages say to do: a page, a button, a person; never a command."""

import html
import re
from datetime import UTC, datetime

import pytest
from support.desks import DeskHere, seat
from typer.main import get_command

from flows.api.problems import problem_of
from flows.cli.app import app as command_line
from flows.web.rendering import NAVIGATION
from flows.web.wording import OPERATOR, PAGE_OF_VERB, as_typed, on_page
from schemas.answers.jobs import JobKind, JobState
from schemas.documents.results import RunStatus
from schemas.errors import UnknownRunError
from tasks.ingest import task_drafts, task_uploads
from tasks.lifecycle import task_jobs
from tasks.store.runs.status import advance_run, fail_run, start_run

VERBS = set(get_command(command_line).commands)
COMMAND = re.compile(rf"\bmmm ({'|'.join(sorted(VERBS))})\b|(?<![\w-])--[a-z]+")
SAID = "Found by `mmm show run-x`. `mmm accept run-x --reason TEXT` promotes it; see --as-of."


def test_every_verb_is_done_by_a_page_or_by_a_person():
    assert set(PAGE_OF_VERB) <= VERBS
    assert set(PAGE_OF_VERB.values()) <= {title for title, _ in NAVIGATION}
    by_person = {"serve", "ui", "token", "repair", "prune", "recover", "backtest", "backfill"}
    assert VERBS - set(PAGE_OF_VERB) == by_person


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`mmm runs` lists those that exist.", "The page Run lists those that exist."),
        ("No run; `mmm refit --spec FILE` starts one.", "No run; the page Run starts one."),
        ("Look. `mmm show x` says why.", "Look. The page Results says why."),
        ("accepts it (`mmm accept RUN_ID --reason TEXT`).", "accepts it (the page Champions)."),
        ("Let `mmm repair` make it again.", f"Let {OPERATOR} make it again."),
        ("Refit once with --accept-restatement.", "Refit once with “accept restatement”."),
        ("--x", "--x"),
        ("a--b and tv -- brand", "a--b and tv -- brand"),
        (7, 7),
    ],
)
def test_a_remedy_names_the_page_that_does_it(said, shown):
    assert on_page(said) == shown


def test_what_a_person_wrote_stays_as_it_is():
    assert on_page(as_typed("# `mmm refit` <b>")) == "# `mmm refit` &lt;b&gt;"


@pytest.fixture
def home_in_every_state(web, published, finished_run, monkeypatch):
    """Runs accepted, under review, rejected, failed, at work; a job of each end; an upload."""
    monkeypatch.setattr("flows.api.jobs.JobRunner._submit", lambda *_: None)
    seat(web.app, DeskHere())
    finished_run("run-r", day=3, verdict="REVIEW")
    finished_run("run-f", day=4, verdict="FAIL")
    start_run(published, "run-x", "demo")
    fail_run(published, "run-x", SAID)
    start_run(published, "run-y", "demo")
    advance_run(published, "run-y", RunStatus.VALIDATED)
    for state in JobState:
        job = task_jobs.new_job(JobKind.REFIT, {"dataset_id": "demo"}, "demo")
        problem = problem_of(UnknownRunError(SAID)) if state is JobState.FAILED else None
        task_jobs.move_job(job, state, ended_at=datetime.now(UTC), problem=problem)
        task_jobs.log_path(job.job_id).write_text(f"INFO | {SAID}\n")
    task_uploads.load_demo()
    task_drafts.save_demo_draft()
    return web


def walk(web, *also):
    """Return every page that links and later parts lead to, by its address."""
    found, waiting = {}, ["/", *also, *(href for _, href in NAVIGATION)]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        answer = web.get(address)
        assert answer.status_code < 500, address
        found[address] = answer.text if "html" in answer.headers["content-type"] else ""
        linked = re.findall(r'(?:href|data-load|data-from)="(/[^"#]*)', found[address])
        waiting += [
            html.unescape(link)
            for link in linked
            if not link.startswith(("/api", "/static", "/docs"))
        ]
    return found


def visible(page):
    """Return the text of a page, and of its fields and labels."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    labels = re.findall(r'(?:aria-label|placeholder|value|title|data-said)="([^"]*)"', page)
    return html.unescape(" ".join([re.sub(r"<[^>]+>", " ", page), *labels]))


def named(pages):
    return {
        address: [m[0] for m in COMMAND.finditer(visible(page))]
        for address, page in pages.items()
        if COMMAND.search(visible(page))
    }


def test_no_page_of_any_state_names_a_command(home_in_every_state):
    web = home_in_every_state
    pages = walk(
        web, "/sign-in", "/run/nothing", "/results/nothing", "/results/run-x", "/export/run-x",
        "/data/nothing", "/compare?run=run-1", "/champions?dataset_id=nothing",
        "/budget?plan=nothing",
    )  # fmt: skip
    assert {"/run/run-x", "/run/run-y", "/results/run-r", "/results/run-f"} <= set(pages)
    assert sum("The page Champions promotes it" in page for page in pages.values()) >= 2
    assert named(pages) == {}


def test_no_page_of_an_empty_home_names_a_command(web):
    assert named(walk(web, "/sign-in", "/run/nothing", "/results/nothing")) == {}
