"""Refit many brands side by side; what becomes of one of them is nothing to the others."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import as_completed
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.hooks import notify_failure
from flows.services.brand_flow_runs import close_flow_runs
from flows.services.brand_workers import (
    BrandCrashError,
    BrandPool,
    BrandTimeoutError,
    BrandWork,
)
from flows.services.dask_runner import open_dask, require_dask
from flows.spec_files import find_file
from schemas.answers.portfolio import (
    BrandOutcome,
    BrandResult,
    PlannedBrand,
    PortfolioPlan,
    PortfolioReport,
)
from schemas.errors import ResourceUnavailableError
from schemas.spec.portfolio import PortfolioRequest, Runner
from tasks.lifecycle.task import require_services
from tasks.lifecycle.task_notices import notify_failure as send_failure
from tasks.portfolio import task as stage
from tasks.store.redaction import filter_states

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

log = logging.getLogger(__name__)

JOB = "refit-portfolio"
filter_states()

listeners: list[Callable[[BrandResult, int, int], object]] = []
"""Called with every brand that has ended, how many have, and how many there are."""


@flow(name=JOB, on_failure=[notify_failure], on_crashed=[notify_failure])
def refit_portfolio(request: PortfolioRequest) -> State[PortfolioReport]:
    """Refit all brands of a portfolio; one that fails, hangs or dies stops no other.

    The run ends Completed where all brands were accepted, else Incomplete.

    Raises
    ------
    SpecError
        If the portfolio file itself cannot be used; nothing was refitted.
    ResourceUnavailableError
        If another process runs the same portfolio, or MLflow's server does not answer.
    """
    for name in ("flows", "tasks"):  # Prefect attaches its handler to them, not a level.
        logging.getLogger(name).setLevel(logging.INFO)
    started = time.perf_counter()
    path = find_file(request.file, parameter="file")
    spec = stage.read_portfolio(path)
    if spec.runner is Runner.DASK:
        require_dask(spec.dask_address)
    require_services()
    with stage.exclusive_portfolio(spec.portfolio_id):
        plan = stage.plan_portfolio(spec, path, request, len(os.sched_getaffinity(0)))
        done = _Ended(plan)
        for result in [*plan.earlier, *_refuse_impossible(plan)]:
            done.add(result)
        for result in _refit_due(plan):
            done.add(result)
        report: PortfolioReport = stage.summarize_portfolio(
            plan, done.in_order(), time.perf_counter() - started
        )
    name = "Completed" if report.exit_code == 0 else "Incomplete"
    return Completed(name=name, message=report.summary, data=report)


class _Ended:
    """Brands that have ended: kept on disk, shown, and put into the order of the file."""

    def __init__(self, plan: PortfolioPlan) -> None:
        self._plan = plan
        self._results: dict[int, BrandResult] = {}
        self._progress = stage.PortfolioProgress(plan)

    def add(self, result: BrandResult) -> None:
        stage.record_result(self._plan.run, result)
        self._results[result.number] = result
        log.info("%s: %s %s", result.dataset_id, result.outcome, result.reason)
        self._progress.move(list(self._results.values()))
        for report in listeners:
            report(result, len(self._results), len(self._plan.brands))

    def in_order(self) -> list[BrandResult]:
        return [self._results[brand.number] for brand in self._plan.brands]


def _refuse_impossible(plan: PortfolioPlan) -> Iterator[BrandResult]:
    """Yield the row of each brand that cannot be refitted, and notify: no flow of its own could."""
    for brand in plan.brands:
        if brand.request is None:
            send_failure(brand.name, brand.problem, job=JOB)
            yield stage.end_without_report(brand, BrandOutcome.INVALID, brand.problem)


def _refit_due(plan: PortfolioPlan) -> Iterator[BrandResult]:
    """Yield what each brand came to, as soon as it has ended."""
    if not plan.due:
        return
    try:
        with _runner(plan) as runner:
            futures = {
                runner.submit(refit_brand, {"plan": _without_brands(plan), "brand": brand}): brand
                for brand in plan.due
            }
            for future in as_completed(list(futures)):
                yield _result_of(future, futures[future])
    except ResourceUnavailableError as error:
        for brand in plan.due:
            yield stage.end_without_report(brand, BrandOutcome.UNAVAILABLE, str(error))


def _without_brands(plan: PortfolioPlan) -> PortfolioPlan:
    """What a task needs of the plan: a thousand brands are not sent along with each of them."""
    return plan.model_copy(update={"brands": [], "earlier": []})


def _result_of(future: Any, brand: PlannedBrand) -> BrandResult:
    """Return what a task says of its brand; one that was lost with its worker says nothing."""
    try:
        result: BrandResult = future.result()
    except Exception as error:
        reason = f"its task was lost: {type(error).__name__}: {error}"
        return stage.end_without_report(brand, BrandOutcome.FAILED, reason)
    return result


@contextmanager
def _runner(plan: PortfolioPlan) -> "Iterator[TaskRunner[Any]]":
    """Open what runs tasks side by side.

    Raises
    ------
    ResourceUnavailableError
        If the Dask scheduler does not answer.
    """
    if plan.runner is Runner.DASK:
        with open_dask(plan.dask_address, plan.workers) as runner:
            yield runner
        return
    pool = BrandPool(plan.workers, plan.memory_bytes)
    pools.append(pool)
    try:
        threads: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=plan.workers)
        with threads:
            try:
                yield threads
            except BaseException:
                pool.abort()  # else the threads would wait for their brands
                raise
    finally:
        pools.remove(pool)
        pool.close()


pools: list[BrandPool] = []
"""Worker processes of this process; a Dask worker makes its own."""


@task(name="refit-brand", task_run_name="refit-{brand.name}", cache_policy=NO_CACHE)
def refit_brand(plan: PortfolioPlan, brand: PlannedBrand) -> BrandResult:
    """Refit one brand in a worker process and return what it came to; nothing is raised."""
    if not pools:
        pools.append(BrandPool(1, plan.memory_bytes))
    started = time.perf_counter()
    assert brand.request is not None  # noqa: S101 - only those that can be refitted are due
    work = BrandWork(
        request=brand.request,
        log_file=str(stage.brand_log(plan.run, brand)),
        portfolio_run_id=plan.run.portfolio_run_id,
    )
    try:
        answer = pools[0].refit(work, need=brand.memory_bytes, timeout_seconds=plan.timeout_seconds)
    except (BrandCrashError, BrandTimeoutError) as error:
        return _lost(plan, brand, error, time.perf_counter() - started)
    return stage.judge_answer(brand, answer, time.perf_counter() - started)


def _lost(
    plan: PortfolioPlan, brand: PlannedBrand, error: Exception, seconds: float
) -> BrandResult:
    """Return the row of a brand whose process died, and notify: its own flow cannot any more."""
    is_late = isinstance(error, BrandTimeoutError)
    words = stage.last_words(stage.brand_log(plan.run, brand))
    said = f"{error}" + (f"; it said last: {words}" if words else "")
    close_flow_runs(plan.run.portfolio_run_id, brand.name, said)
    send_failure(brand.name, said, job=JOB)
    outcome = BrandOutcome.TIMED_OUT if is_late else BrandOutcome.CRASHED
    stays = "The champion is as it was; the next run goes on where this one ended."
    return stage.end_without_report(brand, outcome, f"{said}. {stays}", seconds)
