"""What stands before every server on loopback: a page from elsewhere gets nothing in or out.

A browser on this machine reaches 127.0.0.1 for any page that is open in it. Three headers, which a
page cannot choose, tell such a request from one of our own pages: ``Host`` names the address that
the browser believes it talks to (a foreign name is DNS rebinding), ``Origin`` names the page that
asks, and ``Sec-Fetch-Site`` says so where there is no ``Origin``.

Belongs here: the ASGI middleware. Does not: which server it stands before
(``flows.services.guarded``).
"""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from schemas.errors import SpecError

HOSTS_VARIABLE = "MMM_ALLOWED_HOSTS"
"""Further names, separated by commas, under which a proxy or a tunnel reaches the services."""

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_FOREIGN_SITES = frozenset({"cross-site", "same-site"})
_REFUSED = 403
_WEBSOCKET_POLICY = 1008

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware that refuses foreign hosts and foreign pages.

    Parameters
    ----------
    app
        The application behind it.
    port
        Port that the server listens on: a page of another loopback port is foreign, too.
    names
        Names besides loopback that stand for this server.
    """

    def __init__(self, app: App, *, port: int, names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}
        self._own = {f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with what is wrong."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        reason = self._fault(scope)
        if reason is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _WEBSOCKET_POLICY, "reason": reason})
        else:
            await self.refuse(scope, receive, send, reason)

    async def refuse(self, scope: Scope, receive: Receive, send: Send, reason: str) -> None:  # noqa: ARG002
        """Answer a request that is not passed on; an application may say it in its own way."""
        await _refuse(send, reason)

    def _fault(self, scope: Scope) -> str | None:
        headers = _headers(scope)
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or _name(f"//{hosts[0]}") not in self._names:
            return f"Host is no name of this server; {HOSTS_VARIABLE} adds one."
        if len(origins) > 1:
            return "More than one Origin."
        if origins:
            own = origins[0] in self._own or _is_same(origins[0], hosts[0])
            return None if own else "A page of another origin may not call this server."
        return _foreign_fetch(scope, headers)


def allowed_names() -> list[str]:
    """Return the names of ``MMM_ALLOWED_HOSTS``.

    Raises
    ------
    SpecError
        If one of them is not a plain host name; a wildcard would switch the check off.
    """
    named = os.environ.get(HOSTS_VARIABLE, "")
    names = [name.strip() for name in named.split(",") if name.strip()]
    for name in names:
        if _name(f"//{name}") != name.lower() or "*" in name:
            raise SpecError(
                f"{HOSTS_VARIABLE}: {name!r} is not a host name; give names without scheme, port "
                "or wildcard, separated by commas."
            )
    return names


def _foreign_fetch(scope: Scope, headers: dict[str, list[str]]) -> str | None:
    """Refuse what a foreign page loads without an ``Origin``; following a link is no load."""
    if not _FOREIGN_SITES.intersection(headers.get("sec-fetch-site", [])):
        return None
    follows_link = (
        headers.get("sec-fetch-mode") == ["navigate"]
        and headers.get("sec-fetch-dest") == ["document"]
        and scope.get("method") == "GET"
    )
    return None if follows_link else "A page of another site may not load from this server."


def _headers(scope: Scope) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in scope.get("headers", []):
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return headers


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _is_same(origin: str, host: str) -> bool:
    """Say whether a page came from the very address that is asked; behind TLS, too."""
    return origin.lower() in {f"http://{host.lower()}", f"https://{host.lower()}"}


def _unframed(send: Send) -> Send:
    """Forbid foreign pages to frame ours, where a click could be led astray."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() != b"x-frame-options"
            ]
            message["headers"] = [*kept, (b"x-frame-options", b"SAMEORIGIN")]
        await send(message)

    return sending


async def _refuse(send: Send, reason: str) -> None:
    body = f"Refused: {reason}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": _REFUSED, "headers": headers})
    await send({"type": "http.response.body", "body": body})
