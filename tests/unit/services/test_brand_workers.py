"""A worker process that dies, hangs or babbles ends its own brand; the next one gets a new one."""

import threading
import time
from pathlib import Path

import pytest
from support.worlds import make_spec

from flows.services import brand_workers
from flows.services.brand_workers import (
    BrandCrashError,
    BrandPool,
    BrandTimeoutError,
    BrandWork,
    BrandWorker,
    MemoryBudget,
    share_cores,
)
from schemas.spec.refit_request import RefitRequest

TESTS = Path(__file__).resolve().parents[2]
LONG = 60.0


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch):
    monkeypatch.setattr(brand_workers, "MODULE", "support.brand_process")
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def worker():
    one = BrandWorker(cores=[0])
    yield one
    one.kill()


@pytest.fixture
def work(tmp_path):
    def make(name):
        return BrandWork(
            request=RefitRequest(spec=make_spec(dataset_id=name)),
            log_file=str(tmp_path / "logs" / f"{name}.log"),
            portfolio_run_id="group-1",
        )

    return make


def test_one_process_refits_brand_after_brand(worker, work):
    answers = [worker.refit(work(name), timeout_seconds=LONG) for name in ("a", "rejected_b")]
    assert [a.exit_code for a in answers] == [0, 3]
    assert len({a.report.run_id.rpartition("-")[2] for a in answers}) == 1
    assert worker.memory_bytes > 0


@pytest.mark.parametrize(
    ("name", "said"),
    [("killed_a", "SIGKILL; perhaps the machine ran out of memory"), ("quits_a", "exit code 7")],
)
def test_a_dead_process_is_reported_with_its_end_and_replaced(worker, work, name, said):
    with pytest.raises(BrandCrashError, match=said):
        worker.refit(work(name), timeout_seconds=LONG)
    assert worker.refit(work("b"), timeout_seconds=LONG).exit_code == 0


def test_a_process_that_hangs_is_ended_on_time_and_replaced(worker, work):
    worker.refit(work("a"), timeout_seconds=LONG)
    began = time.monotonic()
    with pytest.raises(BrandTimeoutError, match="timeout_minutes"):
        worker.refit(work("hangs_a"), timeout_seconds=0.5)
    assert time.monotonic() - began < 10
    assert worker.refit(work("b"), timeout_seconds=LONG).exit_code == 0


def test_what_is_no_answer_is_a_crash(worker, work):
    with pytest.raises(BrandCrashError):
        worker.refit(work("babbles_a"), timeout_seconds=LONG)
    assert worker.refit(work("b"), timeout_seconds=LONG).exit_code == 0


def test_a_pool_that_is_aborted_lets_no_brand_wait(work):
    pool = BrandPool(1, 10**12)
    ended = []

    def refit(name):
        try:
            pool.refit(work(name), need=1, timeout_seconds=LONG)
        except BrandCrashError as error:
            ended.append(str(error))

    # Any may be the first to get the one worker.
    names = ("hangs_a", "hangs_b", "hangs_c")
    threads = [threading.Thread(target=refit, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    time.sleep(1)
    pool.abort()
    for thread in threads:
        thread.join(timeout=20)
    pool.close()
    assert ended == ["the portfolio was ended"] * 3


def test_a_worker_is_ended_while_another_thread_waits_for_its_answer(work):
    """At many moments: what is read from must not be closed by the thread that ends it."""
    for milliseconds in range(0, 100, 10):
        one, ended = BrandWorker(cores=[0]), []

        def refit(one=one, ended=ended):
            with pytest.raises(BrandCrashError) as caught:
                one.refit(work("hangs_a"), timeout_seconds=LONG)
            ended.append(str(caught.value))

        thread = threading.Thread(target=refit)
        thread.start()
        time.sleep(milliseconds / 1000)
        one.end()
        thread.join(timeout=20)
        assert ended == ["the portfolio was ended"]


def test_a_worker_that_was_ended_starts_nothing_more(worker, work):
    worker.end()
    with pytest.raises(BrandCrashError, match="was ended"):
        worker.refit(work("a"), timeout_seconds=LONG)


def test_brands_begin_in_order_and_only_while_they_fit():
    budget, begun, release = MemoryBudget(10), [], threading.Event()

    def hold(name, need):
        with budget.holding(need):
            begun.append(name)
            release.wait(10)

    threads = []
    for name, need in (("a", 6), ("b", 6), ("c", 1), ("whole", 50)):
        threads.append(threading.Thread(target=hold, args=(name, need)))
        threads[-1].start()
        time.sleep(0.1)
    assert begun == ["a"], "b does not fit beside a, and c does not overtake it"
    release.set()
    for thread in threads:
        thread.join(timeout=10)
    assert begun[-1] == "whole"


def test_cores_are_divided_and_shared_only_where_they_are_too_few():
    cores = share_cores(1)[0]
    assert sorted(core for share in share_cores(len(cores)) for core in share) == cores
    assert all(len(share) == 1 for share in share_cores(len(cores) + 3))
