"""What stands against acting on a run: its REVIEW, and newer runs that are not the champion."""

from collections.abc import Sequence

from schemas.documents.diagnostics import Diagnostics
from schemas.documents.promotions import MadeBy, Promotion, PromotionAction
from schemas.documents.results import ENDED, RunRecord, RunStatus
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.outcomes import Verdict
from tasks.store.home import Home
from tasks.store.runs.documents import open_document
from tasks.store.warehouse.promotions import list_promotions
from tasks.store.warehouse.runs import list_runs


def list_objections(home: Home, record: RunRecord) -> list[str]:
    """Return what a reader must know before acting on a run, a sentence each.

    Parameters
    ----------
    home
        Where the run is.
    record
        A run with an accepted fit.

    Raises
    ------
    CorruptArtifactError
        If ``diagnostics.json`` of the run cannot be read; a newer run that cannot is reported.
    """
    decisions = list_promotions(home, record.dataset_id)
    found = _own_review(home, record, decisions)
    newer = [
        run
        for run in list_runs(home, record.dataset_id)
        if run.created_at > record.created_at and run.status in ENDED
    ]
    return [*found, *_newer(home, newer)]


def _own_review(home: Home, record: RunRecord, decisions: Sequence[Promotion]) -> list[str]:
    if record.verdict is not Verdict.REVIEW:
        return []
    accepted = [
        row
        for row in decisions
        if row.run_id == record.run_id
        and row.made_by is MadeBy.PERSON
        and row.action is PromotionAction.PROMOTE
    ]
    state = (
        f"accepted on {accepted[-1].decided_at:%Y-%m-%d} ({accepted[-1].reason.rstrip('.')})"
        if accepted
        else f"not accepted by anyone yet (`mmm accept {record.run_id} --reason TEXT`)"
    )
    reasons = _reasons(home, record)
    listed = "; ".join(r.rstrip(".") for r in reasons) or f"`mmm show {record.run_id}` lists why"
    return [f"Run {record.run_id} ended in REVIEW, {state}: {listed}."]


def _newer(home: Home, newer: Sequence[RunRecord]) -> list[str]:
    """Speak of the newest of the runs that came later; how many others there are."""
    if not newer:
        return []
    newest = newer[0]
    seen = f"`mmm show {newest.run_id}` says more"
    if newest.is_accepted:
        seen += f", `mmm plan --run {newest.run_id}` plans from it"
    ended = newest.verdict if newest.status is RunStatus.OUTPUTS_READY else newest.status
    others = f", the newest of {len(newer)}" if len(newer) > 1 else ""
    return [
        f"A newer run, {newest.run_id}{others}, ended in {ended}{_because(home, newest)}; this "
        f"plan does not know its data. {seen}."
    ]


def _because(home: Home, record: RunRecord) -> str:
    if record.reason:
        return f": {record.reason.splitlines()[0].rstrip('.:')}"
    try:
        reasons = _reasons(home, record)
    except CorruptArtifactError:
        return f" (its {Artifact.DIAGNOSTICS} cannot be read)"
    return f": {reasons[0].rstrip('.')}" if reasons else ""


def _reasons(home: Home, record: RunRecord) -> list[str]:
    """Reasons of a run's verdict; none where its files were pruned."""
    found = open_document(home, record.run_id, Artifact.DIAGNOSTICS, Diagnostics)
    return found.reasons if found else []
