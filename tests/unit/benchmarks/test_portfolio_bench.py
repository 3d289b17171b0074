"""The portfolio that is measured can be read and is the same for the same seed; waits are waits."""

import time

from support.worlds import make_spec

from benchmarks.portfolio import COLUMNS, SIMULATED, write_brands
from benchmarks.recovery.tables import render_rows
from benchmarks.recovery.waiting_brand import answer
from flows.services.brand_workers import BrandWork
from schemas.spec.refit_request import RefitRequest
from tasks.store.inputs.portfolio_file import list_brands, open_brand, read_portfolio


def test_the_brands_that_are_written_can_be_refitted_and_are_the_same_again(home):
    path = write_brands(home.root / "a", 2, first_seed=7, runner="process")
    spec = read_portfolio(path)
    opened = [open_brand(brand, spec, path) for brand in list_brands(spec, path)]
    assert [o.spec.dataset_id for o in opened] == ["brand_00007", "brand_00008"]
    lines = opened[0].data.read_text().splitlines()
    assert len(lines) == 1 + 104
    assert sum(name.startswith("spend_") for name in lines[0].split(",")) == 4
    again = write_brands(home.root / "b", 2, first_seed=7)
    assert (again.parent / "brand_00008.csv").read_text() == opened[1].data.read_text()


def test_a_brand_that_waits_is_accepted_after_its_wait():
    request = RefitRequest(spec=make_spec(dataset_id="acme"))
    began = time.monotonic()
    said = answer(BrandWork(request=request, log_file="x", portfolio_run_id="p"), 0.05)
    assert time.monotonic() - began >= 0.05
    assert (said.exit_code, said.report.champion) == (0, "acme@1")


def test_tables_have_a_figure_per_column():
    row = {"what": "process, 2 worker(s)", "brands": 24, "accepted": 24, "seconds": 96.0,
           "rate": 15.0, "cpu": 8.0, "gb": 2.0}  # fmt: skip
    assert "15.0" in render_rows([row], COLUMNS, {"what"})
    waits = {"brands": 1000, "workers": 8, "seconds": 60.0, "flow": 50.0, "waited": 25.0,
             "overhead": 25.0, "cpu_ms": 40.0, "prefect_mb": 10.0, "portfolio_mb": 3.0}  # fmt: skip
    assert "1000" in render_rows([waits], SIMULATED, set())
