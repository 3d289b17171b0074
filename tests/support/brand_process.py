"""Stands in for ``flows.brand_work``: what a brand comes to is in the name of its dataset.

The protocol is the real one; nothing is fitted.
"""

import os
import signal
import sys
import time
from pathlib import Path

from flows.services.brand_workers import CORES_VARIABLE, BrandWork
from schemas.answers.portfolio import BrandAnswer
from schemas.documents.results import RefitReport, RunStatus
from schemas.outcomes import Verdict


def report_of(dataset_id: str, verdict: Verdict) -> RefitReport:
    accepted = verdict is Verdict.PASS
    return RefitReport(
        run_id=f"{dataset_id}-run-{os.getpid()}",
        dataset_id=dataset_id,
        snapshot_id="0" * 16,
        status=RunStatus.OUTPUTS_READY,
        verdict=verdict,
        reasons=[] if accepted else ["R-hat is 1.2"],
        champion=f"{dataset_id}@2" if accepted else f"{dataset_id}@1",
        promotion="all gates passed" if accepted else "",
        model_version=2 if accepted else None,
        artifacts_dir="nowhere",
        mlflow_run_id=None,
        metrics={},
        findings=[],
        timings={},
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def answer(work: BrandWork) -> BrandAnswer:
    dataset_id = work.request.spec.dataset_id
    log = Path(work.log_file)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"cores {os.environ[CORES_VARIABLE]}\nlast words of {dataset_id}\n")
    match dataset_id.partition("_")[0]:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "quits":
            os._exit(7)
        case "hangs":
            time.sleep(600)
        case "rejected":
            return BrandAnswer(exit_code=3, report=report_of(dataset_id, Verdict.FAIL))
        case "poisoned":
            return BrandAnswer(exit_code=2, reason="panel.csv, column 'sales': no numbers.")
        case "locked":
            return BrandAnswer(exit_code=4, reason="Dataset is locked.")
        case "babbles":
            say("this is no answer")
            time.sleep(600)
    return BrandAnswer(exit_code=0, report=report_of(dataset_id, Verdict.PASS))


if __name__ == "__main__":
    for line in sys.stdin:
        say(answer(BrandWork.model_validate_json(line)).model_dump_json())
