"""A refit of any kind for the tests of one module, and what is true of every kind's run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from schemas.documents.results import RefitReport
from schemas.names import Artifact
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec

OPTIONAL = {
    Artifact.PYMC_MARKETING, Artifact.ESCALATION, Artifact.CHANGE,
    Artifact.CAUSAL_GRAPH, Artifact.CAUSAL_GRAPH_PICTURE,
}  # fmt: skip
"""Not of every run: the first three need a cause, the graph is of one kind alone."""


class KindRun(NamedTuple):
    """What a refit reported, and its files."""

    report: RefitReport

    @property
    def folder(self) -> Path:
        return Path(self.report.artifacts_dir)

    def document(self, name: Artifact) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def table(self, name: Artifact) -> pd.DataFrame:
        return pd.read_parquet(self.folder / name)


@contextmanager
def refitted(root: Path, spec: dict[str, Any], data: Path) -> Iterator[KindRun]:
    """Refit a file in a home of its own, which stays the home as long as the block lasts."""
    from flows.refit_weekly import refit_weekly

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMM_HOME", str(root))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        request = RefitRequest(spec=RunSpec.model_validate(spec), data=str(data))
        yield KindRun(refit_weekly(request))


def missing_files(run: KindRun) -> list[Artifact]:
    return [a for a in Artifact if a not in OPTIONAL and not (run.folder / a).is_file()]


def assert_contributions_add_up(run: KindRun) -> None:
    keys = ["entity_id", "period_start"]
    total = run.table(Artifact.CONTRIBUTIONS).groupby(keys)["contribution_mean"].sum()
    fitted = run.table(Artifact.FITTED).set_index(keys)["fitted_mean"]
    np.testing.assert_allclose(total, fitted.loc[total.index], rtol=1e-9)
