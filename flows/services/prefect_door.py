"""A page of ours on the address of Prefect's pages, through which links lead to a flow run.

Prefect's pages keep their credential in the storage of the browser, which another address cannot
look into. Opened before it is there, they show an error. This page looks, asks for it once and goes
on; the credential stays between the browser and this address.

Belongs here: the page and its files. Does not: who is let in, which Prefect's API decides.
"""

import html
import re
from http import HTTPStatus
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tasks.report.task_look import read_tokens
from tasks.store.home import PREFECT_DOOR

_TARGET = re.compile(r"/(runs|deployments)(/[A-Za-z0-9/_-]*)?")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PLACE = PREFECT_DOOR.rpartition("/")[0] + "/"
_FILES = {"tokens.css": "text/css", "app.css": "text/css", "prefect.js": "text/javascript"}


def with_door(app: ASGIApp) -> ASGIApp:
    """Return an application that answers this page, and everything else as before."""
    pages = Starlette(routes=[Route(PREFECT_DOOR, _show), Route(_PLACE + "{name}", _file)])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["type"] == "http" and scope["path"].startswith(_PLACE)
        await (pages if is_ours else app)(scope, receive, send)

    return serve


def _show(request: Request) -> Response:
    """Show the page; what is asked for has to be a place of Prefect's pages."""
    asked = request.query_params.get("to", "")
    target = asked if _TARGET.fullmatch(asked) else "/"
    text = (files("flows.web") / "templates" / "prefect.html").read_text(encoding="utf-8")
    page = text.replace("{target}", html.escape(target, quote=True))
    return Response(page, headers=_HEADERS, media_type="text/html")


def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES:
        return PlainTextResponse("There is no such file.\n", HTTPStatus.NOT_FOUND)
    text = (
        read_tokens()
        if name == "tokens.css"
        else (files("flows.web") / "static" / name).read_text(encoding="utf-8")
    )
    return Response(text, headers=_HEADERS, media_type=_FILES[name])
