"""The process of a brand that waits in place of a refit, and the portfolio that has such brands.

``python -m benchmarks.recovery.waiting_brand`` is the process; with ``--portfolio FILE`` it is
``mmm portfolio --json`` whose processes are these.
"""

import argparse
import os
import sys
import time

from flows.services import brand_workers
from flows.services.brand_workers import BrandWork
from schemas.answers.portfolio import BrandAnswer
from schemas.documents.results import RefitReport, RunStatus
from schemas.outcomes import Verdict

SECONDS_VARIABLE = "MMM_WAITING_SECONDS"


def answer(work: BrandWork, seconds: float) -> BrandAnswer:
    """Wait, and answer as an accepted refit does."""
    time.sleep(seconds)
    name = work.request.spec.dataset_id
    report = RefitReport(
        run_id=f"{name}-waited", dataset_id=name, snapshot_id=None, status=RunStatus.OUTPUTS_READY,
        verdict=Verdict.PASS, reasons=[], champion=f"{name}@1", promotion="simulated",
        model_version=1, artifacts_dir="", mlflow_run_id=None, metrics={}, findings=[], timings={},
    )  # fmt: skip
    return BrandAnswer(exit_code=0, report=report)


def main() -> None:
    """Serve brands, or run a portfolio of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portfolio")
    parser.add_argument("--workers", default="2")
    given = parser.parse_args()
    if given.portfolio:
        from flows.cli import app

        brand_workers.MODULE = "benchmarks.recovery.waiting_brand"
        arguments = ["portfolio", "--file", given.portfolio, "--workers", given.workers, "--json"]
        code = app.main(arguments)
        sys.stdout.flush()
        raise SystemExit(code)
    seconds = float(os.environ[SECONDS_VARIABLE])
    for line in sys.stdin:
        said = answer(BrandWork.model_validate_json(line), seconds)
        sys.stdout.write(said.model_dump_json() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
