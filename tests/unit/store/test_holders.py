"""Who waits for a lock is told who holds it, also when the holder is stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import ResourceUnavailableError
from tasks.store.holders import held

CHECKOUT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from tasks.store.holders import held
with held(Path(sys.argv[1]), what="It", wait_seconds=1):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_stopped_holder_is_named(tmp_path):
    path = tmp_path / "x.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        os.kill(process.pid, signal.SIGSTOP)
        match = rf"(?s)It is locked .*process {process.pid} \(python.*since 20.*which is stopped"
        with (
            pytest.raises(ResourceUnavailableError, match=match),
            held(path, what="It", wait_seconds=0.3),
        ):
            pass
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with held(path, what="It", wait_seconds=5):
        assert path.with_name("x.lock.holder").exists()
    assert not path.with_name("x.lock.holder").exists()
