"""Two weekly refits of the demo, small enough for a test: the week before, and this week."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from support.brief import LENIENT_GATES

from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "panel.csv"
DATASET = "acme"
SPEC = {
    "dataset_id": DATASET,
    "sampler": {"draws": 400, "tune": 300, "chains": 2, "escalation": {"max_retries": 1}},
    "gates": LENIENT_GATES,
}
BEFORE, GOOD, REFUSED = "the week before", "a good week", "a refused file"
"""The file that made the champion, the next one, and the next one with a KPI that is no number."""
UNEXPLAINED = "a champion without a file"
"""The next file, in a home where the change since the champion cannot be explained."""
SCENARIOS = (GOOD, REFUSED, UNEXPLAINED)
"""Together they call every task of the flow."""


def write_weeks(folder: Path) -> dict[str, Path]:
    """Write the files of all weeks into ``folder``."""
    panel = pd.read_csv(DEMO, dtype=str)
    files = {
        BEFORE: panel.iloc[:-1],
        GOOD: panel,
        REFUSED: panel.assign(sales=["-", *panel["sales"][1:]]),
        UNEXPLAINED: panel,
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name.replace(' ', '_')}.csv" for name in files}
    for name, rows in files.items():
        rows.to_csv(paths[name], index=False)
    return paths


def ask(
    data: Path, *, weeks_later: int = 1, dataset_id: str = DATASET, **model: Any
) -> RefitRequest:
    """Ask for a refit as of the demo's last period, or so many weeks later.

    ``model`` changes the block of that name.
    """
    last = date.fromisoformat(pd.read_csv(DEMO)["period_start"].iloc[-1])
    changed = {"dataset_id": dataset_id, "model": {**SPEC.get("model", {}), **model}}
    spec = RunSpec.model_validate({**SPEC, **changed})
    return RefitRequest(spec=spec, data=str(data), as_of=last + timedelta(weeks=weeks_later))
