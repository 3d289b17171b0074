"""The verb that serves: ``mmm ui``."""

import shlex
import signal
import sys
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption

if TYPE_CHECKING:
    from flows.services.servers import Service

PREFECT_PORT = 4200
MLFLOW_PORT = 5000

_HELP = """\
Runs that are due are made here, as long as this runs. To start one now:
  in the browser   {address}/deployments, a deployment, Run
  on a console     PREFECT_API_URL={address}/api PREFECT_API_AUTH_STRING="$(cat {credential})" \\
                   prefect deployment run scheduled-refit/refit-weekly
Prefect asks for this home's credential, once per browser. It is the one line of
  {credential}
which only this user can read: copy it from an editor, or `xclip -sel clip < FILE`, `pbcopy < FILE`.
Refits of this home appear in both. Ctrl-C ends all.
"""


def ui(
    prefect_port: Annotated[int, typer.Option("--prefect-port", min=1, max=65535)] = PREFECT_PORT,
    mlflow_port: Annotated[int, typer.Option("--mlflow-port", min=1, max=65535)] = MLFLOW_PORT,
    debug: DebugOption = False,
) -> None:
    """Start Prefect, MLflow and a worker for the deployments on 127.0.0.1; Ctrl-C ends all."""

    def work(answer: TextIO) -> int:
        from flows.services import servers, ui
        from tasks.store.credential import credential_path
        from tasks.store.home import current_home

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        started: list[Service] = []
        try:
            started = ui.start_ui(prefect_port=prefect_port, mlflow_port=mlflow_port)
            prefect = started[0]
            pages = [(service.name, service.address) for service in started[:2]]
            if current_home().is_tracking_served:
                # Its server is someone else's: named here, not started, and not ended.
                pages = [pages[0], ("MLflow", current_home().tracking_pages)]
            answer.write("".join(f"{name:<15} {address}\n" for name, address in pages))
            path = shlex.quote(str(credential_path(current_home())))
            answer.write(_HELP.format(address=prefect.address, credential=path))
            answer.flush()
            servers.wait_until_one_ends(started)
        except KeyboardInterrupt:
            sys.stderr.write("Ending all.\n")
        finally:
            # Workers first: a flow run that they end can then still be reported to the server.
            servers.close_all([s for s in started if s.name.startswith("worker")])
            servers.close_all(started)
        return 0

    process.run_verb(work, as_json=False, debug=debug)
