"""What ``mmm serve`` runs: the web app and the REST API in this process, by uvicorn."""

import logging
import sys
from collections.abc import Callable
from ipaddress import ip_address

import uvicorn

from flows.api.app import is_upload
from flows.api.security import Door
from flows.services.guard import LOOPBACK_NAMES, allowed_names
from flows.services.servers import HOST, require_free_port
from flows.web.app import build_site, is_public
from flows.web.routers.sign_in import SIGN_IN_PATH
from schemas.errors import SpecError
from tasks.store.home import current_home
from tasks.store.storage import require_writable
from tasks.store.tokens import list_tokens

SHUTDOWN_SECONDS = 5
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


def serve_api(host: str, port: int, report: Callable[[str], None]) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    host, port
        Where to listen.
    report
        Called with the address as soon as the port is known to be free.

    Raises
    ------
    SpecError
        If it is to be reached from elsewhere and no token has been made.
    ResourceUnavailableError
        If the port is taken.
    """
    require_writable(current_home())
    door = open_door(host, port)
    require_free_port(port, option="--port", name="web app")
    shown = "127.0.0.1" if host in _ANY_ADDRESS else host
    report(f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}")
    logging.getLogger("flows.api").setLevel(logging.INFO)
    uvicorn.run(
        build_site(door, is_warmed=True),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def open_door(host: str, port: int) -> Door:
    """Return what a server on an address asks of its callers.

    Raises
    ------
    SpecError
        If it is to be reached from elsewhere and no token has been made.
    """
    names = tuple(allowed_names())
    from_elsewhere = host not in LOOPBACK_NAMES or bool(names)
    if from_elsewhere and not list_tokens(current_home()):
        raise SpecError(
            f"--host: {host} is reached from elsewhere, and this home has no token, so anybody "
            "could change everything. Make one first: `mmm token add NAME --role write`."
        )
    own = () if host in _ANY_ADDRESS else (_bare(host),)
    return Door(
        port=port,
        names=(*names, *own),
        needs_token=from_elsewhere,
        is_upload=is_upload,
        is_public=is_public,
        sign_in=SIGN_IN_PATH,
    )


def _bare(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host


if __name__ == "__main__":
    serve_api(HOST, int(sys.argv[1]), lambda _address: None)
