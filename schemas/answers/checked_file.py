"""What a check of a file found, without a refit."""

from schemas.documents.base import Count, SparsePart
from schemas.outcomes import Finding, Verdict
from schemas.spec.run_spec import Grain


class CheckedFile(SparsePart):
    """``mmm validate --json``: the verdict on a file; facts as far as the layers were reached."""

    verdict: Verdict
    """PASS, REVIEW or FAIL."""
    findings: list[Finding]
    dataset_id: str
    """Of the run spec; ``unnamed`` without one."""
    file: str
    """Path of the file."""
    n_rows: Count = 0
    """Rows of the file."""
    grain: Grain | None = None
    """Length of a period."""
    snapshot_id: str = ""
    """Id of the data by their content: the same data, the same id."""
