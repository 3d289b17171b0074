"""A temporary home and the way of a file through it, without a Prefect server."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from schemas.refs import StepKey
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.task import canonicalize_batch, refuse_batch, take_snapshot
from tasks.ingest.task import ingest_file
from tasks.store.home import current_home
from tasks.validate.task import validate_canonical, validate_raw

HEADER = "entity_id,period_start,sales,act_tv,spend_tv,ctrl_price"


def panel_lines(n_periods=60, entities=("north",), first=date(2023, 1, 2), step=7):
    lines = [HEADER]
    for e, entity in enumerate(entities):
        for t in range(n_periods):
            day = first + timedelta(days=step * t)
            tv = (t * 37 + e) % 11 + 1
            lines.append(
                f"{entity},{day},{1000 + 13 * ((t * 7) % 17)},{tv},{tv * 2.5},{10 + t % 3}"
            )
    return lines


KEY = StepKey(run_id="run1")


@dataclass
class World:
    key = KEY
    folder: Path
    spec: RunSpec

    def write(self, content, name="panel.csv"):
        path = self.folder / name
        if isinstance(content, list):
            content = "\n".join(content) + "\n"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def with_spec(self, **changes):
        return World(self.folder, RunSpec.model_validate({"dataset_id": "shop", **changes}))

    @property
    def run_dir(self):
        return current_home().run_dir(KEY.run_id)

    def ingest(self, content, name="panel.csv"):
        return ingest_file.fn(self.write(content, name), self.spec)

    def raw(self, content, name="panel.csv"):
        return validate_raw.fn(KEY, self.ingest(content, name), self.spec)

    def candidate(self, content, as_of=date(2025, 1, 1)):
        batch = None if content is None else self.ingest(content)
        return canonicalize_batch.fn(KEY, batch, self.spec, as_of)

    def canonical(self, content, as_of=date(2025, 1, 1)):
        return validate_canonical.fn(KEY, self.candidate(content, as_of), self.spec)

    def snapshot(self, content, as_of=date(2025, 1, 1)):
        return take_snapshot.fn(KEY, self.candidate(content, as_of), self.spec, as_of)

    def refuse(self, batch):
        refuse_batch.fn(batch)


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("MMM_HOME", str(tmp_path / "home"))
    (tmp_path / "in").mkdir()
    return World(tmp_path / "in", RunSpec(dataset_id="shop"))


@pytest.fixture
def lines():
    return panel_lines
