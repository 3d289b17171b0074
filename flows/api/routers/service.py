"""What the server says of itself: liveness, readiness, its documents."""

import os
import urllib.error
import urllib.request
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from flows.api.conventions import ERRORS
from flows.api.docs_page import render_docs
from flows.api.problems import public_text
from schemas.answers.service import Health, Readiness, ReadyCheck
from tasks.query.readiness import check_storage

router = APIRouter(tags=["service"], responses=ERRORS)
_PAGE_POLICY = "default-src 'none'; style-src 'self' 'sha256-{digest}'; frame-ancestors 'none'"


@router.get("/health", operation_id="get_health")
def health() -> Health:
    """Say that the server is there; nothing else is asked."""
    try:
        return Health(version=version("steady-mmm"))
    except PackageNotFoundError:
        return Health(version="checkout")


@router.get(
    "/ready",
    operation_id="get_readiness",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something is not there."}},
)
def ready() -> Response:
    """Say whether home, warehouse, MLflow and Prefect can be used; 503 where one cannot."""
    checks = check_services()
    found = Readiness(is_ready=all(check.is_ready for check in checks), checks=checks)
    return JSONResponse(found.model_dump(mode="json"), 200 if found.is_ready else 503)


def check_services() -> list[ReadyCheck]:
    """Return one check per thing that work needs, without where this server keeps its files."""
    return [_public(check) for check in (*check_storage(), _prefect())]


@router.get("/docs", include_in_schema=False)
@router.get("/redoc", include_in_schema=False)
def docs(request: Request) -> Response:
    """Show every operation on one page that asks no other host for anything."""
    page, digest = render_docs(request.app.openapi())
    policy = _PAGE_POLICY.format(digest=digest)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _public(check: ReadyCheck) -> ReadyCheck:
    return check.model_copy(update={"detail": public_text(check.detail)})


def _prefect() -> ReadyCheck:
    """Check the Prefect API that the settings name; without one, every job starts its own."""
    named = os.environ.get("PREFECT_API_URL")
    if not named:
        return ReadyCheck(name="Prefect", is_ready=True, detail="started with every job")
    try:
        urllib.request.urlopen(f"{named.rstrip('/')}/health", timeout=2).close()  # noqa: S310 - our own setting
    except urllib.error.HTTPError:
        return ReadyCheck(name="Prefect", is_ready=True)
    except (OSError, ValueError):
        detail = "The server of PREFECT_API_URL does not answer; `mmm ui` starts one, or unset it."
        return ReadyCheck(name="Prefect", is_ready=False, detail=detail)
    return ReadyCheck(name="Prefect", is_ready=True)
