"""Every error as problem details (RFC 9457), with the findings that the command line reports."""

import logging
import secrets
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from schemas.answers.service import Problem
from schemas.errors import (
    CorruptArtifactError,
    DataContractError,
    IncomparableRunsError,
    MmmError,
    PrunedFilesError,
    RepeatedFileError,
    ResourceUnavailableError,
    SpecError,
    StorageError,
    TooLargeFileError,
    UnknownRunError,
)
from tasks.store.home import CHECKOUT, current_home
from tasks.store.redaction import redact

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[MmmError], HTTPStatus] = {
    PrunedFilesError: HTTPStatus.GONE,
    CorruptArtifactError: HTTPStatus.INTERNAL_SERVER_ERROR,
    StorageError: HTTPStatus.INSUFFICIENT_STORAGE,
    ResourceUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    IncomparableRunsError: HTTPStatus.CONFLICT,
    UnknownRunError: HTTPStatus.NOT_FOUND,
    RepeatedFileError: HTTPStatus.CONFLICT,
    TooLargeFileError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    DataContractError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SpecError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The first class that an error is of decides."""
_RETRY_SECONDS = "5"


class ProblemError(MmmError):
    """A request that cannot be answered, with its HTTP status.

    Parameters
    ----------
    status
        HTTP status.
    message
        What is wrong and what to do.
    headers
        Further headers of the answer.
    """

    def __init__(
        self, status: HTTPStatus, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


def problem_of(error: Exception) -> Problem:
    """Return what is reported of an error; nothing of an unforeseen one but where it is logged."""
    if isinstance(error, MmmError):
        status = _status_of(error)
        return Problem(
            title=status.phrase,
            status=int(status),
            detail=public_text(str(error)),
            code=type(error).__name__,
            problems=[public_text(text) for text in getattr(error, "problems", [])],
            findings=getattr(error, "findings", []),
        )
    number = secrets.token_hex(4)
    log.error("request failed (%s)", number, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(
        title=status.phrase,
        status=int(status),
        detail=f"Something unforeseen happened; the log of the server has it under {number}.",
        code="InternalError",
    )


def public_text(text: str) -> str:
    """Return a message without secrets and without where this server keeps its files."""
    places = {current_home().root: "MMM_HOME", sys.prefix: "python", CHECKOUT: "checkout"}
    for folder, name in places.items():
        text = text.replace(str(folder), name)
    return redact(text)


def respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return a problem as an HTTP answer."""
    body = problem.model_dump(mode="json")
    return JSONResponse(body, problem.status, headers=headers, media_type=MEDIA_TYPE)


def install_handlers(app: FastAPI) -> None:
    """Let every error of the application end as a problem document."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(MmmError, _on_known)
    app.add_exception_handler(Exception, _on_unforeseen)


class CatchAll:
    """ASGI middleware that answers what no handler has caught, without raising it again.

    Starlette's own outermost handler answers and then raises, and a server logs it twice.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        begun = False

        async def sending(message: Any) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            await respond(problem_of(error))(scope, receive, send)


async def _on_known(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's
    headers = dict(getattr(error, "headers", {}))
    if isinstance(error, ResourceUnavailableError):
        headers["Retry-After"] = _RETRY_SECONDS
    return respond(await run_in_threadpool(problem_of, error), headers)


async def _on_unforeseen(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return respond(problem_of(error))


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return respond(problem_of(error))
    status = HTTPStatus(error.status_code)
    detail = _HTTP_DETAIL.get(status, str(error.detail)).format(
        method=request.method, path=request.url.path
    )
    problem = Problem(title=status.phrase, status=int(status), detail=detail, code="HTTPError")
    return respond(problem, dict(error.headers or {}))


async def _on_invalid(request: Request, error: Exception) -> Response:  # noqa: ARG001
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    problems = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in faults]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return respond(
        Problem(
            title=status.phrase,
            status=int(status),
            detail="The request cannot be used:\n" + "\n".join(f"- {p}" for p in problems),
            code="SpecError",
            problems=problems,
        )
    )


_HTTP_DETAIL = {
    HTTPStatus.NOT_FOUND: "There is nothing at {path}; /docs lists every path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "{method} is not answered at {path}; /docs says what is.",
}


def _status_of(error: MmmError) -> HTTPStatus:
    if isinstance(error, ProblemError):
        return error.status
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _place(location: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"
