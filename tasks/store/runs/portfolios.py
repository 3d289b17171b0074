"""Runs of portfolios: ``data/portfolios/<run>/``, one file per brand as soon as it has ended.

Belongs here: the files. Does not: what a brand came to (``tasks.portfolio``).
Invariant: what is on disk when a portfolio is killed is known to the next one.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from schemas.answers.portfolio import BrandResult, PortfolioReport, PortfolioRun
from schemas.errors import CorruptArtifactError
from tasks.store.files.artifacts import parse_document, write_document, write_whole
from tasks.store.holders import held
from tasks.store.home import Home
from tasks.store.runs.ids import is_run_of, new_run_id
from tasks.store.storage import writing_to
from tasks.store.warehouse.places import stem_of

_RUN, _BRANDS, _LOGS = "portfolio.json", "brands", "logs"
SUMMARY_CSV, SUMMARY_JSON = "summary.csv", "summary.json"
CONTINUED_WITHIN = timedelta(days=1)
"""A killed portfolio is continued as of its own date; an older one is history."""
_LOG_TAIL_BYTES = 4000


@contextmanager
def portfolio_lock(home: Home, portfolio_id: str) -> Iterator[None]:
    """Hold the lock of a portfolio: two runs of it would only wait for each other's brands.

    Raises
    ------
    ResourceUnavailableError
        If another process runs it.
    StorageError
        If the home may not be written to.
    """
    path = home.locks / "portfolios" / f"{stem_of(portfolio_id)}.lock"
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with held(path, what=f"Portfolio {portfolio_id!r}", wait_seconds=0.0):
        yield


def find_newest(home: Home, portfolio_id: str) -> PortfolioRun | None:
    """Return the newest run of a portfolio; a record that is not whole is passed over."""
    folders = sorted(home.portfolios.glob(f"*/{_RUN}"), reverse=True)
    for path in (p for p in folders if is_run_of(p.parent.name, portfolio_id)):
        try:
            return parse_document(path, PortfolioRun)
        except CorruptArtifactError:
            continue
    return None


def begin_portfolio(
    home: Home, portfolio_id: str, file_sha256: str, *, as_of: date | None, now: datetime
) -> PortfolioRun:
    """Continue the run that was killed, or record a new one.

    Parameters
    ----------
    home, portfolio_id
        The portfolio; the caller holds its lock, so a run that has not ended is dead.
    file_sha256
        Bytes of its file: a changed one is another run.
    as_of
        Knowledge date that was asked for; None: that of the killed run, else today.
    now
        The moment.
    """
    newest = find_newest(home, portfolio_id)
    if (
        newest is not None
        and newest.ended_at is None
        and newest.file_sha256 == file_sha256
        and as_of in (None, newest.as_of)
        and now - newest.started_at < CONTINUED_WITHIN
    ):
        return newest
    run = PortfolioRun(
        portfolio_id=portfolio_id,
        portfolio_run_id=new_run_id(portfolio_id, now),
        as_of=as_of or now.date(),
        file_sha256=file_sha256,
        started_at=now,
    )
    write_document(home, folder_of(home, run.portfolio_run_id) / _RUN, run)
    return run


def end_portfolio(home: Home, run: PortfolioRun, now: datetime) -> None:
    """Record that a run has ended."""
    ended = run.model_copy(update={"ended_at": now})
    write_document(home, folder_of(home, run.portfolio_run_id) / _RUN, ended)


def list_summaries(home: Home) -> list[PortfolioReport]:
    """Return the newest summary of each portfolio, the newest first; half of one is none."""
    written = sorted(
        home.portfolios.glob(f"*/{SUMMARY_JSON}"), key=lambda path: path.stat().st_mtime_ns
    )
    found: dict[str, PortfolioReport] = {}
    for path in reversed(written):
        try:
            report = parse_document(path, PortfolioReport)
        except CorruptArtifactError:
            continue
        found.setdefault(report.portfolio_id, report)
    return list(found.values())


def folder_of(home: Home, portfolio_run_id: str) -> Path:
    """Return the folder of a run."""
    return home.portfolios / portfolio_run_id


def write_result(home: Home, portfolio_run_id: str, result: BrandResult) -> None:
    """Keep what a brand came to."""
    name = f"{_file_name(result.dataset_id, f'{result.spec_file} {result.number}')}.json"
    write_document(home, folder_of(home, portfolio_run_id) / _BRANDS / name, result)


def read_results(home: Home, portfolio_id: str) -> dict[str, BrandResult]:
    """Return what brands came to in the two newest runs of a portfolio, by the key of their refit.

    A run that has just begun is one of them; what it takes over, it records as its own.
    """
    folders = sorted(path.parent for path in home.portfolios.glob(f"*/{_RUN}"))
    newest = [folder for folder in folders if is_run_of(folder.name, portfolio_id)][-2:]
    found: dict[str, BrandResult] = {}
    for path in (path for folder in newest for path in sorted(folder.glob(f"{_BRANDS}/*.json"))):
        try:
            result = parse_document(path, BrandResult)
        except CorruptArtifactError:  # half of a result is none: the brand is refitted
            continue
        found[result.key] = result
    return found


def log_path(home: Home, portfolio_run_id: str, dataset_id: str) -> Path:
    """Return the file that takes what the process of a brand prints."""
    return folder_of(home, portfolio_run_id) / _LOGS / f"{dataset_id}.log"


def last_words(path: Path) -> str:
    """Return the last line that a process printed; nothing where it printed none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES), os.SEEK_SET)
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""


def write_text(home: Home, path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_whole(home, path, lambda partial: partial.write_text(text, encoding="utf-8"))


def _file_name(dataset_id: str, place: str) -> str:
    """Name a file by its brand; two brands without a dataset may be called alike."""
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    plain = "".join(c if c.isalnum() or c in "_.-" else "_" for c in dataset_id)[:64]
    return f"{plain}-{digest}"
