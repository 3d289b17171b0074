"""Pages from templates: what every page has around it, and the policy that it is served under."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from flows.web import session, static_files, wording
from flows.web.tables import Kind, write_cell
from schemas import words
from schemas.answers.service import Problem

_PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='"
)
"""Plotly adds a style element without text, which it fills by script, and one with a text of its
own, whose digest changes with its version: the test in a browser says so."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    f"style-src 'self' {_PLOTLY_STYLES}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

NAVIGATION = (
    ("Datasets", "/"),
    ("Configure", "/configure"),
    ("Run", "/run"),
    ("Results", "/results"),
    ("Budget", "/budget"),
    ("Compare", "/compare"),
    ("Forecast", "/forecast"),
    ("Champions", "/champions"),
    ("Portfolio", "/portfolio"),
    ("Export", "/export"),
)
"""Every page in the order of the work."""


@dataclass(frozen=True)
class NavigationLink:
    """One link of the navigation."""

    title: str
    href: str
    is_current: bool


def render(
    request: Request,
    template: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Return a page.

    Parameters
    ----------
    request
        What is answered.
    template
        File of ``flows/web/templates``, without its ending.
    status, headers
        Of the answer.
    context
        What the template names; ``title`` always, ``dataset_id`` where the page is about one: the
        navigation then stays with it.
    """
    visitor, is_new = session.visitor_of(request)
    text = (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            navigation=_links(request, context.get("dataset_id")),
            csrf=session.csrf_token(visitor),
            may_write=session.may_write(request),
            is_signed_in=session.is_signed_in(request),
            **context,
        )
    )
    answer = HTMLResponse(
        text,
        int(status),
        headers={
            "Content-Security-Policy": PAGE_POLICY,
            "Cache-Control": "no-store",
            # With no-referrer, the API's own, a form would name no Origin, and the guard refuse it.
            "Referrer-Policy": "same-origin",
            **(headers or {}),
        },
    )
    if is_new:
        session.remember_visitor(request, answer, visitor)
    return answer


def render_part(template: str, **context: Any) -> Markup:
    """Return a part of a page, the same for everybody who may see it.

    Parameters
    ----------
    template
        File of ``flows/web/templates``, without its ending.
    context
        What the template names.
    """
    return Markup(_environment().get_template(f"{template}.html.j2").render(**context))  # noqa: S704 - a template escapes what it is given


def status_of(problem: Problem | None) -> HTTPStatus:
    """Return the status of a page that says what is wrong, if anything is."""
    return HTTPStatus(problem.status) if problem else HTTPStatus.OK


def address(path: str, **query: object) -> str:
    """Return an address with its query; parameters that are None are left out."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _links(request: Request, dataset_id: str | None) -> list[NavigationLink]:
    path = request.url.path
    return [
        NavigationLink(
            title,
            address(href, dataset_id=dataset_id),
            path == href or path.startswith("/data/" if href == "/" else f"{href}/"),
        )
        for title, href in NAVIGATION
    ]


def _script_json(value: object) -> str:
    """Write JSON that can stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flows.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=wording.on_page,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.format_number,
        "compact": words.format_compact,
        "share": words.format_share,
        "day": lambda value: write_cell(Kind.DATE, value),
        "moment": lambda value: write_cell(Kind.MOMENT, value),
        "script_json": _script_json,
        "as_typed": wording.as_typed,
        "segment": lambda text: quote(str(text), safe=""),
    }
    environment.globals |= {
        "symbols": words.SYMBOLS,
        "tone": words.TONE,
        "address": address,
        "operator": wording.OPERATOR,
        "static": static_files.address_of,
    }
    return environment
