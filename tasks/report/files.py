"""The opened files of one run, read as their models, and which files a report opens."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from schemas.documents.diagnostics import ComparedChampion, Diagnostics, StabilityReport
from schemas.documents.effects import ChannelReturns, RoiMetrics
from schemas.documents.plan import Plan
from schemas.documents.results import RunRecord
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.outcomes import Verdict

JSON_FILES = (
    Artifact.RUN_SPEC, Artifact.VALIDATION_SUMMARY, Artifact.FEATURE_METADATA,
    Artifact.MODEL_METADATA, Artifact.DIAGNOSTICS, Artifact.CONTRIBUTION_SUMMARY,
    Artifact.FIT_METRICS, Artifact.ROI_METRICS, Artifact.RESPONSE_CURVES, Artifact.PLAN,
    Artifact.CHANNEL_EFFECTS,
    Artifact.STABILITY, Artifact.CHANGE, Artifact.CAUSAL_GRAPH,
)  # fmt: skip
TABLE_FILES = (
    Artifact.CONTRIBUTIONS,
    Artifact.FITTED,
    Artifact.ROAS_BY_ENTITY,
    Artifact.FORECAST,
    Artifact.FORECAST_ACTUALS,
)
PREVIOUS_FILES = (
    Artifact.RUN_SPEC, Artifact.DIAGNOSTICS, Artifact.ROI_METRICS, Artifact.FITTED, Artifact.PLAN,
)  # fmt: skip
"""What is read of the accepted run before."""

CHAMPION_FILES = (Artifact.RUN_SPEC, Artifact.PLAN)
"""What is read of the champion that this run was compared with."""


@dataclass(frozen=True)
class RunFiles:
    """A run's record and its opened files by name; a file that the run lacks is not there."""

    record: RunRecord
    files: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Write a JSON document as it is in its file; empty where the run lacks it."""
        file = self.files.get(name)
        return json.dumps(file, indent=2, ensure_ascii=False) if file else ""

    def document[Doc: BaseModel](self, name: str, model: type[Doc]) -> Doc | None:
        """Return a JSON document as its model, or None.

        Raises
        ------
        CorruptArtifactError
            If the file lacks fields of the model.
        """
        file = self.files.get(name)
        if not file:
            return None
        try:
            return model.model_validate(file)
        except ValidationError as error:
            where = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
            raise CorruptArtifactError(
                f"{name} of run {self.record.run_id} is not whole ({where}); restore it or run the "
                "refit again."
            ) from error

    @cached_property
    def diagnostics(self) -> Diagnostics | None:
        """Verdict, reasons and gates; None where the run was never judged."""
        return self.document(Artifact.DIAGNOSTICS, Diagnostics)

    @property
    def verdict(self) -> Verdict | None:
        """Verdict of the gates; None where the run was never judged."""
        return self.diagnostics.verdict if self.diagnostics else self.record.verdict

    @cached_property
    def compared_champion(self) -> ComparedChampion | None:
        """The champion that the run was compared with; None where there was none."""
        stability = self.document(Artifact.STABILITY, StabilityReport)
        return stability.champion if stability else None

    @cached_property
    def roi(self) -> Mapping[str, ChannelReturns]:
        """Spend, contribution and return per channel over the fitted periods; empty without."""
        found = self.document(Artifact.ROI_METRICS, RoiMetrics)
        return found.root if found else {}

    @cached_property
    def plan(self) -> Plan | None:
        """Budget plan, None where the run made none."""
        return self.document(Artifact.PLAN, Plan)

    def frame(self, name: str) -> pd.DataFrame | None:
        """Return a table with rows, or None."""
        table = self.files.get(name)
        return None if table is None or table.empty else table
