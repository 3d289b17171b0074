"""The application: routers, handlers and doors put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from flows.api import problems
from flows.api.conventions import PREFIX
from flows.api.evaluator import Evaluator
from flows.api.examples import add_examples
from flows.api.jobs import JobRunner
from flows.api.routers import (
    champions,
    datasets,
    earlier,
    findings,
    jobs,
    outputs,
    plans,
    runs,
    service,
)
from flows.api.security import ApiGuard, Credentials, Door, Limits
from flows.api.services import JobService
from flows.services.guard import App

_DESCRIPTION = (
    "Weekly Bayesian marketing-mix refits over HTTP. Errors are problem documents (RFC 9457) with "
    "the findings that the command line reports. Long work answers 202 with a Location to poll."
)


class _Api(FastAPI):
    """An application whose document has examples."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        return add_examples(super().openapi())


def build_api() -> FastAPI:
    """Return the application without its doors: routes, answers, problem documents."""
    app = _Api(
        title="steady-mmm",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=_running_jobs,
    )
    problems.install_handlers(app)
    app.include_router(service.router)
    resources = APIRouter(prefix=PREFIX)
    for resource in (datasets, runs, outputs, plans, champions, findings, jobs):
        resources.include_router(resource.router)
    app.include_router(resources)
    app.include_router(earlier.router)
    return app


@asynccontextmanager
async def _running_jobs(app: FastAPI) -> AsyncIterator[None]:
    """Take up what an earlier server left; end all processes with this one."""
    runner = JobRunner()
    app.state.jobs = JobService(runner)
    app.state.evaluator = Evaluator()
    await run_in_threadpool(runner.resume)
    try:
        yield
    finally:
        await run_in_threadpool(app.state.evaluator.close)
        await run_in_threadpool(runner.close)


def is_upload(method: str, path: str) -> bool:
    """Say whether a request carries a file, which has a limit of its own."""
    return (method, path) in {("POST", "/datasets/upload")} or (
        method == "PUT" and path.startswith(f"{PREFIX}/datasets/") and path.endswith("/file")
    )


def build_server(door: Door, app: FastAPI | None = None) -> App:
    """Return the application behind its doors, the outermost first: host, limits, token.

    Parameters
    ----------
    door
        What it asks of its callers.
    app
        The application; without one, the REST API alone.
    """
    inside = problems.CatchAll(app or build_api())
    limited = Limits(Credentials(inside, door), door)
    return ApiGuard(limited, port=door.port, names=door.names)
