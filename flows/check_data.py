"""Check a file without a refit: all three validation layers, on a throw-away copy of the home.

The tasks' own functions are called without Prefect's engine, so an answer takes seconds and no
server starts.
"""

from datetime import UTC, datetime
from typing import Any

from schemas.answers.checked_file import CheckedFile
from schemas.errors import DataContractError
from schemas.outcomes import Finding, Verdict, worst
from schemas.refs import StepKey
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.task_panel import canonicalize_batch, take_snapshot
from tasks.features.task_write import build_features
from tasks.ingest.task_land import ingest_file
from tasks.lifecycle.task_trial import on_trial
from tasks.validate.task_layers import validate_canonical, validate_features, validate_raw

_KEY = StepKey(run_id="check")


def check_data(spec: RunSpec | None, data: str) -> CheckedFile:
    """Validate a file as a refit would, and change nothing.

    Parameters
    ----------
    spec
        Run spec; None finds roles by prefix.
    data
        Path of the file.

    Raises
    ------
    SpecError
        If the spec names columns that the file lacks.
    """
    spec = spec or RunSpec(dataset_id="unnamed")
    facts: dict[str, Any] = {"dataset_id": spec.dataset_id, "file": data}
    try:
        findings = _check_layers(spec, data, facts)
    except DataContractError as error:
        if not error.findings:
            raise
        findings = error.findings
    return CheckedFile(verdict=worst(f.verdict for f in findings), findings=findings, **facts)


def _check_layers(spec: RunSpec, data: str, facts: dict[str, Any]) -> list[Finding]:
    as_of = datetime.now(UTC).date()
    with on_trial(spec.dataset_id):
        batch = ingest_file(data, spec)
        facts["n_rows"] = batch.n_rows
        raw = validate_raw(_KEY, batch, spec)
        if raw.verdict is Verdict.FAIL:
            return raw.findings
        candidate = canonicalize_batch(_KEY, batch, spec, as_of)
        facts["grain"] = candidate.grain
        canonical = validate_canonical(_KEY, candidate, spec)
        findings = [*raw.findings, *canonical.findings]
        if canonical.verdict is Verdict.FAIL:
            return findings
        snapshot = take_snapshot(_KEY, candidate, spec, as_of)
        facts["snapshot_id"] = snapshot.snapshot_id
        features = build_features(_KEY, snapshot, spec)
        return findings + validate_features(_KEY, features, spec).findings
