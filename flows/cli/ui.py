"""The verb that serves: ``mmm ui``."""

import shlex
import signal
import sys
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from flows.cli import process
from flows.cli.options import DebugOption
from flows.cli.serve import API_PORT

if TYPE_CHECKING:
    from flows.services.servers import Service

PREFECT_PORT = 4200
MLFLOW_PORT = 5000

_HELP = """\
Runs that are due are made here, as long as this runs. To start one now:
  in the browser   {address}/deployments, a deployment, Run
  on a console     PREFECT_API_URL={address}/api PREFECT_API_AUTH_STRING="$(cat {credential})" \\
                   prefect deployment run scheduled-refit/refit-weekly
Prefect and MLflow ask for this home's credential, once per browser. It is the one line of
  {credential}
which only this user can read: copy it from an editor, or `xclip -sel clip < FILE`, `pbcopy < FILE`.
Prefect takes the whole line; for MLflow the name is what stands before the colon.
Refits of this home appear in all of them. What the services print is in {logs}. Ctrl-C ends all.
"""


def ui(
    app_port: Annotated[int, typer.Option("--app-port", min=1, max=65535)] = API_PORT,
    prefect_port: Annotated[int, typer.Option("--prefect-port", min=1, max=65535)] = PREFECT_PORT,
    mlflow_port: Annotated[int, typer.Option("--mlflow-port", min=1, max=65535)] = MLFLOW_PORT,
    debug: DebugOption = False,
) -> None:
    """Start the web app, Prefect, MLflow and a worker on 127.0.0.1; Ctrl-C ends all."""

    def work(answer: TextIO) -> int:
        from flows.services import servers, ui
        from flows.services.service_logs import log_folder
        from tasks.store.credential import credential_path
        from tasks.store.home import current_home

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        started: list[Service] = []
        try:
            started = ui.start_ui(
                prefect_port=prefect_port, mlflow_port=mlflow_port, app_port=app_port
            )
            prefect = started[0]
            named = {service.name: service.address for service in started}
            # A server of MLflow that is someone else's is named here, not started, and not ended.
            tracking = named.get("MLflow UI", current_home().tracking_pages)
            pages = [
                ("open this", named["web app"]),
                (prefect.name, prefect.address),
                ("MLflow", tracking),
            ]
            answer.write("".join(f"{name:<15} {address}\n" for name, address in pages))
            path = shlex.quote(str(credential_path(current_home())))
            logs = shlex.quote(str(log_folder()))
            answer.write(_HELP.format(address=prefect.address, credential=path, logs=logs))
            answer.flush()
            servers.wait_until_one_ends(started)
        except KeyboardInterrupt:
            sys.stderr.write("Ending all.\n")
        finally:
            # What runs flows first: a run that ends with it can still be reported to the server.
            at_work = ("worker", "web app")
            servers.close_all([s for s in started if s.name.startswith(at_work)])
            servers.close_all(started)
        return 0

    process.run_verb(work, as_json=False, debug=debug)
