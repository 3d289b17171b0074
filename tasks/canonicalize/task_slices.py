"""Data of a backtest: what was known at past dates, frozen beside the run; nothing is accepted."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.answers.backtest import BacktestPlan, Candidate, Slice, SlicedData
from schemas.documents.data import ColumnInfo
from schemas.documents.restatements import HistoryChange
from schemas.errors import DataContractError, SpecError
from schemas.names import PERIOD_COLUMN, Artifact
from schemas.refs import SnapshotRef, StepKey
from schemas.spec.backtest import BacktestRequest
from schemas.spec.roles import ColumnRoles
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.content_id import snapshot_id_of
from tasks.canonicalize.describe import describe_columns, describe_panel
from tasks.canonicalize.panel_rules import ModelPanel, shape_panel
from tasks.canonicalize.slices import place_origins
from tasks.canonicalize.task_known import read_known
from tasks.mathematics.calendar import next_start
from tasks.store.files.artifacts import write_document, write_parquet
from tasks.store.home import Home, current_home
from tasks.store.runs.resume import fit_dir, resumable
from tasks.store.warehouse import connection, restatements


@task(name="plan-slices", cache_policy=NO_CACHE, timeout_seconds=600)
def plan_slices(request: BacktestRequest, candidates: list[Candidate]) -> BacktestPlan:
    """Choose the dates of a backtest: the newest is the last whose horizon has happened.

    Raises
    ------
    SpecError
        If the candidates are of several datasets or KPIs.
    DataContractError
        If there are no data, or not enough history before the first date.
    """
    first = candidates[0].spec
    names, specs = [c.name for c in candidates], [c.spec for c in candidates]
    _require_one("dataset_id", names, [spec.dataset_id for spec in specs])
    _require_one("KPI", names, [f"{spec.target_col} ({spec.kpi.kind})" for spec in specs])
    known = _known(current_home(), candidates[0], date.max, date.max - timedelta(days=400))
    if known is None:
        raise DataContractError(
            f"No data yet for dataset {first.dataset_id!r}; `mmm refit --data FILE` lands them."
        )
    starts = sorted(set(known.shaped.wide[PERIOD_COLUMN].dt.date))
    origins = place_origins(starts, request)
    slices = [
        Slice(number=number, origin=origin, as_of=next_start(origin, known.shaped.grain))
        for number, origin in enumerate(origins)
    ]
    asked = {
        "candidates": [c.model_dump(mode="json") for c in candidates],
        "slices": [s.model_dump(mode="json") for s in slices],
        "horizon": request.horizon,
    }
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
    return BacktestPlan(
        dataset_id=first.dataset_id,
        kpi_name=known.roles.kpi_name,
        steps=f"backtest-{first.dataset_id}-{digest}",
        candidates=candidates,
        slices=slices,
        horizon=request.horizon,
        step=request.step,
    )


@task(name="freeze-slice", cache_policy=NO_CACHE, timeout_seconds=600)
def freeze_slice(key: StepKey, candidate: Candidate, at: Slice) -> SlicedData:
    """Freeze what a candidate is given at a date, as a snapshot that is no one's history.

    Where the warehouse knew the periods up to the date on its day, these values; else today's,
    cut at the date.

    Raises
    ------
    DataContractError
        If the warehouse has no data of the date for this spec.
    """
    home = current_home()
    known = _known(home, candidate, at.as_of, at.as_of)
    as_known = known is not None and known.last == at.origin
    if known is None or not as_known:
        known = _known(home, candidate, date.max, at.as_of)
    if known is None or known.last != at.origin:
        raise DataContractError(
            f"{candidate.name}: there are no data of {at.origin}; fit what the warehouse knows "
            "with this spec once (`mmm refit`), and look at the roles that it gives columns."
        )
    snapshot = _freeze(home, key, known, candidate, at)
    return SlicedData(slice=at, snapshot=snapshot, as_known=as_known)


@task(name="freeze-newest", cache_policy=NO_CACHE, timeout_seconds=600)
@resumable
def freeze_newest(key: StepKey, spec: RunSpec) -> SnapshotRef:
    """Freeze all that is known today, as a snapshot that is no one's history.

    Raises
    ------
    DataContractError
        If the warehouse has no data of the dataset.
    """
    home, candidate = current_home(), Candidate(name=spec.dataset_id, spec=spec)
    known = _known(home, candidate, date.max, date.max - timedelta(days=400))
    if known is None or known.last is None:
        raise DataContractError(
            f"No data yet for dataset {spec.dataset_id!r}; `mmm refit --data FILE` lands them."
        )
    origin = known.last
    at = Slice(number=0, origin=origin, as_of=next_start(origin, known.shaped.grain))
    return _freeze(home, key, known, candidate, at)


class _Known(NamedTuple):
    """A panel as the warehouse knew it."""

    roles: ColumnRoles
    shaped: ModelPanel
    history: HistoryChange

    @property
    def last(self) -> date | None:
        """Start of its last period; None without any."""
        starts = self.shaped.wide[PERIOD_COLUMN]
        return starts.max().date() if len(starts) else None


def _known(home: Home, candidate: Candidate, knowledge: date, cut: date) -> _Known | None:
    """Return what was known on a day of the periods that had ended on another one."""
    spec = candidate.spec
    with connection.reading(home, spec.dataset_id) as con:
        known = read_known(con, spec, knowledge)
        if known is None:
            return None
        history = restatements.describe_history(
            con, dataset_id=spec.dataset_id, batch_id=None, accepted=False, as_of=knowledge
        )
    return _Known(known.roles, shape_panel(known.panel, known.roles, spec, cut), history)


def _require_one(what: str, names: Sequence[str], values: Sequence[str]) -> None:
    if len(set(values)) > 1:
        pairs = zip(names, values, strict=True)
        listed = "; ".join(f"{name}: {value}" for name, value in pairs)
        raise SpecError(
            f"The specs differ in {what}, so their scores could not be compared: {listed}. Give "
            f"specs of one {what}."
        )


def _freeze(
    home: Home, key: StepKey, known: _Known, candidate: Candidate, at: Slice
) -> SnapshotRef:
    folder, spec, shaped, roles = fit_dir(home, key), candidate.spec, known.shaped, known.roles
    info = ColumnInfo.model_validate(
        {
            "file": None,
            "batch_id": None,
            "as_of": at.as_of.isoformat(),
            "history": known.history.model_dump(mode="json"),
            **describe_panel(shaped, roles, spec),
            "columns": describe_columns(shaped.known, None, roles),
        }
    )
    return SnapshotRef(
        dataset_id=spec.dataset_id,
        snapshot_id=snapshot_id_of(shaped.wide, shaped.grain),
        wide=write_parquet(home, folder / Artifact.CANONICAL_DATA, shaped.wide),
        column_info=write_document(home, folder / Artifact.COLUMN_INFO, info),
        grain=shaped.grain,
        as_of=at.as_of,
    )
