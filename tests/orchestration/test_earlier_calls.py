"""The five calls that users of the earlier backend make, as they are, against a served home."""

import time

import httpx
import numpy as np
import pandas as pd
import pytest
from support.served_home import serve_home

pytestmark = pytest.mark.slow
MANY_SECONDS = 600.0
"""A fit, on a machine that has other things to do."""
SPEC = {
    "dataset_id": "my_data", "grain": "WEEK", "drivers": ["act_tv", "act_digital", "act_radio"],
    "controls": ["ctrl_price_index"], "draws": 500, "chains": 2,
}  # fmt: skip


@pytest.fixture
def client(tmp_path):
    """A client of a server that has nothing yet."""
    with (
        serve_home(tmp_path) as address,
        httpx.Client(base_url=address, timeout=240) as opened,
    ):
        yield opened


def panel():
    """Two years of weeks with the columns of the earlier backend's example."""
    rng = np.random.default_rng(1)
    n = 104
    tv, digital, radio = rng.gamma(2.0, 50.0, (3, n))
    price = 1 + 0.05 * rng.standard_normal(n)
    carried = np.convolve(tv, 0.5 ** np.arange(6))[:n]
    sales = 5000 + 8 * carried + 5 * digital + 2 * radio - 900 * (price - 1)
    return pd.DataFrame(
        {
            "entity_id": "shop",
            "period_start": pd.date_range("2024-01-01", periods=n, freq="7D").strftime("%Y-%m-%d"),
            "sales": (sales + 60 * rng.standard_normal(n)).round(2),
            "act_tv": tv.round(3), "act_digital": digital.round(3), "act_radio": radio.round(3),
            "spend_tv": (10 * tv).round(2), "spend_digital": (4 * digital).round(2),
            "ctrl_price_index": price.round(4),
        }
    )  # fmt: skip


def test_its_five_calls_answer_as_before(client):
    file = {"file": ("my_data.csv", panel().to_csv(index=False).encode(), "text/csv")}
    uploaded = client.post("/datasets/upload", params={"dataset_id": "my_data"}, files=file)
    assert uploaded.status_code == 200, uploaded.text
    assert uploaded.json()["dataset_id"] == "my_data"

    created = client.post("/runs/create", json=SPEC)
    assert created.status_code == 200, created.text
    run_id = created.json()["run_id"]

    states, deadline = [], time.monotonic() + MANY_SECONDS
    while time.monotonic() < deadline:
        state = client.get(f"/runs/{run_id}/status").json()
        if state["status"] not in states:
            states.append(state["status"])
        if state["status"] in {"OUTPUTS_READY", "ERROR"}:
            break
        time.sleep(0.5)
    assert states[-1] == "OUTPUTS_READY", state
    order = ["CREATED", "VALIDATED", "FEATURES_BUILT", "TRAINING", "TRAINED", "OUTPUTS_READY"]
    assert states == [each for each in order if each in states]

    found = {
        path: client.get(f"/outputs/{run_id}/{path}")
        for path in ("posterior_summary", "diagnostics", "contributions?format=summary", "roi")
    }
    assert {path: answer.status_code for path, answer in found.items()} == dict.fromkeys(found, 200)
    assert set(found["roi"].json()) == {"tv", "digital", "radio"}
    assert found["diagnostics"].json()["verdict"] in {"PASS", "REVIEW", "FAIL"}

    summary = client.get(f"/outputs/{run_id}/summary")
    assert summary.status_code == 200, summary.text
    assert summary.json()["run_id"] == run_id
