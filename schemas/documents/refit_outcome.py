"""What a refit came to: kept from its publication until it has been reported to whoever asked."""

from pydantic import BaseModel, ConfigDict

from schemas.documents.results import RefitReport
from schemas.refs import AttributionRef, DiagnosticsRef, PublicationRef, SnapshotRef


class Outcome(BaseModel):
    """The report of a published run, and what the Prefect UI shows of it.

    A refit that dies after its publication is not repeated: the next one that asks for the same
    reports this.
    """

    model_config = ConfigDict(frozen=True)

    report: RefitReport
    snapshot: SnapshotRef
    diagnostics: DiagnosticsRef
    attribution: AttributionRef
    publication: PublicationRef
