"""What every resource does the same way: cursor paging, entity tags, formats by ``Accept``."""

import base64
import binascii
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Query
from starlette.responses import Response

from flows.api.problems import ProblemError
from schemas.answers.jobs import Job
from schemas.answers.service import Page

PREFIX = "/api/v1"
Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before.", max_length=500)
]
Limit = Annotated[int, Query(ge=1, le=500, description="Items of a page.")]
IfNoneMatch = Annotated[
    str | None, Header(description="`ETag` that the caller has; 304 where it still holds.")
]
IfMatch = Annotated[
    str | None, Header(description="`ETag` of what the caller has seen; 412 where it changed.")
]

MEDIA_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
"""Media type by format of a table."""

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ERRORS: dict[int | str, dict[str, object]] = {
    "4XX": {
        "description": "What is wrong with the request, and what to do.",
        "content": _PROBLEM,
    },
    "5XX": {
        "description": "What is wrong with the server, and when to try again.",
        "content": _PROBLEM,
    },
}
"""Answers that every operation may give."""


def answer_later(response: Response, job: Job, *, status_at: str | None = None) -> Job:
    """Answer with a job that has begun, and say in ``Location`` where to ask how far it is."""
    response.headers["Location"] = f"{PREFIX}/{status_at or f'jobs/{job.job_id}'}"
    return job


def paginate[Item](
    items: Sequence[Item], key: Callable[[Item], str], cursor: str | None, limit: int
) -> Page[Item]:
    """Return one page of a list whose items have a key each.

    Parameters
    ----------
    items
        The whole list, in its order.
    key
        Returns what no two items share.
    cursor
        Where the page before ended; None: the first page.
    limit
        Items of a page.

    Raises
    ------
    ProblemError
        400 where the cursor is none of ours, or its item is gone.
    """
    start = 0
    if cursor is not None:
        wanted = _decode(cursor)
        keys = [key(item) for item in items]
        if wanted not in keys:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "cursor: it is none of this list, or its item is gone; begin without one.",
            )
        start = keys.index(wanted) + 1
    part = list(items[start : start + limit])
    more = start + limit < len(items)
    following = encode_cursor(key(part[-1])) if more and part else None
    return Page(items=part, next_cursor=following, total=len(items))


def encode_cursor(key: str) -> str:
    """Return a key as a cursor."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_offset(cursor: str | None) -> int:
    """Return the number that a cursor over rows stands for; 0 without one.

    Raises
    ------
    ProblemError
        400 where the cursor is none of ours.
    """
    if cursor is None:
        return 0
    text = _decode(cursor)
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "cursor: it is none of these rows.")
    return int(text)


def not_modified(etag: str, if_none_match: str | None) -> Response | None:
    """Return 304 where the caller has what it would get; else None."""
    if if_none_match is None:
        return None
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return Response(status_code=304, headers={"ETag": etag}) if {"*", etag} & set(known) else None


def require_match(etag: str, if_match: str | None) -> None:
    """Let a change through only where the caller has seen what it changes.

    Raises
    ------
    ProblemError
        428 without ``If-Match``, 412 where it is another tag.
    """
    if if_match is None:
        raise ProblemError(
            HTTPStatus.PRECONDITION_REQUIRED,
            "If-Match: send the ETag of what you have seen, so that no other change is lost.",
        )
    if if_match.strip() not in {"*", etag}:
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED,
            f"It has changed since you saw it; it is {etag} now. Read it again, then decide.",
            {"ETag": etag},
        )


def choose_format(accept: str | None, asked: str | None) -> str:
    """Return ``csv``, ``json`` or ``parquet``: as a query asks, else what ``Accept`` likes best.

    Raises
    ------
    ProblemError
        406 where neither names one of the three.
    """
    if asked is not None:
        if asked in MEDIA_TYPES:
            return asked
        raise ProblemError(
            HTTPStatus.NOT_ACCEPTABLE, f"as: {asked!r} is not one of {', '.join(MEDIA_TYPES)}."
        )
    weighed = sorted(_ranges(accept or "*/*"), key=lambda pair: -pair[1])
    for wanted, weight in weighed:
        if weight == 0:
            continue
        if wanted in {"*/*", "application/*"}:
            return "json"
        found = next((name for name, kind in MEDIA_TYPES.items() if kind == wanted), None)
        if found or wanted == "text/*":
            return found or "csv"
    raise ProblemError(
        HTTPStatus.NOT_ACCEPTABLE, f"Accept: this is there as {', '.join(MEDIA_TYPES.values())}."
    )


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            found.append((kind, float(weight)))
        except ValueError:
            found.append((kind, 0.0))
    return found


def _decode(cursor: str) -> str:
    try:
        return base64.b64decode(
            cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "cursor: it is none of ours.") from error
