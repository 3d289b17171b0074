"""Who may ask: host and origin, token and role, how often, how much. ASGI middleware alone.

Belongs here: what is refused before a router sees it, and the headers of every answer.
Does not: the check of host and origin itself (``flows.services.guard``).
"""

import asyncio
import base64
import binascii
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from flows.api.problems import ProblemError, problem_of, respond
from flows.services.guard import App, Guard, Message, Receive, Scope, Send
from tasks.store.credential import api_credential
from tasks.store.home import current_home
from tasks.store.tokens import Role, TokenRecord, find_role, list_tokens, tokens_path

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC_PATHS = frozenset({"/health"})
"""Answered to everybody who reaches the server: a load balancer has no token."""
SESSION_COOKIE = "mmm_session"
"""Holds the token of a browser that has signed in; no script can read it."""
MAX_BODY_BYTES = 2_000_000
"""Of a body that is no upload."""
BODY_SECONDS = 30.0
"""How long such a body may take to come."""
WRITES_PER_MINUTE = 120
_KNOWN_CALLERS = 10_000
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass(frozen=True)
class Door:
    """What a server asks of its callers."""

    port: int
    names: tuple[str, ...] = ()
    """Names besides loopback under which it is reached."""
    needs_token: bool = False
    """Ask even where no token has been made: it is reached from elsewhere."""
    is_upload: Callable[[str, str], bool] = lambda _method, _path: False
    """Whether method and path take a file, which has a limit of its own."""
    is_public: Callable[[str], bool] = PUBLIC_PATHS.__contains__
    """Whether a path is answered without a token."""
    sign_in: str | None = None
    """Page where a browser shows its token; None where there are no pages."""


class ApiGuard(Guard):
    """Refuses foreign hosts and pages with a problem document."""

    async def refuse(self, scope: Scope, receive: Receive, send: Send, reason: str) -> None:
        """Answer a request that is not passed on."""
        error = ProblemError(HTTPStatus.FORBIDDEN, f"Refused: {reason}")
        await respond(problem_of(error))(scope, receive, send)


class Credentials:
    """Lets in who shows a token, or the credential that this home's services share.

    On loopback, as long as no token has been made, everybody on this machine may ask; who shows
    one all the same is told that it is wrong.
    """

    def __init__(self, app: App, door: Door) -> None:
        self._app = app
        self._door = door
        self._known: tuple[int, list[TokenRecord]] = (-1, [])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say what is missing."""
        if scope["type"] == "http" and not self._door.is_public(scope["path"]):
            try:
                role = await run_in_threadpool(self._require_role, scope)
                scope.setdefault("state", {})["role"] = role
            except Exception as error:
                await self._refuse(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refuse(self, error: Exception) -> App:
        """Return the answer to who may not ask; a browser is led to where it can sign in."""
        refused = respond(problem_of(error), getattr(error, "headers", None))

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            unknown = getattr(error, "status", None) is HTTPStatus.UNAUTHORIZED
            if unknown and self._door.sign_in and asks_for_page(scope):
                wanted = scope["path"] + ("?" if scope["query_string"] else "")
                wanted += scope["query_string"].decode("latin-1")
                target = f"{self._door.sign_in}?next={quote(wanted, safe='')}"
                await RedirectResponse(target, HTTPStatus.SEE_OTHER)(scope, receive, send)
                return
            await refused(scope, receive, send)

        return answer

    def _require_role(self, scope: Scope) -> Role:
        records = self._tokens()
        shown = header(scope, b"authorization")
        if not records and not self._door.needs_token and not shown:
            return Role.WRITE
        cookie = None if shown else _cookie(scope)
        if cookie and scope["method"] not in SAFE_METHODS and not header(scope, b"origin"):
            # A browser names the page that a change comes from, and the guard has looked at it.
            raise ProblemError(HTTPStatus.FORBIDDEN, "A change by cookie alone needs an Origin.")
        role = _role_of(f"Bearer {cookie}" if cookie else shown, records)
        if role is None:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "Show a token: `Authorization: Bearer TOKEN`. `mmm token add NAME` makes one.",
                {"WWW-Authenticate": 'Bearer realm="steady-mmm"'},
            )
        if role is Role.READ and scope["method"] not in SAFE_METHODS:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "This token may read alone; `mmm token add NAME --role write` makes one that may "
                "change something.",
            )
        return role

    def _tokens(self) -> list[TokenRecord]:
        """Return the tokens as they are now: one that is revoked is refused at once."""
        home = current_home()
        changed = _changed_at(tokens_path(home))
        if changed != self._known[0]:
            self._known = (changed, list_tokens(home))
        return self._known[1]


class Limits:
    """Limits how often a caller writes and how much a request holds, and adds headers."""

    def __init__(self, app: App, door: Door, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._door = door
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counted; or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answering = _with_headers(send)
        try:
            self._count(scope)
            body = self._counted(scope, receive)
        except ProblemError as error:
            await respond(problem_of(error), error.headers)(scope, receive, answering)
            return
        await self._app(scope, body, answering)

    def _count(self, scope: Scope) -> None:
        """Take one write from the caller's bucket, which fills again with time."""
        if scope["method"] in SAFE_METHODS:
            return
        caller = str((scope.get("client") or ("unknown",))[0])
        now, rate = self._clock(), WRITES_PER_MINUTE / 60
        left, since = self._buckets.pop(caller, (float(WRITES_PER_MINUTE), now))
        left = min(float(WRITES_PER_MINUTE), left + (now - since) * rate)
        self._buckets[caller] = (max(left - 1, 0.0), now)
        while len(self._buckets) > _KNOWN_CALLERS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"More than {WRITES_PER_MINUTE} changes a minute; wait a moment.",
                {"Retry-After": str(int(1 / rate) + 1)},
            )

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """Return a ``receive`` within limits; those of an upload are elsewhere."""
        if self._door.is_upload(scope["method"], scope["path"]):
            return receive
        stated = header(scope, b"content-length")
        if stated and stated.isdigit() and int(stated) > MAX_BODY_BYTES:
            raise too_large(MAX_BODY_BYTES)
        return _within_limits(receive)


def _within_limits(receive: Receive) -> Receive:
    """Return a ``receive`` that ends a body which is too large, or comes too slowly.

    FastAPI lets only HTTP exceptions through from where it reads a body.
    """
    taken, is_whole, begun = 0, False, asyncio.get_running_loop().time()

    async def receiving() -> Message:
        nonlocal taken, is_whole
        if is_whole:  # what comes now is the caller going away, whenever that is
            return await receive()
        try:
            async with asyncio.timeout_at(begun + BODY_SECONDS):
                message = await receive()
        except TimeoutError as error:
            said = f"The body took longer than {BODY_SECONDS:.0f} s; send it at once."
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, said) from error
        taken += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if taken > MAX_BODY_BYTES:
            refused = too_large(MAX_BODY_BYTES)
            raise HTTPException(int(refused.status), str(refused))
        return message

    return receiving


def too_large(limit: int) -> ProblemError:
    """Return the error of a body beyond a limit in bytes."""
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body has more than {limit:,} bytes."
    )


def header(scope: Scope, name: bytes) -> str | None:
    """Return a header of a request; None where it is absent."""
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return values[0].decode("latin-1") if len(values) == 1 else None


def asks_for_page(scope: Scope) -> bool:
    """Say whether a browser asks for a page, rather than a program for an answer."""
    is_api = scope["path"].startswith("/api/")
    return not is_api and "text/html" in (header(scope, b"accept") or "")


def _cookie(scope: Scope) -> str | None:
    """Return the token of a browser that has signed in; None where it shows none."""
    try:
        kept = SimpleCookie(header(scope, b"cookie") or "").get(SESSION_COOKIE)
    except CookieError:
        return None
    return kept.value if kept else None


def _role_of(shown: str | None, records: list[TokenRecord]) -> Role | None:
    kind, _, text = (shown or "").partition(" ")
    if kind.lower() == "bearer":
        return find_role(records, text.strip())
    if kind.lower() == "basic":
        try:
            pair = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            return None
        own = api_credential(current_home()).encode()
        return Role.WRITE if hmac.compare_digest(pair, own) else None
    return None


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            added = [(name, value) for name, value in (*_HEADERS, _POLICY) if name not in names]
            message["headers"] = [*given, *added]
        await send(message)

    return sending
