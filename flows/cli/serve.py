"""The verbs of the web app and the REST API: ``mmm serve``, ``mmm token``."""

import re
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption
from schemas.errors import SpecError

if TYPE_CHECKING:
    from tasks.store.tokens import Role

API_PORT = 8050
LOOPBACK = "127.0.0.1"


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; another one asks for tokens.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = API_PORT,
    debug: DebugOption = False,
) -> None:
    """Serve the web app and the REST API; Ctrl-C ends them and the jobs that it has started.

    On 127.0.0.1 everybody on this machine may ask, until the first token is made.
    """

    def work(answer: TextIO) -> int:
        from flows.services.api import serve_api

        def report(address: str) -> None:
            answer.write(f"app         {address}/\nAPI         {address}/api/v1, {address}/docs\n")
            answer.flush()

        serve_api(host, port, report)
        return 0

    # Kept for the processes of jobs, whose logs the pages show.
    process.run_verb(work, as_json=False, debug=debug, keeps_logs=True)


def token(
    action: Annotated[str, typer.Argument(metavar="add|list|revoke", help="What to do.")],
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Who has it.")] = None,
    role: Annotated[str, typer.Option("--role", help="read or write.")] = "read",
    debug: DebugOption = False,
) -> None:
    """Make, list or revoke tokens of the REST API; a token is shown once, only its hash is kept."""

    def work(answer: TextIO) -> int:
        from tasks.store import tokens
        from tasks.store.home import current_home

        home = current_home()
        if action == "list":
            rows = tokens.list_tokens(home)
            lines = [f"{r.name}  {r.role}  {r.created_at:%Y-%m-%d %H:%M}\n" for r in rows]
            answer.write("".join(lines) or "No token; `mmm token add NAME` makes one.\n")
        elif action == "add":
            answer.write(tokens.make_token(home, _named(name), _role(role)) + "\n")
        elif action == "revoke":
            tokens.revoke_token(home, _named(name))
        else:
            raise SpecError(f"token: {action!r} is not one of add, list, revoke.")
        return 0

    process.run_verb(work, as_json=False, debug=debug)


def _named(name: str | None) -> str:

    if name is None or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise SpecError(
            "token: name who or what has it: letters, digits, `_`, `.`, `-`; at most 64."
        )
    return name


def _role(role: str) -> "Role":
    from tasks.store.tokens import Role

    try:
        return Role(role)
    except ValueError as error:
        raise SpecError(f"--role: {role!r} is not one of {', '.join(Role)}.") from error
