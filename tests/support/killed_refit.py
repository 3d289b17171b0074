"""Run one refit in this process and kill it with SIGKILL at a chosen moment.

Called as a program: ``python killed_refit.py SPEC MOMENT STEP``. ``MOMENT`` is ``before`` or
``after`` a task, or ``inside`` a write of the file that ``STEP`` names: the bytes are on the disk
then, under a temporary name. ``STEP`` ``none`` kills nothing.
"""

import functools
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tasks.store.home import configure_environment

configure_environment()

from flows import services  # noqa: E402

SERVICE = services.start_ephemeral_api()

from flows import refit_weekly as flow_module  # noqa: E402
from schemas.run_spec import RefitRequest  # noqa: E402
from tasks.store import artifacts  # noqa: E402
from tasks.store.spec_file import data_path, read_run_spec  # noqa: E402


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm_task(name: str, moment: str) -> None:
    """Kill before or after a task of the flow."""
    step = getattr(flow_module, name)

    @functools.wraps(step.fn if hasattr(step, "fn") else step)
    def deadly(*args, **kwargs):
        if moment == "before":
            die()
        found = step(*args, **kwargs)
        die()
        return found

    if hasattr(step, "with_options"):
        deadly.with_options = lambda **_: deadly
    setattr(flow_module, name, deadly)


def arm_write(name: str) -> None:
    """Kill when a file of that name has been written, but not renamed into place."""
    digest = artifacts.sha256_of

    def deadly(path: Path) -> str:
        if name in path.name and path.name.endswith(".partial"):
            die()
        return digest(path)

    artifacts.sha256_of = deadly


def main(spec_path: str, moment: str, step: str) -> None:
    if moment in {"before", "after"} and step != "none":
        arm_task(step, moment)
    elif moment == "inside":
        arm_write(step)
    services.require_prefect_api(SERVICE)
    spec = read_run_spec(Path(spec_path))
    data = data_path(spec, spec_path=Path(spec_path), override=None)
    flow_module.refit_weekly(RefitRequest(spec=spec, data=str(data)))


if __name__ == "__main__":
    main(*sys.argv[1:])
