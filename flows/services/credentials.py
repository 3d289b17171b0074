"""Who may ask a server that has no accounts of its own: who knows the home's credential.

Belongs here: the ASGI middleware. Does not: where the credential is kept
(``tasks.store.credential``), foreign pages (``flows.services.guard``).
"""

import base64
import binascii
import secrets

from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
)
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

OPEN_PATHS = frozenset({"/health"})
"""What says only that the server lives."""
_REALM = 'Basic realm="The credential of this home, as `mmm ui` says", charset="UTF-8"'


def asking_for(credential: str, app: ASGIApp) -> ASGIApp:
    """Return an application that answers who shows a credential, by HTTP Basic (RFC 7617).

    Parameters
    ----------
    credential
        ``user:password``.
    app
        What is behind it; ``OPEN_PATHS`` of it answer everybody.
    """
    return AuthenticationMiddleware(app, backend=_Known(credential), on_error=_refuse)


class _Known(AuthenticationBackend):
    def __init__(self, credential: str) -> None:
        self._credential = credential.encode()

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        if conn.scope["type"] == "http" and conn.url.path in OPEN_PATHS:
            return None
        scheme, _, shown = conn.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or not self._is_right(shown.strip()):
            raise AuthenticationError("Show the credential of this home.")
        return AuthCredentials(["authenticated"]), SimpleUser(self._credential.decode())

    def _is_right(self, shown: str) -> bool:
        try:
            given = base64.b64decode(shown, validate=True)
        except (binascii.Error, ValueError):
            return False
        return secrets.compare_digest(given, self._credential)


def _refuse(_: HTTPConnection, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 401, headers={"www-authenticate": _REALM})
