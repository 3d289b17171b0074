"""The paths of the earlier backend answer, each of them."""

READS = [
    "/datasets/", "/runs/", "/runs/run-1", "/runs/run-1/status", "/outputs/run-1/posterior_summary",
    "/outputs/run-1/diagnostics", "/outputs/run-1/contributions?format=timeseries",
    "/outputs/run-1/roi", "/outputs/run-1/fitted", "/runs/run-1/spec", "/runs/run-1/diagnostics",
    "/runs/run-1/posterior_summary", "/runs/run-1/fitted",
    "/runs/run-1/contributions?format=timeseries",
    "/health", "/docs", "/redoc", "/openapi.json",
]  # fmt: skip


def test_every_path_answers(api, published):
    answers = {path: api.get(path) for path in READS}
    assert {p: a.text for p, a in answers.items() if a.status_code != 200} == {}


def test_steps_apart_answer_the_status_of_the_run(api, published):
    for step in ("build_features", "train"):
        assert api.post(f"/runs/run-1/{step}").json()["status"] == "OUTPUTS_READY"
    assert api.get("/outputs/run-1/contributions?format=rows").status_code == 422
    assert api.get("/runs/nope/status").status_code == 404
