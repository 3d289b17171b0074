"""How a refit ends in Prefect: the state that its page shows, with the verdict in it."""

from prefect.client.schemas.objects import State
from prefect.states import Completed

from schemas.documents.results import RefitReport
from schemas.outcomes import Verdict

STATE_NAMES = {Verdict.PASS: "Completed", Verdict.REVIEW: "Review", Verdict.FAIL: "Rejected"}
"""A run that someone has to look at is not called what an accepted one is."""


def end_state(report: RefitReport) -> State[RefitReport]:
    """Return the state in which a refit ends; its message says what the command line says."""
    name = STATE_NAMES.get(report.verdict, "Rejected")
    return Completed(name=name, message=describe_end(report), data=report)


def describe_end(report: RefitReport) -> str:
    """Say verdict, champion and reasons in one line."""
    stays = f"champion {report.champion}" if report.champion else "no champion yet"
    reasons = "; ".join(report.reasons)
    return f"{report.verdict} {report.run_id}, {stays}" + (f": {reasons}" if reasons else "")
