"""Portfolio: read what it names, record what each brand came to, write the summary."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE

from schemas.answers.portfolio import (
    SETTLED,
    BrandAnswer,
    BrandOutcome,
    BrandResult,
    PlannedBrand,
    PortfolioPlan,
    PortfolioReport,
    PortfolioRun,
    outcome_of,
)
from schemas.errors import MmmError
from schemas.spec.portfolio import PortfolioRequest, PortfolioSpec, Runner
from schemas.spec.refit_request import RefitRequest
from tasks.models.memory import FREE_SHARE, count_workers, estimate_bytes
from tasks.portfolio.summary import find_largest_move, make_rows, refuse_repeats, write_csv
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import sha256_of, write_document
from tasks.store.home import Home, current_home
from tasks.store.inputs import portfolio_file
from tasks.store.inputs.table_size import measure_table
from tasks.store.memory import free_bytes
from tasks.store.redaction import redact
from tasks.store.runs import portfolios, resume
from tasks.store.runs.portfolios import SUMMARY_CSV, SUMMARY_JSON
from tasks.store.warehouse.run_inputs import count_known

log = logging.getLogger(__name__)


def read_portfolio(path: Path) -> PortfolioSpec:
    """Read a portfolio file; raises ``SpecError`` as ``portfolio_file.read_portfolio``."""
    return portfolio_file.read_portfolio(path)


@contextmanager
def exclusive_portfolio(portfolio_id: str) -> Iterator[None]:
    """Hold a portfolio's lock for its length.

    Raises
    ------
    ResourceUnavailableError
        If another process runs it.
    """
    with portfolios.portfolio_lock(current_home(), portfolio_id):
        yield


@task(name="plan-portfolio", cache_policy=NO_CACHE)
def plan_portfolio(
    spec: PortfolioSpec, path: Path, request: PortfolioRequest, n_cores: int
) -> PortfolioPlan:
    """Open every brand, find those that are done already, and plan memory.

    A run that was killed is continued, as of its own date.

    Parameters
    ----------
    spec, path
        The portfolio and its file; the caller holds its lock.
    request
        What was asked of it.
    n_cores
        Cores of this machine.
    """
    home, now = current_home(), datetime.now(UTC)
    run = portfolios.begin_portfolio(
        home, spec.portfolio_id, sha256_of(path), as_of=request.as_of, now=now
    )
    named = portfolio_file.list_brands(spec, path)
    opened = [_open_brand(home, brand, spec, path, run.as_of) for brand in named]
    numbered = [b.model_copy(update={"number": n}) for n, b in enumerate(opened, start=1)]
    brands = refuse_repeats(numbered)
    earlier = [] if request.again else _find_earlier(home, spec.portfolio_id, brands)
    budget = round(spec.memory_gb * 1e9) if spec.memory_gb else round(FREE_SHARE * free_bytes())
    plan = PortfolioPlan(
        run=run,
        brands=brands,
        earlier=earlier,
        workers=1,
        memory_bytes=budget,
        timeout_seconds=60 * spec.timeout_minutes,
        runner=spec.runner,
        dask_address=spec.dask_address,
    )
    most = request.workers or spec.workers or n_cores
    needs = [brand.memory_bytes for brand in plan.due]
    workers = count_workers(needs, budget, most) if spec.runner is Runner.PROCESS else most
    log.info(
        "portfolio %s: %d brands, %d to refit, %d at once, %.1f GB for all of them",
        spec.portfolio_id, len(brands), len(needs), workers, budget / 1e9,
    )  # fmt: skip
    return plan.model_copy(update={"workers": workers})


def _open_brand(
    home: Home,
    brand: portfolio_file.NamedBrand,
    spec: PortfolioSpec,
    path: Path,
    as_of: date,
) -> PlannedBrand:
    """Return one brand with its refit, or with why there is none; nothing of it is raised."""
    planned = PlannedBrand(name=brand.path.stem, spec_file=str(brand.path), problem=brand.problem)
    if brand.problem:
        return planned
    try:
        opened = portfolio_file.open_brand(brand, spec, path)
        planned = planned.model_copy(update={"name": opened.spec.dataset_id})
        request = RefitRequest(
            spec=opened.spec, data=str(opened.data) if opened.data else None, as_of=as_of
        )
        size = (
            measure_table(opened.data) if opened.data else count_known(home, opened.spec.dataset_id)
        )
        return planned.model_copy(
            update={
                "request": request,
                "key": _request_key(request, opened.data),
                "memory_bytes": estimate_bytes(opened.spec, *size),
            }
        )
    except Exception as error:  # the other brands are refitted whatever is wrong with this one
        problem = str(error) if isinstance(error, MmmError) else f"{type(error).__name__}: {error}"
        return planned.model_copy(update={"problem": redact(problem)})


def _request_key(request: RefitRequest, data: Path | None) -> str:
    """Digest of a refit by content: spec, bytes of its file, day, code and libraries."""
    return resume.input_digest(
        "portfolio-brand",
        {
            "spec": request.spec,
            "data": sha256_of(data) if data else None,
            "as_of": str(request.as_of),
        },
    )


def _find_earlier(
    home: Home, portfolio_id: str, brands: Sequence[PlannedBrand]
) -> list[BrandResult]:
    known = portfolios.read_results(home, portfolio_id)
    return [
        known[brand.key].model_copy(update={"is_earlier": True, "number": brand.number})
        for brand in brands
        # A refit from the warehouse alone is known by what is in it, which a key does not hold.
        if brand.request and brand.request.data and brand.key in known
        and known[brand.key].outcome in SETTLED
    ]  # fmt: skip


def brand_log(plan_run: PortfolioRun, brand: PlannedBrand) -> Path:
    """Return the file that takes what the process of a brand prints."""
    return portfolios.log_path(current_home(), plan_run.portfolio_run_id, brand.name)


def last_words(path: Path) -> str:
    """Return the last line that the process of a brand printed."""
    return redact(portfolios.last_words(path))


def judge_answer(brand: PlannedBrand, answer: BrandAnswer, seconds: float) -> BrandResult:
    """Return what a brand came to, by the answer of its process."""
    report = answer.report
    outcome = outcome_of(answer.exit_code)
    if report is None:
        return end_without_report(brand, outcome, answer.reason, seconds)
    move = find_largest_move(current_home().run_dir(report.run_id), current_home().runs)
    is_accepted = outcome is BrandOutcome.ACCEPTED
    held = f"{report.dataset_id}@{report.model_version}"
    return end_without_report(brand, outcome, "", seconds).model_copy(
        update={
            "verdict": report.verdict,
            "champion": report.champion,
            "became_champion": is_accepted and report.champion == held,
            "roas_channel": move[0] if move else None,
            "roas_change": move[1] if move else None,
            "advice": report.advice,
            "reason": report.promotion if is_accepted else "; ".join(report.reasons),
            "run_id": report.run_id,
            "mlflow_run_id": report.mlflow_run_id,
        }
    )


def end_without_report(
    brand: PlannedBrand, outcome: BrandOutcome, reason: str, seconds: float = 0.0
) -> BrandResult:
    """Return the row of a brand whose refit has no report."""
    return BrandResult(
        number=brand.number,
        dataset_id=brand.name,
        outcome=outcome,
        reason=redact(reason),
        seconds=round(seconds, 2),
        spec_file=brand.spec_file,
        key=brand.key,
    )


def record_result(run: PortfolioRun, result: BrandResult) -> None:
    """Keep what a brand came to; a disk that does not take it costs a repetition, no more."""
    try:
        portfolios.write_result(current_home(), run.portfolio_run_id, result)
    except Exception as error:
        log.error("what became of %s could not be kept: %s", result.dataset_id, error)


class PortfolioProgress:
    """Progress of a portfolio as an artifact of its flow run; made and moved by one thread."""

    def __init__(self, plan: PortfolioPlan) -> None:
        self._n_brands = max(1, len(plan.brands))
        self._id = cast(
            UUID,
            create_progress_artifact(
                progress=0.0,
                key=artifact_key("portfolio-progress", plan.run.portfolio_id),
                description=f"Brands of {plan.run.portfolio_run_id}",
            ),
        )

    def move(self, done: Sequence[BrandResult]) -> None:
        """Show how many brands have ended, and how."""
        counts = Counter(result.outcome.value for result in done)
        update_progress_artifact(
            self._id,
            progress=round(100 * len(done) / self._n_brands, 1),
            description=", ".join(f"{n} {name}" for name, n in counts.items()),
        )


@task(name="summarize-portfolio", cache_policy=NO_CACHE)
def summarize_portfolio(
    plan: PortfolioPlan, results: list[BrandResult], seconds: float
) -> PortfolioReport:
    """Write the summary: JSON and CSV, an artifact, one run in MLflow.

    What cannot be written or logged is said in ``note`` and changes nothing that the brands came
    to.
    """
    home, run = current_home(), plan.run
    folder = portfolios.folder_of(home, run.portfolio_run_id)
    report = PortfolioReport(
        portfolio_id=run.portfolio_id,
        portfolio_run_id=run.portfolio_run_id,
        as_of=run.as_of,
        runner=plan.runner,
        workers=plan.workers,
        brands=results,
        seconds=round(seconds, 1),
        summary_csv=str(folder / SUMMARY_CSV),
    )
    notes: list[str] = []
    create_table_artifact(
        key=artifact_key("portfolio", run.portfolio_id),
        table=make_rows(results),
        description=f"{run.portfolio_run_id}: {report.summary}",
    )
    try:
        portfolios.write_text(home, folder / SUMMARY_CSV, write_csv(results))
        write_document(home, folder / SUMMARY_JSON, report)
        report = report.model_copy(update={"mlflow_run_id": _log_run(home, report, folder)})
        write_document(home, folder / SUMMARY_JSON, report)
        portfolios.end_portfolio(home, run, datetime.now(UTC))
    except Exception as error:
        log.exception("the summary of %s is not whole", run.portfolio_run_id)
        notes.append(redact(f"The summary is not whole: {type(error).__name__}: {error}"))
    return report.model_copy(update={"note": " ".join(notes)})


def _log_run(home: Home, report: PortfolioReport, folder: Path) -> str:
    from tasks.store.tracking.experiments import open_store
    from tasks.store.tracking.portfolios import log_portfolio

    files = {name: folder / name for name in (SUMMARY_CSV, SUMMARY_JSON)}
    return log_portfolio(open_store(home, may_begin=True), home, report, files)
