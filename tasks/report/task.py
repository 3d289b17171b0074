"""Write the report of a run: read its files and those of the run before, call, write."""

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.names import Artifact
from schemas.refs import FileRef
from tasks.report.task_page import open_report
from tasks.store.files.artifacts import write_whole
from tasks.store.home import current_home

log = logging.getLogger(__name__)


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
    from tasks.report.page import render_report

    return render_report(open_report(run_id))
