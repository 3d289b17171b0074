"""The site: the REST API's application with the pages in it, behind the same doors."""

from fastapi import APIRouter, FastAPI

from flows.api import app as api
from flows.api.security import PUBLIC_PATHS, Door
from flows.services.guard import App
from flows.web import errors, static_files, warming
from flows.web.routers import (
    budget,
    champions,
    compare,
    configure,
    datasets,
    export,
    forecast,
    portfolio,
    results,
    run,
    sign_in,
    start,
)

SITE_PAGES = (
    start,
    datasets,
    configure,
    run,
    results,
    budget,
    compare,
    forecast,
    champions,
    portfolio,
    export,
)
"""Modules of ``routers`` that have a page in the navigation; each has a ``router``."""


def add_pages(app: FastAPI, *, is_warmed: bool = False) -> FastAPI:
    """Add the pages to the application of the API; warmed, it asks for each as it starts."""
    site = APIRouter(include_in_schema=False, lifespan=warming.warmed if is_warmed else None)
    for page in (*SITE_PAGES, sign_in, static_files):
        site.include_router(page.router)
    app.include_router(site)
    errors.show_problems(app)
    return app


def is_public(path: str) -> bool:
    """Say whether a path is answered to who has not signed in: nothing there is of this home."""
    known = {*PUBLIC_PATHS, sign_in.SIGN_IN_PATH, sign_in.SIGN_OUT_PATH}
    return path in known or path.startswith(static_files.STATIC_PATH)


def build_site(door: Door, *, is_warmed: bool = False) -> App:
    """Return pages and API behind their doors; as ``add_pages``."""
    return api.build_server(door, add_pages(api.build_api(), is_warmed=is_warmed))
