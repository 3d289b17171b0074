"""Files of a finished run for a caller: found by name, hashed, turned into another format.

Belongs here: which outputs there are, their digests, rows as CSV or JSON.
Does not: HTTP.
Invariant: a file that was changed after it was published is an error, not an answer.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.documents.registry import DOCUMENTS
from schemas.documents.results import RunRecord
from schemas.errors import UnknownRunError
from schemas.hints import suggest
from schemas.names import Artifact
from tasks.query.export import encode_table
from tasks.store.files.artifacts import kept_document, kept_sha256_of
from tasks.store.home import current_home
from tasks.store.kept import Kept
from tasks.store.runs.digests import require_unchanged
from tasks.store.warehouse.prunings import require_files
from tasks.store.warehouse.runs import read_run

if TYPE_CHECKING:
    import pandas as pd

TABLES = {
    "contributions": Artifact.CONTRIBUTIONS,
    "fitted": Artifact.FITTED,
    "features": Artifact.FEATURES,
    "canonical": Artifact.CANONICAL_DATA,
    "roas_by_entity": Artifact.ROAS_BY_ENTITY,
    "forecast": Artifact.FORECAST,
    "forecast_actuals": Artifact.FORECAST_ACTUALS,
}
"""Outputs that are tables, by the name under which they are asked for."""
OUTPUT_DOCUMENTS = {
    "posterior_summary": Artifact.POSTERIOR_SUMMARY,
    "diagnostics": Artifact.DIAGNOSTICS,
    "contribution_summary": Artifact.CONTRIBUTION_SUMMARY,
    "roi": Artifact.ROI_METRICS,
    "fit_metrics": Artifact.FIT_METRICS,
    "model_metadata": Artifact.MODEL_METADATA,
    "feature_metadata": Artifact.FEATURE_METADATA,
    "response_curves": Artifact.RESPONSE_CURVES,
    "channel_quantiles": Artifact.CHANNEL_QUANTILES,
    "prior_predictive": Artifact.PRIOR_PREDICTIVE,
    "validation": Artifact.VALIDATION_SUMMARY,
    "columns": Artifact.COLUMN_INFO,
    "stability": Artifact.STABILITY,
    "change": Artifact.CHANGE,
    "plan": Artifact.PLAN,
    "spec": Artifact.RUN_SPEC,
}
"""Outputs that are JSON documents, by the name under which they are asked for."""
PAGES = {"report": Artifact.REPORT}
_encoded: Kept[bytes] = Kept(32_000_000, len)
"""Tables in another format, in bytes, by the digest of their file."""


@dataclass(frozen=True)
class RunOutput:
    """One file of a run, unchanged since it was published."""

    name: str
    path: Path
    sha256: str
    """Of its bytes: the same as long as the run is there."""

    def read_bytes(self) -> bytes:
        """Return the file as it is."""
        return self.path.read_bytes()

    def encode(self, file_format: str) -> bytes:
        """Return a table as ``csv``, ``json`` or ``parquet``.

        Parameters
        ----------
        file_format
            One of the three.
        """
        if file_format == "parquet":
            return self.read_bytes()
        key = (self.sha256, file_format)
        return _encoded.get(key, key, lambda: encode_table(self.frame(), file_format))

    def frame(self) -> "pd.DataFrame":
        """Return a table.

        Returns
        -------
        pd.DataFrame
            Columns of the file.
        """
        import pandas as pd

        return pd.read_parquet(self.path)


def list_outputs(run_id: str) -> list[str]:
    """Return the names of the outputs that a run has."""
    folder = _folder(run_id)
    known = {**OUTPUT_DOCUMENTS, **TABLES, **PAGES}
    return [name for name, file in known.items() if (folder / file).is_file()]


def open_output(run_id: str, name: str) -> RunOutput:
    """Return one output of a run.

    Raises
    ------
    UnknownRunError
        If there is no such run, no such output, or the run did not write it.
    PrunedFilesError
        If the retention policy has removed the files of the run.
    CorruptArtifactError
        If the file was changed after it was published.
    """
    known = {**OUTPUT_DOCUMENTS, **TABLES, **PAGES}
    if name not in known:
        hint = suggest(name, list(known), f"outputs: {', '.join(known)}.")
        raise UnknownRunError(f"No output {name!r}; {hint}")
    record = read_run(current_home(), run_id)
    require_files(current_home(), run_id)
    path = _folder(run_id) / known[name]
    if not path.is_file():
        raise UnknownRunError(_absent(record, name))
    require_unchanged(path.parent, [path.name])
    return RunOutput(name=name, path=path, sha256=kept_sha256_of(path))


def read_document_of(run_id: str, name: str) -> dict[str, object]:
    """Return a document of a run as its model writes it, under the published field names.

    Raises
    ------
    CorruptArtifactError
        If the file does not have the fields of its model; else as ``open_output``.
    """
    output = open_output(run_id, name)
    model = DOCUMENTS.get(output.path.name)
    if model is None:
        return dict(json.loads(output.path.read_text(encoding="utf-8")))
    document = kept_document(output.path, model)
    return dict(document.model_dump(mode="json", by_alias=True))


def _absent(record: RunRecord, name: str) -> str:
    why = f": {record.reason}" if record.reason else ""
    return f"Run {record.run_id} has no {name}; it is {record.status}{why}."


def _folder(run_id: str) -> Path:
    home = current_home()
    return home.run_dir(read_run(home, run_id).run_id)
