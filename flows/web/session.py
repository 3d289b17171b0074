"""Who is at the other end of a page: visitor, token in a cookie, proof that a form is one of ours.

A visitor is a random cookie; the proof in a form is a keyed digest of it, so a form that another
page made up, or that was copied from another browser, is refused.
"""

import hashlib
import hmac
import re
import secrets
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.responses import Response

from flows.api.problems import ProblemError
from flows.api.security import SESSION_COOKIE as SESSION_COOKIE
from tasks.store.credential import api_credential
from tasks.store.home import current_home
from tasks.store.tokens import Role

VISITOR_COOKIE = "mmm_visitor"
CSRF_FIELD = "csrf_token"
SESSION_SECONDS = 12 * 3600
_MOST_FIELDS = 20_000
_VISITOR = re.compile(r"[A-Za-z0-9_-]{20,100}")

type FormFields = dict[str, list[str]]


def visitor_of(request: Request) -> tuple[str, bool]:
    """Return the visitor of a request, and whether it is a new one."""
    known = request.cookies.get(VISITOR_COOKIE, "")
    if _VISITOR.fullmatch(known):
        return known, False
    return secrets.token_urlsafe(24), True


def csrf_token(visitor: str) -> str:
    """Return what a form of a visitor has to hold."""
    key = api_credential(current_home()).encode()
    return hmac.new(key, f"form of {visitor}".encode(), hashlib.sha256).hexdigest()


def remember_visitor(request: Request, answer: Response, visitor: str) -> None:
    """Set the cookie of a visitor."""
    _set(request, answer, VISITOR_COOKIE, visitor)


def sign_in(request: Request, answer: Response, token: str) -> None:
    """Keep a token in the browser, where no script can read it."""
    _set(request, answer, SESSION_COOKIE, token, SESSION_SECONDS)


def is_signed_in(request: Request) -> bool:
    """Say whether the browser shows a token."""
    return SESSION_COOKIE in request.cookies


def may_write(request: Request) -> bool:
    """Say whether who asks may change something; everybody where no token is asked for."""
    return getattr(request.state, "role", Role.WRITE) is Role.WRITE


def require_proof(request: Request, shown: str) -> None:
    """Raise unless a change comes from a form of this visitor.

    Raises
    ------
    ProblemError
        403 with what to do.
    """
    visitor, is_new = visitor_of(request)
    if is_new or not hmac.compare_digest(csrf_token(visitor), shown):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "This form is out of date or not one of this page; load the page again and repeat it. "
            "Cookies of this address have to be allowed.",
        )


async def _read_form(request: Request) -> FormFields:
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from error
    fields: FormFields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    require_proof(request, "".join(fields.pop(CSRF_FIELD, [])))
    return fields


Fields = Annotated[FormFields, Depends(_read_form)]
"""Fields of a form that was shown to come from this visitor's page."""


def field(fields: FormFields, name: str, default: str = "") -> str:
    """Return the last value of a field, without blanks around it."""
    return (fields.get(name) or [default])[-1].strip()


def _set(
    request: Request, answer: Response, name: str, value: str, seconds: int | None = None
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
