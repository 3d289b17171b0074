"""Posts a JSON document to the webhook that ``MMM_WEBHOOK_URL`` names.

Belongs here: the address, the request, one retry.
Does not: what is said (``tasks.lifecycle.task_notices``).
Invariant: nothing raised, and of the address only the host is logged; the rest may hold a token.
"""

import base64
import json
import logging
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tasks.store.redaction import redact_tree

log = logging.getLogger(__name__)

VARIABLE = "MMM_WEBHOOK_URL"
TIMEOUT_SECONDS = 10.0
RETRY_AFTER_SECONDS = 2.0
_SCHEMES = ("http", "https")


def is_configured() -> bool:
    """Say whether a webhook is named."""
    return bool(_address())


def post_json(document: Mapping[str, Any]) -> bool:
    """Post ``document``, with one retry after a failure that may pass.

    Parameters
    ----------
    document
        What is sent, as JSON; numbers must be finite.

    Returns
    -------
    bool
        True if the receiver took it. False, with a line in the log, if none is named, the address
        cannot be used, or both tries failed.
    """
    address = _address()
    if not address:
        return False
    host = _usable_host(address)
    if host is None:
        log.error("%s is not an http or https address; nobody was notified", VARIABLE)
        return False
    body = json.dumps(redact_tree(document), default=str, allow_nan=False).encode()
    fault, may_pass = _try(address, body)
    if fault and may_pass:
        log.warning("the webhook on %s failed (%s); trying once more", host, fault)
        time.sleep(RETRY_AFTER_SECONDS)
        fault, _ = _try(address, body)
    if fault:
        log.error("the webhook on %s failed (%s); nobody was notified", host, fault)
        return False
    log.info("the webhook on %s was notified", host)
    return True


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET that notifies nobody anything."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _address() -> str:
    return os.environ.get(VARIABLE, "").strip()


def _usable_host(address: str) -> str | None:
    try:
        parts = urllib.parse.urlsplit(address)
        return parts.hostname if parts.scheme in _SCHEMES else None
    except ValueError:
        return None


def _without_user(address: str) -> str:
    """Return the address as it is connected to: ``user:password@`` is sent as a header."""
    parts = urllib.parse.urlsplit(address)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _authorization(address: str) -> dict[str, str]:
    parts = urllib.parse.urlsplit(address)
    if parts.username is None:
        return {}
    named = (urllib.parse.unquote(text or "") for text in (parts.username, parts.password))
    coded = base64.b64encode(":".join(named).encode()).decode()
    return {"Authorization": f"Basic {coded}"}


def _try(address: str, body: bytes) -> tuple[str, bool]:
    """Post once; return what went wrong (empty: nothing) and whether it may pass."""
    try:
        request = urllib.request.Request(  # noqa: S310 - http or https, checked above
            _without_user(address),
            data=body,
            headers={"Content-Type": "application/json", **_authorization(address)},
            method="POST",
        )
        _OPENER.open(request, timeout=TIMEOUT_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        passing = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return f"HTTP {error.code}", passing or error.code == HTTPStatus.TOO_MANY_REQUESTS
    except urllib.error.URLError as error:
        return type(error.reason).__name__, True
    except Exception as error:  # whose text may hold the address: only its kind is reported
        return type(error).__name__, isinstance(error, OSError)
    return "", False
