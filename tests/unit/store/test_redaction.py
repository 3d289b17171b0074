"""One filter stands before everything that is written."""

import io
import json
import logging

import pytest

from schemas.documents.results import RunStatus
from tasks.store import webhook
from tasks.store.files.artifacts import write_json
from tasks.store.redaction import MARK, filter_logs, redact, redact_tree
from tasks.store.runs import status

TOKEN = "T0ken-planted-4711"  # noqa: S105


@pytest.fixture
def planted(monkeypatch):
    monkeypatch.setenv(
        "MMM_WEBHOOK_URL", f"https://me:pa55word-x@hooks.example/s/{TOKEN}?key=abcdefgh1"
    )
    monkeypatch.setenv("SOME_API_KEY", "key-of-someone")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter22")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://ml:tr%26cking@mlflow.example")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "mmm:of-this-home")


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN, "pa55word-x", "abcdefgh1", "key-of-someone", "hunter22", "tr&cking", "tr%26cking",
        "mmm:of-this-home", "of-this-home",
    ],
)  # fmt: skip
def test_every_secret_of_the_environment_is_replaced(planted, secret):
    text = f"before {secret} and {secret!r} after"
    assert secret not in redact(text)
    assert redact(text).startswith("before ")
    assert redact(text).endswith(" after")


def test_what_is_no_secret_stays(planted):
    text = "hooks.example, s, key, mlflow.example, week 2026-03-02, TOKEN, password"
    assert redact(text) == text


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://u:p@db/x", f"postgresql://{MARK}@db/x"),
        ("see http://u:p@a.example and http://b.example:80/x@y", None),
        ("http://a.example/x:y@z", "http://a.example/x:y@z"),
    ],
)
def test_the_password_of_any_address_is_replaced(address, expected):
    assert redact(address) == (
        expected or f"see http://{MARK}@a.example and http://b.example:80/x@y"
    )


def test_short_values_and_paths_are_no_secrets(monkeypatch):
    monkeypatch.setenv("SHORT_TOKEN", "week")
    monkeypatch.setenv("SOME_CREDENTIALS", "/etc/somewhere")
    assert redact("the week of /etc/somewhere") == "the week of /etc/somewhere"


def test_trees_are_cleaned_in_keys_and_values(planted):
    tree = {TOKEN: [f"a {TOKEN}", 1, None, {"b": ("hunter22",)}]}
    assert redact_tree(tree) == {MARK: [f"a {MARK}", 1, None, {"b": [MARK]}]}


def test_log_records_of_any_library_are_cleaned(planted):
    filter_logs()
    filter_logs()
    stream = io.StringIO()
    logger = logging.getLogger("some.library")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    try:
        logger.error("calling %s with %d", f"http://x/{TOKEN}", 7)
        try:
            raise ValueError(f"refused: {TOKEN}")
        except ValueError:
            logger.exception("it failed")
    finally:
        logger.removeHandler(handler)
    text = stream.getvalue()
    assert TOKEN not in text
    assert "calling http://x/[secret] with 7" in text
    assert "ValueError: refused: [secret]" in text


def test_files_of_a_run_are_cleaned(planted, home):
    ref = write_json(home, home.run_dir("r") / "x.json", {"reason": f"told {TOKEN}"})
    assert json.loads((home.root / ref.path).read_text()) == {"reason": f"told {MARK}"}


def test_the_reason_of_a_failure_is_cleaned_everywhere(planted, home):
    status.start_run(home, "r-1", "demo")
    record = status.fail_run(home, "r-1", f"cannot reach https://x/{TOKEN}")
    assert record.status is RunStatus.ERROR
    assert TOKEN not in (record.reason or "")
    for path in home.root.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path


def test_notices_are_cleaned(planted, monkeypatch):
    posted = []
    monkeypatch.setattr(webhook, "_try", lambda _, body: (posted.append(body), ("", False))[1])
    assert webhook.post_json({"reasons": [f"no {TOKEN}"]})
    assert posted == [b'{"reasons": ["no [secret]"]}']


def test_prefect_states_are_cleaned(planted):
    import prefect._internal.states
    import prefect.states

    import flows.plan_budget

    assert flows.plan_budget.filter_states is not None
    for module in (prefect.states, prefect._internal.states):
        assert module.format_exception(ValueError(TOKEN)) == f"ValueError: {MARK}"
    state = prefect._internal.states.exception_to_failed_state_sync(ValueError(TOKEN))
    assert state.message == f"ValueError: {MARK}"
