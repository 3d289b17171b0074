"""A refit that never begins is reported, too: nobody reads a terminal on Monday at six."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.receivers import receiving

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("spec", "dataset_id", "reason"),
    [
        ("dataset_id: demo\ndata: late.csv\n", "demo", "late.csv does not exist"),
        ("dataset_id: demo\nchanels: []\n", None, "chanels: unknown key"),
        (None, None, "spec.yaml does not exist"),
    ],
)
def test_a_missing_file_or_a_wrong_spec_is_reported(tmp_path, spec, dataset_id, reason):
    if spec:
        (tmp_path / "spec.yaml").write_text(spec)
    with receiving() as receiver:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli.app", "refit", "--spec", str(tmp_path / "spec.yaml")],
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(CHECKOUT),
                "MMM_HOME": str(tmp_path / "home"),
                "MMM_WEBHOOK_URL": receiver.url,
                "HOME": str(tmp_path),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2, done.stderr
    assert len(receiver.bodies) == 1
    notice = receiver.bodies[0]
    assert (notice["kind"], notice["dataset_id"]) == ("failure", dataset_id)
    assert reason in notice["reasons"][0]
