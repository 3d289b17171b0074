"""What the first visitors of pages would wait for, done as soon as the server listens.

Belongs here: asking pages of this process, one after another, beside what is answered meanwhile.
Does not: what a page shows; answers are thrown away, and a page that fails says so to its visitor.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Scope

from flows.web.rendering import NAVIGATION
from flows.web.static_files import STATIC_PATH

log = logging.getLogger(__name__)

PATHS = (
    # Most people come to the results or to what leads there; the others follow in their order.
    "/results",
    f"{STATIC_PATH}plotly.js",
    "/champions",
    *(href for _, href in NAVIGATION if href not in {"/results", "/champions"}),
    "/budget?wait=1",
)
"""What is asked: every page, then the budget once more, with its model opened."""
_LISTENS_AFTER = 0.2
"""Seconds that are left to the server, which listens as soon as its lifespan has begun."""
_GIVES_UP_AFTER = 10.0
"""Seconds that the end of the server waits for the page that is being asked for."""
_MOST_REDIRECTS = 3


@asynccontextmanager
async def warmed(app: FastAPI) -> AsyncIterator[None]:
    """Ask for every page beside the answers of the server; a lifespan of its application."""
    is_over = threading.Event()
    thread = threading.Thread(target=_warm, args=(app, is_over), name="warming", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        await run_in_threadpool(thread.join, _GIVES_UP_AFTER)


def _warm(app: FastAPI, is_over: threading.Event) -> None:
    if not is_over.wait(_LISTENS_AFTER):
        asyncio.run(_ask_all(app, is_over))


async def _ask_all(app: FastAPI, is_over: threading.Event) -> None:
    for path in PATHS:
        if is_over.is_set():
            return
        try:
            await ask(app, path)
        except Exception as error:
            # Who asks for the page is told by the page what to do.
            log.info("%s was not made before somebody asked: %s", path, error)


async def ask(app: FastAPI, address: str) -> int:
    """Ask an application for a page as a browser does, and return the status of the last answer.

    Parameters
    ----------
    app
        Without its doors: nothing is asked of who comes from inside.
    address
        Path with its query; redirects are followed.
    """
    status = 0
    for _ in range(1 + _MOST_REDIRECTS):
        status, leads_to = await _answer(app, address)
        if leads_to is None:
            break
        address = leads_to
    return status


async def _answer(app: FastAPI, address: str) -> tuple[int, str | None]:
    """Return the status of an answer, and where it leads."""
    found: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            found.append(message)

    await app(_scope(address), receive, send)
    (start,) = found
    headers = dict(start["headers"])
    leads_to = headers.get(b"location")
    return int(start["status"]), leads_to.decode("latin-1") if leads_to else None


def _scope(address: str) -> Scope:
    parts = urlsplit(address)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(b"accept", b"text/html"), (b"accept-encoding", b"gzip")],
        "client": None,
        "server": None,
        "state": {},
    }
