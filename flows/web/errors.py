"""A problem document as a page, where a browser asked for one."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from flows.api.security import asks_for_page
from flows.web.rendering import render
from schemas.answers.service import Problem
from schemas.errors import MmmError

type Handler = Callable[[Request, Exception], Awaitable[Response]]


def show_problems(app: FastAPI) -> None:
    """Let errors end as pages for browsers; everybody else gets the problem document as before."""
    for kind in (HTTPException, RequestValidationError, MmmError, Exception):
        before: Handler = app.exception_handlers[kind]  # type: ignore[assignment]
        app.add_exception_handler(kind, _as_page(before))


def _as_page(before: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await before(request, error)
        if not asks_for_page(request.scope):
            return answer
        problem = Problem.model_validate_json(bytes(answer.body))
        return await run_in_threadpool(render_problem, request, problem, answer)

    return handle


def render_problem(request: Request, problem: Problem, answer: Response) -> Response:
    """Return a page that says what is wrong and what to do."""
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"content-length", "content-type"}
    }
    return render(
        request,
        "problem",
        status=answer.status_code,  # type: ignore[arg-type]
        headers=kept,
        title=problem.title,
        problem=problem,
    )
