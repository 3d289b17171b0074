"""Recovery checks on record: one per dataset and question, the newest."""

import hashlib
import json
import re
from pathlib import Path

from schemas.answers.recovery import RecoveryReport
from schemas.errors import CorruptArtifactError
from schemas.spec.run_spec import RunSpec
from tasks.store.files.artifacts import parse_document, write_document
from tasks.store.home import Home

_ABOUT_THE_MODEL = {
    "columns", "grain", "level", "target_col", "kpi", "drivers", "channels", "controls",
    "feature_config", "windows", "lift_tests", "model",
}  # fmt: skip
"""What of a spec decides what is fitted to the same data."""


def question_of(spec: RunSpec) -> str:
    """Return a digest of what a spec asks of its data: another seed or budget is no other question.

    Channels' budget bounds are left out with the budget.
    """
    # Without what was left as it is: a setting that a later release adds is no other question.
    asked = spec.model_dump(mode="json", include=_ABOUT_THE_MODEL, exclude_defaults=True)
    for channel in asked.get("channels") or []:
        channel.pop("bounds", None)
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def write_recovery(home: Home, report: RecoveryReport) -> None:
    """Keep a recovery check in place of an earlier one of the same question."""
    write_document(home, _path(home, report.dataset_id, report.question), report)


def find_recovery(home: Home, spec: RunSpec) -> RecoveryReport | None:
    """Return the recovery check of a spec; None where none was made, or it cannot be read."""
    path = _path(home, spec.dataset_id, question_of(spec))
    if not path.is_file():
        return None
    try:
        return parse_document(path, RecoveryReport)
    except CorruptArtifactError:
        # Of another release: a report without this section is still a report.
        return None


def _path(home: Home, dataset_id: str, question: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]+", question):
        raise ValueError(f"{question!r} is no digest")
    return home.recoveries / dataset_id / f"{question}.json"
