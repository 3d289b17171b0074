"""Stylesheet, scripts and Plotly: served from here, named by their content, kept by browsers."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from flows.api.problems import ProblemError
from tasks.report.task_look import read_plotly, read_tokens

router = APIRouter(include_in_schema=False)
STATIC_PATH = "/static/"
_CSS, _JS = "text/css; charset=utf-8", "text/javascript; charset=utf-8"


def _own(name: str) -> Callable[[], bytes]:
    return lambda: (files("flows.web") / "static" / name).read_bytes()


_SOURCES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "tokens.css": (_CSS, lambda: read_tokens().encode()),
    "app.css": (_CSS, _own("app.css")),
    "app.js": (_JS, _own("app.js")),
    "figures.js": (_JS, _own("figures.js")),
    "plotly.js": (_JS, read_plotly),
}


@dataclass(frozen=True)
class _StaticFile:
    media_type: str
    plain: bytes
    packed: bytes
    digest: str


@router.get("/static/{name}")
def serve(name: str, request: Request, v: str = "") -> Response:
    """Return one file; a browser that asks for it by its digest never asks again."""
    if name not in _SOURCES:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no file {name!r}.")
    file = _read(name)
    kept = "public, max-age=31536000, immutable" if v == file.digest else "no-cache"
    headers = {"ETag": f'"{file.digest}"', "Cache-Control": kept, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.plain, media_type=file.media_type, headers=headers)


def address_of(name: str) -> str:
    """Return the address of a file, with the digest of what it holds now."""
    return f"{STATIC_PATH}{name}?v={_read(name).digest}"


@lru_cache(maxsize=len(_SOURCES))
def _read(name: str) -> _StaticFile:
    media_type, read = _SOURCES[name]
    plain = read()
    # A fixed time in the header: the same file, the same bytes.
    packed = gzip.compress(plain, compresslevel=6, mtime=0)
    return _StaticFile(media_type, plain, packed, hashlib.sha256(plain).hexdigest()[:16])
