"""What a check does not need is left for whoever uses it first."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from flows import engines
engines.import_for_check()
left = [name for name in ("altair.vegalite", "scipy.stats._stats_py") if name in sys.modules]
assert not left, left
from pathlib import Path
from flows.check_data import check_data
from tasks.query.runs import load_spec
root = Path(sys.argv[1])
checked = check_data(load_spec(root / "run_spec.yaml"), str(root / "panel.csv"))
assert checked.n_rows == 156, checked
left = [name for name in ("altair.vegalite", "scipy.stats._stats_py") if name in sys.modules]
assert not left, left
from scipy import stats
import altair
print(stats.norm.cdf(0), altair.Chart.__name__)
"""


def test_a_check_runs_without_what_draws_and_what_tests_distributions(home):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ROOT / "data" / "demo"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["0.5", "Chart"]
