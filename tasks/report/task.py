"""Write the report of a run: read its files and those of the run before, call, write."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.diagnostics import StabilityReport
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.refs import FileRef
from tasks.store.files.artifacts import write_whole
from tasks.store.home import Home, current_home
from tasks.store.runs.documents import (
    accepted_run_before,
    digest_files,
    open_document,
    open_documents,
)
from tasks.store.warehouse.runs import read_run

if TYPE_CHECKING:
    from tasks.report.files import RunFiles

log = logging.getLogger(__name__)

_NOT_SHOWN = (Artifact.REPORT, Artifact.RUN_STATUS, Artifact.DIGESTS)


@task(name="render-report", cache_policy=NO_CACHE, timeout_seconds=600)
def render_report_page(run_id: str) -> FileRef:
    """Write ``report.html`` into the run's folder. Logic: ``page.render_report``."""
    return write_report(run_id)


def write_report(run_id: str) -> FileRef:
    """Write ``report.html`` into the run's folder, with or without a flow around it."""
    home = current_home()
    page = render_run(run_id)
    log.info("report of run %s has %.2f MB", run_id, len(page.encode("utf-8")) / 1e6)
    path = home.run_dir(run_id) / Artifact.REPORT
    return write_whole(home, path, lambda p: p.write_text(page, encoding="utf-8"))


def render_run(run_id: str) -> str:
    """Render the report of a run from its files; nothing is written.

    Raises
    ------
    UnknownRunError
        If there is no such run.
    CorruptArtifactError
        If a file of the run cannot be read, or its run spec is missing.
    """
    from tasks.report.documents import ReportDocuments
    from tasks.report.files import (
        CHAMPION_FILES,
        JSON_FILES,
        PREVIOUS_FILES,
        TABLE_FILES,
        RunFiles,
    )
    from tasks.report.page import render_report

    home = current_home()
    record = read_run(home, run_id)
    before = accepted_run_before(home, record)
    previous = (
        RunFiles(before, open_documents(home, before.run_id, PREVIOUS_FILES)) if before else None
    )
    files = open_documents(home, run_id, (*JSON_FILES, *TABLE_FILES))
    if Artifact.RUN_SPEC not in files:
        raise CorruptArtifactError(
            f"{home.run_dir(run_id)} has no {Artifact.RUN_SPEC}; restore it or run the refit again."
        )
    return render_report(
        ReportDocuments(
            run=RunFiles(record, files),
            digests=digest_files(home, run_id, leave_out=_NOT_SHOWN),
            previous=previous,
            champion=_open_champion(home, run_id, CHAMPION_FILES),
        )
    )


def _open_champion(home: Home, run_id: str, names: Sequence[str]) -> "RunFiles | None":
    """Open the run that was champion when this one was judged; None where it is no longer there."""
    from tasks.report.files import RunFiles

    stability = open_document(home, run_id, Artifact.STABILITY, StabilityReport)
    champion = stability.champion if stability else None
    if champion is None or not home.run_dir(champion.run_id).is_dir():
        return None
    record = read_run(home, champion.run_id)
    return RunFiles(record, open_documents(home, champion.run_id, names))
