"""Kind ``log_student_t`` goes the whole way of a refit, as ``mmm`` does in the weekly test."""

from pathlib import Path

import pandas as pd
import pytest
from support.brief import LENIENT_GATES

from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
SPEC = {
    "dataset_id": "acme",
    "model": {"kind": "log_student_t"},
    "sampler": {"draws": 200, "tune": 300, "chains": 2},
    "gates": LENIENT_GATES,
}


def test_it_is_accepted_and_its_parts_add_up(prefect_env, home):
    from flows.refit_weekly import refit_weekly

    report = refit_weekly(RefitRequest(spec=RunSpec.model_validate(SPEC), data=str(DEMO)))
    assert report.verdict is not Verdict.FAIL
    assert report.champion == "acme@1"
    folder = Path(report.artifacts_dir)
    parts = pd.read_parquet(folder / Artifact.CONTRIBUTIONS)
    fitted = pd.read_parquet(folder / Artifact.FITTED)
    keys = ["entity_id", "period_start"]
    sums = parts.groupby(keys)["contribution_mean"].sum()
    whole = fitted.set_index(keys)["fitted_mean"]
    pd.testing.assert_series_equal(sums, whole, check_names=False, rtol=1e-9)
