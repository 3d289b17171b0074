"""How a browser shows its token: a form, and a cookie that no script can read."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from flows.web import session
from flows.web.rendering import render
from tasks.store.home import current_home
from tasks.store.tokens import find_role, list_tokens

router = APIRouter()
SIGN_IN_PATH = "/sign-in"
SIGN_OUT_PATH = "/sign-out"
"""Answered to everybody: a token that may read alone is forgotten as well."""


@router.get(SIGN_IN_PATH)
def show(request: Request, next: str = "/") -> Response:  # noqa: A002 - name of the parameter
    """Show the form."""
    return render(request, "sign_in", title="Sign in", target=_own_page(next), problem=None)


@router.post(SIGN_IN_PATH)
def sign_in(request: Request, fields: session.Fields) -> Response:
    """Take a token; a wrong one is refused without saying why."""
    target, token = _own_page(session.field(fields, "next")), session.field(fields, "token")
    if find_role(list_tokens(current_home()), token) is None:
        said = "This is no token of this home. `mmm token add NAME --role write` makes one."
        return render(
            request, "sign_in", status=HTTPStatus.UNAUTHORIZED, title="Sign in",
            target=target, problem=said,
        )  # fmt: skip
    answer = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    session.sign_in(request, answer, token)
    return answer


@router.post(SIGN_OUT_PATH)
def sign_out(request: Request, fields: session.Fields) -> Response:  # noqa: ARG001 - proof of form
    """Forget the token of this browser."""
    answer = RedirectResponse(SIGN_IN_PATH, HTTPStatus.SEE_OTHER)
    answer.delete_cookie(
        session.SESSION_COOKIE, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


def _own_page(target: str) -> str:
    """Return a path of this server; what could lead elsewhere becomes the first page."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_own and target.isprintable() else "/"
