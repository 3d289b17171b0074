"""Sends notifications; plain functions, because hooks run where there is no flow run any more."""

import logging
from datetime import UTC, datetime

from schemas.documents.notices import Champion, ChampionState, Notice, NoticeKind
from schemas.documents.results import RefitReport, RunRecord, RunStatus
from schemas.outcomes import Verdict
from tasks.store import webhook
from tasks.store.home import current_home
from tasks.store.tracking.plans import champion_run_id
from tasks.store.warehouse.runs import list_runs, read_run

log = logging.getLogger(__name__)

REFIT_JOB = "refit-weekly"


def notify_rejection(report: RefitReport, *, link: str | None = None) -> bool:
    """Report that a gate rejected a fit.

    Parameters
    ----------
    report
        What the refit returned; its verdict is FAIL.
    link
        Address of the flow run in the Prefect UI.

    Returns
    -------
    bool
        Whether the webhook took it; False if none is named.
    """
    return _send(
        NoticeKind.REJECTION,
        report.dataset_id,
        report.run_id,
        report.reasons,
        verdict=report.verdict,
        link=link,
    )


def notify_failure(
    dataset_id: str | None,
    reason: str,
    *,
    job: str = REFIT_JOB,
    since: datetime | None = None,
    link: str | None = None,
) -> bool:
    """Report that a refit raised an error or that its process died.

    Parameters
    ----------
    dataset_id
        The dataset; None where the run spec could not be read.
    reason
        What went wrong.
    job
        Name of the flow that failed.
    since
        When the flow run began; a run of the dataset that began later and has not ended well is
        taken for the one that failed.
    link
        Address of the flow run in the Prefect UI.

    Returns
    -------
    bool
        Whether the webhook took it; False if none is named.
    """
    if not webhook.is_configured():
        return False
    run = _failed_run(dataset_id, since) if dataset_id and since else None
    return _send(
        NoticeKind.FAILURE, dataset_id, run.run_id if run else None, [reason], job=job, link=link
    )


def notify_alarm(
    dataset_id: str,
    reasons: list[str],
    *,
    job: str,
    run_id: str | None = None,
    link: str | None = None,
) -> bool:
    """Report that a watch over published results gave an alarm; parameters as above."""
    return _send(NoticeKind.ALARM, dataset_id, run_id, reasons, job=job, link=link)


def _send(
    kind: NoticeKind,
    dataset_id: str | None,
    run_id: str | None,
    reasons: list[str],
    *,
    job: str = REFIT_JOB,
    verdict: Verdict | None = None,
    link: str | None = None,
) -> bool:
    """Say it with the champion that is in place; nothing that goes wrong here is raised."""
    if not webhook.is_configured():
        return False
    try:
        now = datetime.now(UTC)
        notice = Notice(
            kind=kind,
            job=job,
            dataset_id=dataset_id,
            run_id=run_id,
            verdict=verdict,
            reasons=reasons,
            champion=_champion(dataset_id, now),
            artifacts_dir=str(current_home().run_dir(run_id)) if run_id else None,
            link=link,
            sent_at=now,
        )
        return webhook.post_json(notice.model_dump(mode="json"))
    except Exception:
        log.exception("the notification of a %s could not be made", kind)
        return False


def _champion(dataset_id: str | None, now: datetime) -> Champion:
    if dataset_id is None:
        return Champion(state=ChampionState.UNKNOWN)
    home = current_home()
    try:
        run_id = champion_run_id(home, dataset_id)
        if run_id is None:
            return Champion(state=ChampionState.NONE_YET)
        record = read_run(home, run_id)
    except Exception as error:  # a broken store is what may have to be reported
        log.warning("the champion of %s could not be looked up: %s", dataset_id, error)
        return Champion(state=ChampionState.UNKNOWN)
    return Champion(
        state=ChampionState.IN_PLACE,
        version=record.model_version,
        run_id=run_id,
        age_days=(now - record.created_at).days,
    )


def _failed_run(dataset_id: str, since: datetime) -> RunRecord | None:
    try:
        for record in list_runs(current_home(), dataset_id):
            if record.created_at >= since and record.status is not RunStatus.OUTPUTS_READY:
                return record
    except Exception as error:  # a broken store is what may have to be reported
        log.warning("the runs of %s could not be looked up: %s", dataset_id, error)
    return None
