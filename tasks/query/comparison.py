"""Runs of any kinds side by side: what each says, and what differs in what they were made of."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.answers.comparison import (
    ChannelInComparison,
    CurveInComparison,
    Difference,
    ForecastFigures,
    PlanFigures,
    RunInComparison,
    RunsCompared,
)
from schemas.answers.runs import RunDetail
from schemas.documents.effects import ResponseCurves
from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Plan
from schemas.errors import CorruptArtifactError, SpecError
from schemas.names import Artifact, ForecastScope
from tasks.query.documents import find_document
from tasks.query.runs import describe_run
from tasks.store.home import Home, current_home
from tasks.store.runs.champions import find_champion
from tasks.store.runs.digests import require_unchanged
from tasks.store.warehouse.runs import read_run
from tasks.store.warehouse.scores import read_scores

if TYPE_CHECKING:
    import pandas as pd

_READ = (
    Artifact.RUN_SPEC, Artifact.FEATURE_METADATA, Artifact.PLAN, Artifact.RESPONSE_CURVES,
    Artifact.ROI_METRICS, Artifact.FIT_METRICS, Artifact.DIAGNOSTICS,
)  # fmt: skip


class _Opened(NamedTuple):
    """What one run left behind; None where it did not."""

    detail: RunDetail
    spec: Mapping[str, Any] | None
    metadata: FeatureMetadata | None
    plan: Plan | None
    curves: ResponseCurves | None


def compare_any_runs(run_ids: Sequence[str]) -> RunsCompared:
    """Return runs of one dataset side by side, whatever their kinds.

    Parameters
    ----------
    run_ids
        Two or more.

    Raises
    ------
    SpecError
        If there are fewer than two, one is named twice, or they are of several datasets or KPIs.
    UnknownRunError
        Naming the nearest run id.
    CorruptArtifactError
        If a file of a run is not whole, or was changed after it was published.
    """
    _require_several(run_ids)
    home = current_home()
    _require_one("dataset", {run_id: read_run(home, run_id).dataset_id for run_id in run_ids})
    opened = [_open(home, run_id) for run_id in run_ids]
    kpis = {run.detail.run_id: _kpi(run) for run in opened if run.spec is not None}
    _require_one("KPI", {run_id: kpi for run_id, kpi in kpis.items() if kpi is not None})
    dataset_id = opened[0].detail.dataset_id
    champion, scores = find_champion(home, dataset_id), read_scores(home, dataset_id)
    snapshots = {run.detail.snapshot_id for run in opened}
    kpi_names = [run.metadata.kpi_column for run in opened if run.metadata is not None]
    return RunsCompared(
        dataset_id=dataset_id,
        kpi_name=kpi_names[0] if kpi_names else None,
        same_snapshot=len(snapshots) == 1 and None not in snapshots,
        runs=[
            _describe(run, scores, champion_run=champion.run_id if champion else None)
            for run in opened
        ],
        channels=_by_channel({run.detail.run_id: dict(_channels(run)) for run in opened}),
        curves=_by_channel({run.detail.run_id: dict(_curves(run)) for run in opened}),
        differences=list(_differences(opened)),
    )


def _require_several(run_ids: Sequence[str]) -> None:
    if len(run_ids) < 2:
        raise SpecError("Name at least two runs to compare; `mmm runs` lists them.")
    twice = sorted({run_id for run_id in run_ids if run_ids.count(run_id) > 1})
    if twice:
        raise SpecError(f"To compare: run {', '.join(twice)} is named twice; name each once.")


def _require_one(what: str, of_runs: Mapping[str, str]) -> None:
    """Raise if runs differ in what makes their numbers comparable."""
    if len(set(of_runs.values())) > 1:
        named = "; ".join(f"{run_id} is of {value}" for run_id, value in of_runs.items())
        raise SpecError(
            f"The runs are of several {what}s, whose numbers cannot be compared: "
            f"{named}. Name runs of one {what}."
        )


def _open(home: Home, run_id: str) -> _Opened:
    folder = home.run_dir(run_id)
    require_unchanged(folder, _READ)
    return _Opened(
        detail=describe_run(run_id),
        spec=_read_spec(folder / Artifact.RUN_SPEC),
        metadata=find_document(folder, Artifact.FEATURE_METADATA, FeatureMetadata),
        plan=find_document(folder, Artifact.PLAN, Plan),
        curves=find_document(folder, Artifact.RESPONSE_CURVES, ResponseCurves),
    )


def _read_spec(path: Path) -> Mapping[str, Any] | None:
    """Return a run spec as it was written: one of an earlier version may not pass today's rules."""
    if not path.is_file():
        return None
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorruptArtifactError(f"{path} is not whole; restore it from MLflow.") from error
    if not isinstance(spec, dict):
        raise CorruptArtifactError(f"{path} is no run spec; restore it from MLflow.")
    return spec


def _kpi(run: _Opened) -> str | None:
    """Return what is explained and what it counts, as far as numbers depend on it."""
    spec = run.spec or {}
    kpi = spec.get("kpi") or {}
    counted = kpi.get("kind", "revenue")
    return f"{spec.get('target_col')} ({counted})" if "target_col" in spec else None


def _describe(run: _Opened, scores: "pd.DataFrame", *, champion_run: str | None) -> RunInComparison:
    detail, metadata, plan = run.detail, run.metadata, run.plan
    return RunInComparison(
        run_id=detail.run_id,
        status=detail.status,
        verdict=detail.verdict,
        reasons=detail.reasons or ([detail.reason] if detail.reason else []),
        created_at=detail.created_at,
        model_version=detail.model_version,
        is_champion=detail.run_id == champion_run,
        model_kind=metadata.model_kind if metadata else None,
        snapshot_id=detail.snapshot_id,
        estimation_start=metadata.estimation_start if metadata else None,
        estimation_end=metadata.estimation_end if metadata else None,
        fit=detail.fit,
        forecasts=dict(_score(scores[scores["forecast_run_id"] == detail.run_id])),
        plan=PlanFigures(**{name: getattr(plan, name) for name in PlanFigures.model_fields})
        if plan
        else None,
    )


def _score(scores: "pd.DataFrame") -> Iterator[tuple[str, ForecastFigures]]:
    """Mean scores of one run by basis, all entities together."""
    together = scores[scores["scope"] == ForecastScope.ALL]
    for basis, rows in together.groupby("basis", sort=True):
        crps, mape = rows["crps"].mean(), rows["ape"].mean()
        yield (
            str(basis),
            ForecastFigures(
                n=len(rows),
                crps=_or_none(crps),
                mape=_or_none(mape),
                coverage_50=float(rows["in_50"].mean()),
                coverage_90=float(rows["in_90"].mean()),
            ),
        )


def _channels(run: _Opened) -> Iterator[tuple[str, ChannelInComparison]]:
    planned = run.plan.channels if run.plan else {}
    for name, row in run.detail.roas.items():
        plan = planned.get(name)
        own = {n: getattr(row, n) for n in ChannelInComparison.model_fields if hasattr(row, n)}
        yield (
            name,
            ChannelInComparison(
                **own,
                current=plan.current if plan else None,
                candidate=plan.candidate if plan else None,
                action=plan.action if plan else None,
            ),
        )


def _curves(run: _Opened) -> Iterator[tuple[str, CurveInComparison]]:
    for name, curve in run.curves.items() if run.curves else ():
        fields = {n: getattr(curve, n) for n in CurveInComparison.model_fields}
        yield name, CurveInComparison(**fields)


def _by_channel[Row](by_run: Mapping[str, Mapping[str, Row]]) -> dict[str, dict[str, Row]]:
    names = dict.fromkeys(name for rows in by_run.values() for name in rows)
    return {
        name: {run_id: rows[name] for run_id, rows in by_run.items() if name in rows}
        for name in names
    }


def _differences(opened: Sequence[_Opened]) -> Iterator[Difference]:
    flat = {run.detail.run_id: dict(_flatten(run.spec)) for run in opened if run.spec is not None}
    for key in sorted({key for leaves in flat.values() for key in leaves}):
        values = {run_id: leaves.get(key) for run_id, leaves in flat.items()}
        written = {json.dumps(value, sort_keys=True) for value in values.values()}
        if len(written) > 1:
            yield Difference(key=key, values=values)


def _flatten(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a document by dotted path; a list of named things by the names."""
    for key, value in document.items():
        path = f"{prefix}{key}"
        if isinstance(value, list) and value and all(_is_named(entry) for entry in value):
            value = {str(entry["name"]): entry for entry in value}
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{path}.")
        else:
            yield path, value


def _is_named(entry: Any) -> bool:
    return isinstance(entry, dict) and "name" in entry


def _or_none(value: float) -> float | None:
    return float(value) if value == value and abs(value) != float("inf") else None
