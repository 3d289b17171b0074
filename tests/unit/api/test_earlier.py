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


def test_a_file_whose_columns_need_a_spec_is_kept_and_says_what_to_name(api):
    rows = "Woche;Umsatz;Kosten_tv\n" + "".join(f"0{d}.01.2024;1,5;2,5\n" for d in (1, 8))
    sent = {"file": ("german.csv", rows.encode(), "text/csv")}
    answer = api.post("/datasets/upload?dataset_id=german", files=sent)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["status"], said["validation"]) == ("uploaded", None)
    assert "period_start: the file has no column" in said["reason"]
    assert [d["dataset_id"] for d in api.get("/datasets/").json()] == ["german"]
