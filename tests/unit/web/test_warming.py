"""Pages are asked for as the server starts, so that the first visitor waits for none of them."""

import asyncio
import threading
import time

import pytest

from flows.api import app as api
from flows.web import static_files, warming
from flows.web.app import add_pages
from flows.web.rendering import NAVIGATION


@pytest.fixture
def asked(monkeypatch):
    """Addresses that were asked for while the application ran."""
    found = []
    ask = warming.ask

    async def note(app, address):
        found.append(address)
        return await ask(app, address)

    monkeypatch.setattr(warming, "ask", note)
    monkeypatch.setattr(warming, "_LISTENS_AFTER", 0.0)
    return found


async def run_until(app, is_enough):
    async with app.router.lifespan_context(app):
        while not is_enough():
            await asyncio.sleep(0.01)


def warming_threads():
    return [each for each in threading.enumerate() if each.name == "warming"]


def test_every_page_is_asked_for_and_nothing_is_left_running(home, asked):
    app = add_pages(api.build_api(), is_warmed=True)
    asyncio.run(run_until(app, lambda: not warming_threads()))
    assert {href for _, href in NAVIGATION} < set(asked)
    assert asked[-1] == warming.PATHS[-1]
    assert static_files._read.cache_info().currsize > 0


def test_a_server_that_ends_asks_for_no_further_page(home, asked, monkeypatch):
    monkeypatch.setattr(warming, "PATHS", ("/", *["/champions"] * 10_000))
    app = add_pages(api.build_api(), is_warmed=True)
    asyncio.run(run_until(app, lambda: len(asked) > 2))
    assert len(asked) < 1000
    assert not warming_threads()


def test_a_page_that_fails_ends_neither_the_server_nor_the_others(home, monkeypatch):
    asked = []

    async def fail(_app, address):
        asked.append(address)
        raise OSError("the disk is gone")

    monkeypatch.setattr(warming, "ask", fail)
    monkeypatch.setattr(warming, "_LISTENS_AFTER", 0.0)
    app = add_pages(api.build_api(), is_warmed=True)
    asyncio.run(run_until(app, lambda: len(asked) == len(warming.PATHS)))


def test_the_first_answer_waits_for_no_page(home, monkeypatch):
    may_end = threading.Event()

    async def slow(*_args):
        may_end.wait(60)

    monkeypatch.setattr(warming, "_ask_all", slow)
    monkeypatch.setattr(warming, "_GIVES_UP_AFTER", 0.0)
    monkeypatch.setattr(warming, "_LISTENS_AFTER", 0.0)
    app = add_pages(api.build_api(), is_warmed=True)

    async def health():
        async with app.router.lifespan_context(app):
            return await warming.ask(app, "/health")

    began = time.monotonic()
    try:
        assert asyncio.run(health()) == 200
        assert time.monotonic() - began < 20
    finally:
        may_end.set()


def test_redirects_are_followed_to_the_page_that_is_shown(published):
    app = add_pages(api.build_api())

    async def ask():
        async with app.router.lifespan_context(app):
            return await warming.ask(app, "/results"), await warming.ask(app, "/nothing")

    assert asyncio.run(ask()) == (200, 404)
