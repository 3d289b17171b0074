"""Server-sent events: how far something is, each time that it changes, until it is over."""

import asyncio
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

LOOK_SECONDS = 0.5
SILENCE_SECONDS = 15.0
"""After this much silence a comment is sent, so that no proxy takes the connection for dead."""


def stream_events[State: BaseModel](
    read: Callable[[], State], is_over: Callable[[State], bool]
) -> StreamingResponse:
    """Return an answer that sends a state whenever it differs from the one before.

    Parameters
    ----------
    read
        Returns the state as it is now.
    is_over
        Whether nothing more will happen.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(read, is_over), media_type="text/event-stream", headers=headers
    )


async def _events[State: BaseModel](
    read: Callable[[], State], is_over: Callable[[State], bool]
) -> AsyncIterator[str]:
    sent, number, silent = "", 0, 0.0
    while True:
        state = await run_in_threadpool(read)
        text = state.model_dump_json()
        if text != sent:
            sent, number, silent = text, number + 1, 0.0
            yield f"id: {number}\nevent: state\ndata: {text}\n\n"
        if is_over(state):
            yield "event: end\ndata: {}\n\n"
            return
        if silent >= SILENCE_SECONDS:
            silent = 0.0
            yield ": still there\n\n"
        await asyncio.sleep(LOOK_SECONDS)
        silent += LOOK_SECONDS
