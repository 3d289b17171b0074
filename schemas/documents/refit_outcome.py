"""What a refit came to: kept from its publication until it has been reported to whoever asked."""

from schemas.documents.results import RefitReport
from schemas.refs import JudgedRun, PublicationRef


class Outcome(JudgedRun):
    """The report of a published run, and what the Prefect UI shows of it.

    A refit that dies after its publication is not repeated: the next one that asks for the same
    reports this.
    """

    report: RefitReport
    publication: PublicationRef


def close_outcome(fitted: JudgedRun, report: RefitReport, publication: PublicationRef) -> Outcome:
    """Return what a run came to, its report completed by what its publication gave."""
    return Outcome(
        report=report.with_publication(publication),
        snapshot=fitted.snapshot,
        diagnostics=fitted.diagnostics,
        attribution=fitted.attribution,
        publication=publication,
    )
