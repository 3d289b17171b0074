"""What the first visitors of pages would wait for, done as soon as the server listens.

Belongs here: asking pages of this process, one after another, beside what is answered meanwhile.
Does not: what a page shows; answers are thrown away, and a page that fails says so to its visitor.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

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
_INSIDE = "http://127.0.0.1"
"""Nothing leaves the process: the application itself answers."""


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
    import httpx

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport,
        base_url=_INSIDE,
        headers={"accept": "text/html"},
        follow_redirects=True,
    ) as client:
        return (await client.get(address)).status_code
