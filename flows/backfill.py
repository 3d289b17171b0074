"""Replay weeks as of their date: each is the ordinary weekly refit, the oldest first."""

import logging
import time
from datetime import date

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.hooks import notify_failure
from flows.refit_weekly import refit_weekly
from flows.spec_files import find_file
from schemas.answers.backfill import (
    BackfillReport,
    BackfillRequest,
    ReplayedPeriod,
    ReplayOutcome,
    outcome_of,
)
from schemas.documents.results import RefitReport
from schemas.errors import DataContractError, MmmError
from schemas.outcomes import Verdict
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.task import accepted_since, preview_snapshot
from tasks.ingest.task import ingest_file
from tasks.lifecycle.task_backfill import find_replayed, next_replay, show_backfill
from tasks.query.runs import load_spec
from tasks.store.redaction import filter_states

log = logging.getLogger(__name__)

filter_states()


@flow(
    name="backfill",
    flow_run_name="backfill-{request.first_date}-{request.last_date}",
    on_failure=[notify_failure],
    on_crashed=[notify_failure],
)
def backfill(request: BackfillRequest) -> State[BackfillReport]:
    """Replay a dataset from one date to another; a date that fails does not end the replay.

    The run ends Completed where all dates were accepted or done already, else Incomplete.

    Raises
    ------
    MmmError
        If the spec file or the input file cannot be used at all; nothing was replayed.
    """
    for name in ("flows", "tasks"):  # Prefect attaches its handler to them, not a level.
        logging.getLogger(name).setLevel(logging.INFO)
    spec = load_spec(find_file(request.spec_file, parameter="spec_file"))
    data = _open_data(request, spec)
    replayed: list[ReplayedPeriod] = []
    champion = None
    as_of = request.first_date
    while as_of <= request.last_date:
        given = data if not replayed else None
        period, report = _replay(spec, given, as_of, replayed, again=request.again)
        log.info("%s as of %s: %s", spec.dataset_id, as_of, period.outcome)
        replayed.append(period)
        champion = report.champion if report else champion
        as_of = next_replay(spec, request.first_date, len(replayed))
    answer = BackfillReport(dataset_id=spec.dataset_id, periods=replayed, champion=champion)
    show_backfill(answer)
    name = "Completed" if answer.exit_code == 0 else "Incomplete"
    return Completed(name=name, message=answer.summary, data=answer)


def _open_data(request: BackfillRequest, spec: RunSpec) -> str | None:
    """Return the file that the first date takes in; None where the home knew it by then.

    Raises
    ------
    DataContractError
        If the home came to know the file after the first date: on that date it was not known.
    """
    if request.data is None:
        return None
    path = str(find_file(request.data, parameter="data").resolve())
    since = accepted_since(ingest_file(path, spec))
    if since is not None and since > request.first_date:
        raise DataContractError(
            f"{request.data}: this home knows the file from {since}, so it cannot be replayed as "
            f"of {request.first_date}; begin at {since}, or replay in a home of its own (MMM_HOME)."
        )
    return path if since in (None, request.first_date) else None


def _replay(
    spec: RunSpec,
    data: str | None,
    as_of: date,
    before: list[ReplayedPeriod],
    *,
    again: bool,
) -> tuple[ReplayedPeriod, RefitReport | None]:
    """Replay one date, unless it is done already or nothing has come since the date before."""
    snapshot_id = preview_snapshot(spec, as_of)
    if snapshot_id is not None and not again:
        done = find_replayed(spec, snapshot_id, as_of)
        if done is not None:
            return done, None
    if snapshot_id is not None and before and before[-1].snapshot_id == snapshot_id:
        same = ReplayedPeriod(
            as_of=as_of,
            outcome=ReplayOutcome.UNCHANGED,
            snapshot_id=snapshot_id,
            reason=f"The data are those of {before[-1].as_of}.",
        )
        return same, None
    started = time.perf_counter()
    try:
        report = refit_weekly(RefitRequest(spec=spec, data=data, as_of=as_of, is_replay=True))
    except Exception as error:  # the next date is replayed whatever became of this one
        code = error.exit_code if isinstance(error, MmmError) else 1
        reason = str(error) if isinstance(error, MmmError) else f"{type(error).__name__}: {error}"
        failed = ReplayedPeriod(
            as_of=as_of,
            outcome=outcome_of(code),
            seconds=_since(started),
            reason=reason,
        )
        return failed, None
    return _reported(report, as_of, _since(started)), report


def _reported(report: RefitReport, as_of: date, seconds: float) -> ReplayedPeriod:
    is_rejected = report.verdict is Verdict.FAIL
    held = f"{report.dataset_id}@{report.model_version}"
    return ReplayedPeriod(
        as_of=as_of,
        outcome=ReplayOutcome.REJECTED if is_rejected else ReplayOutcome.ACCEPTED,
        run_id=report.run_id,
        snapshot_id=report.snapshot_id,
        verdict=report.verdict,
        became_champion=not is_rejected and report.champion == held,
        r_hat_max=report.metrics.get("r_hat_max"),
        seconds=seconds,
        reason="; ".join(report.reasons) if is_rejected else report.promotion,
    )


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 1)
