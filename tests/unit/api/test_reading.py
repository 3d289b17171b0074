"""What a reader gets: lists in pages, documents with tags, tables in three formats."""

import io
import json
import subprocess
import sys

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from flows.api.app import build_api
from flows.api.examples import add_examples
from flows.api.problems import MEDIA_TYPE
from schemas.answers.service import Problem
from schemas.names import CONTRIBUTION_COLUMNS, Artifact
from tasks.query.runs import summarize_run
from tasks.store.home import CHECKOUT
from tasks.store.runs.status import start_run

RUN = "/api/v1/runs/run-1"
OUTPUTS = "/api/v1/outputs/run-1"


def test_runs_come_in_pages_that_hold_each_of_them_once(api, home):
    for number in range(7):
        start_run(home, f"run-{number}", "demo")
    seen, cursor = [], None
    while True:
        page = api.get(
            "/api/v1/runs", params={"limit": 3, **({"cursor": cursor} if cursor else {})}
        )
        seen += [run["run_id"] for run in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == [f"run-{n}" for n in range(7)]
    assert page.json()["total"] == 7


def test_runs_are_filtered(api, home):
    start_run(home, "run-1", "demo")
    start_run(home, "run-2", "acme")
    found = api.get("/api/v1/runs", params={"dataset_id": "acme", "status": "CREATED"}).json()
    assert [run["run_id"] for run in found["items"]] == ["run-2"]
    assert api.get("/api/v1/runs", params={"verdict": "PASS"}).json()["items"] == []


def test_a_run_is_what_the_command_line_shows_without_its_place(api, published):
    shown = summarize_run("run-1").model_dump(mode="json")
    answered = api.get(RUN).json()
    assert answered == {k: v for k, v in shown.items() if k not in ("artifacts_dir", "artifacts")}


def test_an_output_keeps_its_tag_and_is_not_sent_twice(api, published):
    first = api.get(f"{OUTPUTS}/roi")
    assert first.json() == json.loads(
        (published.run_dir("run-1") / Artifact.ROI_METRICS).read_text()
    )
    again = api.get(f"{OUTPUTS}/roi", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.get(f"{OUTPUTS}/roi", headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_a_table_is_json_csv_or_parquet(api, published):
    stored = pd.read_parquet(published.run_dir("run-1") / Artifact.CONTRIBUTIONS)
    parquet = api.get(
        f"{OUTPUTS}/contributions", headers={"Accept": "application/vnd.apache.parquet"}
    )
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(parquet.content)), stored)
    csv = api.get(f"{OUTPUTS}/contributions", headers={"Accept": "text/csv, */*;q=0.1"})
    assert list(pd.read_csv(io.BytesIO(csv.content))) == list(CONTRIBUTION_COLUMNS)
    rows = api.get(f"{OUTPUTS}/contributions").json()
    assert len(rows) == len(stored)
    tags = {api.get(f"{OUTPUTS}/contributions?as={f}").headers["etag"] for f in ("csv", "json")}
    assert len(tags) == 2
    refused = api.get(f"{OUTPUTS}/contributions", headers={"Accept": "image/png"})
    assert refused.status_code == 406


def test_a_changed_file_is_an_error_and_says_no_path(api, published):
    path = published.run_dir("run-1") / Artifact.ROI_METRICS
    path.write_text("{}")
    answer = api.get(f"{OUTPUTS}/roi")
    assert answer.status_code == 500
    assert "was changed after it was published" in answer.json()["detail"]
    assert str(published.root) not in answer.text


def test_what_a_run_has_is_listed_and_what_it_lacks_is_said(api, published):
    names = api.get(OUTPUTS).json()["items"]
    assert {"roi", "diagnostics", "contributions", "fitted"} <= set(names)
    assert "report" not in names
    assert "has no report" in api.get(f"{OUTPUTS}/report").json()["detail"]
    assert "roi" in api.get(f"{OUTPUTS}/roii").json()["detail"]


def test_champion_history_plans_and_comparison(api, published):
    champion = api.get("/api/v1/champions/demo")
    assert champion.json()["champion"]["version"] == 1
    assert champion.headers["etag"] == '"1-1"'
    plans = api.get("/api/v1/plans").json()["items"]
    for plan in plans:
        assert api.get(f"/api/v1/plans/{plan['scenario_id']}").status_code == 200
    twice = api.get("/api/v1/comparisons", params=[("run", "run-1"), ("run", "run-1")])
    assert (twice.status_code, twice.json()["code"]) == (422, "SpecError")
    gone = api.get("/api/v1/comparisons", params=[("run", "run-1"), ("run", "run-2")])
    assert (gone.status_code, "did you mean" in gone.json()["detail"]) == (404, True)
    assert api.get("/api/v1/forecasts/demo").json()["alarms"] == []


def test_accepting_and_going_back_need_the_tag_that_was_seen(api, published):
    ask = {"run_id": "run-1", "reason": "looked at"}
    assert api.post("/api/v1/champions/demo/accept", json=ask).status_code == 428
    stale = api.post("/api/v1/champions/demo/accept", json=ask, headers={"If-Match": '"0-0"'})
    assert stale.status_code == 412
    seen = stale.headers["etag"]
    done = api.post("/api/v1/champions/demo/accept", json=ask, headers={"If-Match": seen})
    assert (done.status_code, done.json()["champion"]) == (200, "demo@1")
    assert api.get("/api/v1/champions/demo").headers["etag"] != seen
    back = api.post("/api/v1/champions/demo/rollback", json={}, headers={"If-Match": "*"})
    assert back.status_code == 404
    assert "No champion before" in back.json()["detail"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_page_of_documents_asks_no_other_host(api, path):
    page = api.get(path)
    assert page.status_code == 200
    assert "/api/v1/runs/{run_id}" in page.text
    assert "://" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_live_and_ready(api, home, monkeypatch):
    assert api.get("/health").json()["status"] == "ok"
    assert api.get("/ready").json()["is_ready"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    waiting = api.get("/ready")
    assert waiting.status_code == 503
    assert [c["name"] for c in waiting.json()["checks"] if not c["is_ready"]] == ["MLflow"]


def test_the_web_process_imports_no_model_library(home):
    code = (
        "import sys; from flows.api.app import build_server; from flows.services import api; "
        "import flows.api.services, tasks.publish.task_rollback, tasks.explain.task_stability; "
        "print([m for m in ('pymc', 'pytensor', 'numba', 'nutpie', 'arviz') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_openapi_document_in_the_repository_is_that_of_the_application():
    written = (CHECKOUT / "schemas" / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(written) == build_api().openapi(), "run `make docs` and commit it"


def test_whatever_a_request_has_comes_with_an_example_that_can_be_sent():
    document = build_api().openapi()
    silent, wrong = [], []
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = operation.get("requestBody", {}).get("content", {}).values()
            for part in [*operation.get("parameters", []), *bodies]:
                named = f"{operation['operationId']} {part.get('name', 'body')}"
                if "example" not in part:
                    silent.append(named)
                    continue
                schema = {**part["schema"], "components": document["components"]}
                wrong += [f"{named}: {e.message}" for e in
                          Draft202012Validator(schema).iter_errors(part["example"])]  # fmt: skip
            for code, answer in operation["responses"].items():
                if code == "4XX":
                    Problem.model_validate(answer["content"][MEDIA_TYPE]["example"])
    assert (silent, wrong) == ([], [])
    assert build_api().openapi() == add_examples(document), "a second time changes nothing"
