"""Documents of a finished run, forged: every file that a report can show, no model behind it."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from support.documents import make_metadata

from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Plan
from schemas.documents.results import RunRecord, RunStatus
from schemas.spec.optimizer import OptimizerSpec
from schemas.spec.run_spec import RunSpec
from tasks.report.documents import ReportDocuments
from tasks.report.files import RunFiles

HOSTILE = "</script><script>alert(1)</script><!-- <b>x</b> %{y} $a$ & \"q\" 'r' {{ 7*7 }}"
START = "2023-01-02"


def forge_documents(
    n_entities: int = 1,
    channels: tuple[str, ...] = ("tv", "search", "radio"),
    n_periods: int = 120,
    *,
    kpi: dict[str, Any] | None = None,
    verdict: str = "PASS",
    advice: str | None = "follow",
    has_previous: bool = True,
    seed: int = 0,
    leave_out: tuple[str, ...] = (),
    champion: str | None = None,
) -> ReportDocuments:
    """Forge a run with all files but ``leave_out``; ``advice`` None means no plan.

    ``champion`` is the advice of the plan of a champion that the run was compared with.
    """
    rng = np.random.default_rng(seed)
    entities = [f"market_{i}" for i in range(n_entities)] if n_entities > 1 else ["total"]
    spec = RunSpec.model_validate(
        {
            "dataset_id": "brand",
            "kpi": {"name": "sales", **(kpi or {})},
            "channels": [{"name": name, "spend": f"spend_{i}"} for i, name in enumerate(channels)],
        }
    )
    files: dict[str, Any] = {
        "run_spec.json": spec.model_dump(mode="json"),
        "feature_metadata.json": _metadata(spec, entities, n_periods).model_dump(mode="json"),
        "model_metadata.json": _model(spec, entities, channels, n_periods),
        "validation_summary.json": _validation(),
        "diagnostics.json": _diagnostics(verdict),
        "contributions.parquet": _contributions(rng, entities, channels, n_periods),
        "fit_metrics.json": {"mape": 0.03, "rmse": 10.0, "r2": 0.9, "n_observations": n_periods},
    }
    files["fitted.parquet"] = _fitted(rng, files["contributions.parquet"])
    files["contribution_summary.json"] = _summary(files)
    files["roi_metrics.json"] = _returns(rng, spec, files["contribution_summary.json"], channels)
    files["response_curves.json"] = _curves(entities, channels)
    files["channel_effects.json"] = _effects(files, n_periods)
    files["roas_by_entity.parquet"] = _markets(rng, entities, channels)
    files["forecast.parquet"] = _forecast(entities, files["fitted.parquet"])
    files["forecast_actuals.parquet"] = _scored(files["fitted.parquet"])
    if advice is not None:
        files["plan.json"] = _plan(channels, advice).model_dump(mode="json")
    standing = None
    if champion is not None:
        files["stability.json"] = {
            "champion": {
                "name": "brand@7", "run_id": "run-0", "last_period": "2026-11-02", "age_days": 14
            },
            "channels": [],
            "allocation_churn": None,
        }  # fmt: skip
        plan = _plan(channels, champion).model_dump(mode="json")
        standing = RunFiles(_record("run-0", "PASS", day=6), {"plan.json": plan})
    previous = _previous(files, n_periods) if has_previous else None
    kept = {name: file for name, file in files.items() if name not in leave_out}
    record = _record("run-2", verdict, day=20)
    return ReportDocuments(
        run=RunFiles(record, kept),
        digests=dict.fromkeys(kept, "0" * 64),
        previous=previous,
        champion=standing,
    )


def _record(run_id: str, verdict: str, *, day: int) -> RunRecord:
    moment = datetime(2026, 11, day, 6, tzinfo=UTC)
    return RunRecord(
        run_id=run_id, dataset_id="brand", status=RunStatus.OUTPUTS_READY, verdict=verdict,
        snapshot_id="0123456789abcdef", created_at=moment, updated_at=moment,
    )  # fmt: skip


def _dates(n_periods: int) -> pd.DatetimeIndex:
    return pd.date_range(START, periods=n_periods, freq="7D")


def _metadata(spec: RunSpec, entities: list[str], n_periods: int) -> FeatureMetadata:
    dates = _dates(n_periods)
    return make_metadata(
        snapshot_id="0123456789abcdef",
        kpi_kind=spec.kpi.kind,
        has_unit_value=spec.kpi.value_per_unit is not None,
        entities=entities,
        estimation_start=dates[0].date(),
        estimation_end=dates[-1].date(),
        n_estimation_periods=n_periods,
    )


def _model(
    spec: RunSpec, entities: list[str], channels: tuple[str, ...], n_periods: int
) -> dict[str, Any]:
    dates = _dates(n_periods)
    return {
        "model_kind": "mmm",
        "model": spec.model.model_dump(mode="json"),
        "sampler": {**spec.sampler.model_dump(mode="json"), "backend_used": "kernel"},
        "channels": [*channels], "controls": [], "entities": entities,
        "estimation_start": f"{dates[0]:%Y-%m-%d}", "estimation_end": f"{dates[-1]:%Y-%m-%d}",
        "n_parameters": 10, "fingerprint": "f" * 8, "versions": {"pymc": "6.3.2"},
    }  # fmt: skip


def _validation() -> dict[str, Any]:
    finding = {
        "layer": "canonical", "rule": "outlier", "verdict": "REVIEW",
        "message": "brand.csv: 1 value of sales is far out.", "remedy": "Check it.",
    }  # fmt: skip
    layers = {
        "raw": {"verdict": "PASS", "findings": []},
        "canonical": {"verdict": "REVIEW", "findings": [finding]},
    }
    return {
        "verdict": "REVIEW", "file": "brand.csv", "n_rows": 120, "n_entities": 1, "layers": layers
    }  # fmt: skip


def _diagnostics(verdict: str) -> dict[str, Any]:
    def gate(name: str, reported: str, observed: float | None, limit: float) -> dict[str, Any]:
        reason = (
            "" if reported == "PASS" else f"{name} is {observed}, needs {limit}. Sample longer."
        )
        return {
            "gate": name, "verdict": reported, "observed": observed, "pass_limit": limit,
            "review_limit": None, "where": "", "reason": reason,
        }  # fmt: skip

    worst = {"PASS": 1.002, "REVIEW": 1.02, "FAIL": 1.3}[verdict]
    gates = [
        gate("ess_bulk_min", "PASS", 1200.0, 400.0),
        gate("divergence_share", "PASS", 0.0, 0.0),
        gate("r_hat_max", verdict, worst, 1.01),
        gate("brand_new_gate", "NOT_EVALUATED", None, 0.5),
    ]
    return {
        "verdict": verdict,
        "reasons": [g["reason"] for g in gates if g["verdict"] == verdict and g["reason"]],
        "coverage_94": 0.95,
        "prior_driven": [],
        "gates": gates,
        "lift_tests": [],
    }


def _contributions(
    rng: np.random.Generator, entities: list[str], channels: tuple[str, ...], n_periods: int
) -> pd.DataFrame:
    dates = _dates(n_periods)
    season = 40 * np.sin(2 * np.pi * np.arange(n_periods) / 52)
    parts = [("baseline", "baseline", np.full(n_periods, 500.0)), ("season", "seasonality", season)]
    frames = []
    for size, entity in enumerate(entities, start=1):
        media = [
            (name, "channel", rng.gamma(4, 10 + 2 * position, n_periods))
            for position, name in enumerate(channels)
        ]
        for name, kind, values in [*media, *parts]:
            mean = values * size
            frames.append(
                pd.DataFrame(
                    {
                        "entity_id": entity, "period_start": dates, "component": name,
                        "kind": kind, "contribution_mean": mean,
                        "contribution_low": mean - 5, "contribution_high": mean + 5,
                    }
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _fitted(rng: np.random.Generator, contributions: pd.DataFrame) -> pd.DataFrame:
    mean = contributions.groupby(["entity_id", "period_start"], as_index=False)[
        "contribution_mean"
    ].sum()
    table = mean.rename(columns={"contribution_mean": "fitted_mean"})
    table["actual"] = table["fitted_mean"] + rng.normal(0, 15, len(table))
    return table.assign(fitted_low=table["fitted_mean"] - 30, fitted_high=table["fitted_mean"] + 30)


def _summary(files: dict[str, Any]) -> dict[str, dict[str, Any]]:
    table = files["contributions.parquet"]
    whole = files["fitted.parquet"]["actual"].sum()
    return {
        name: {
            "kind": part["kind"].iloc[0],
            "contribution_mean": (total := float(part["contribution_mean"].sum())),
            "contribution_low": 0.8 * total,
            "contribution_high": 1.2 * total,
            "share_mean": total / whole,
            "share_low": 0.8 * total / whole,
            "share_high": 1.2 * total / whole,
        }
        for name, part in table.groupby("component", sort=False)
    }


def _returns(
    rng: np.random.Generator,
    spec: RunSpec,
    summary: dict[str, dict[str, Any]],
    channels: tuple[str, ...],
) -> dict[str, dict[str, Any]]:
    in_money = spec.kpi.kind == "revenue" or spec.kpi.value_per_unit is not None
    rows = {}
    for position, name in enumerate(channels):
        total = summary[name]["contribution_mean"]
        spend = total / float(rng.uniform(0.5, 3))
        roas = total / spend
        row: dict[str, Any] = {
            "spend": spend, "contribution_mean": total, "contribution_low": 0.8 * total,
            "contribution_high": 1.2 * total, "roas_mean": None, "roas_low": None,
            "roas_high": None, "mroas_mean": None, "prior_driven": position == 2,
        }  # fmt: skip
        if in_money:
            row |= {
                "roas_mean": roas, "roas_low": 0.7 * roas, "roas_high": 1.4 * roas,
                "mroas_mean": 0.6 * roas,
            }  # fmt: skip
        if spec.kpi.kind == "count":
            row |= {
                "cost_per_unit_mean": 1 / roas,
                "cost_per_unit_low": 0.7 / roas,
                "cost_per_unit_high": 1.4 / roas,
            }
        rows[name] = row
    return rows


def _effects(files: dict[str, Any], n_periods: int) -> dict[str, Any]:
    """Windows of 13 periods that hold what the tables hold; spend goes with the contribution."""
    table = files["contributions.parquet"]
    media = table[table["kind"] == "channel"].groupby(["component", "period_start"])
    sums = media["contribution_mean"].sum()
    size = min(13, n_periods)
    effects = {}
    for name, row in files["roi_metrics.json"].items():
        series = sums[name]
        windows = []
        for end in range(n_periods, size - 1, -size):
            part = series.iloc[end - size : end]
            total = float(part.sum())
            spend = total * row["spend"] / row["contribution_mean"]
            roas = {f"roas_{e}": row[f"roas_{e}"] for e in ("mean", "low", "high")}
            windows.insert(
                0,
                {
                    "first_period": f"{part.index[0]:%Y-%m-%d}",
                    "last_period": f"{part.index[-1]:%Y-%m-%d}", "spend": spend,
                    "contribution_mean": total, "contribution_low": 0.8 * total,
                    "contribution_high": 1.2 * total, **roas,
                },
            )  # fmt: skip
        effects[name] = {
            "windows": windows[-8:], "immediate_share_mean": 0.5, "immediate_share_low": 0.4,
            "immediate_share_high": 0.6, "within_4_share_mean": 0.9,
        }  # fmt: skip
    return effects


def _curve(size: float) -> dict[str, Any]:
    x = np.linspace(0, 100 * size, 31)
    median = 80 * size * x / (x + 40 * size)
    return {
        "x": x.tolist(), "median": median.tolist(), "low_90": (0.8 * median).tolist(),
        "high_90": (1.25 * median).tolist(), "low_94": (0.7 * median).tolist(),
        "high_94": (1.4 * median).tolist(), "current": 35.0 * size, "observed_low": 5.0 * size,
        "observed_high": 80.0 * size,
    }  # fmt: skip


def _curves(entities: list[str], channels: tuple[str, ...]) -> dict[str, Any]:
    by_entity = {e: _curve(i + 1.0) for i, e in enumerate(entities)} if len(entities) > 1 else {}
    return {
        name: {
            "unit": "spend", **_curve(10.0 + position), "mroas_mean": 0.9, "mroas_low": 0.5,
            "mroas_high": 1.4, "target_return": 1.0, "breakeven": 40.0 * (10 + position),
            "breakeven_where": "inside", "headroom": 5.0, "entities": by_entity,
        }
        for position, name in enumerate(channels)
    }  # fmt: skip


def _markets(
    rng: np.random.Generator, entities: list[str], channels: tuple[str, ...]
) -> pd.DataFrame:
    rows = [
        {
            "entity_id": entity, "channel": name, "spend": 100.0, "contribution_mean": 100 * roas,
            "contribution_low": 80 * roas, "contribution_high": 120 * roas, "roas_mean": roas,
            "roas_low": 0.8 * roas, "roas_high": 1.2 * roas,
        }
        for entity in entities
        for name in channels
        for roas in [float(rng.uniform(0.4, 4))]
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _forecast(entities: list[str], fitted: pd.DataFrame) -> pd.DataFrame:
    last = fitted["period_start"].max()
    starts = pd.date_range(last + pd.Timedelta(days=7), periods=13, freq="7D")
    level = {e: float(part["actual"].mean()) for e, part in fitted.groupby("entity_id")}
    frames = []
    for scope, name, size in [
        *(("entity", e, level[e]) for e in entities),
        ("all", "all", sum(level.values())),
    ]:
        middle = size + 10 * np.arange(13)
        frames.append(
            pd.DataFrame(
                {
                    "scope": scope, "entity_id": name, "period_start": starts,
                    "periods_ahead": np.arange(1, 14), "expected_mean": middle, "kpi_mean": middle,
                    "kpi_p05": middle - 60, "kpi_p25": middle - 25, "kpi_p50": middle,
                    "kpi_p75": middle + 25, "kpi_p95": middle + 60,
                }
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _scored(fitted: pd.DataFrame) -> pd.DataFrame:
    """Four periods forecast by the run before: the last is outside its interval."""
    actual = fitted.groupby("period_start")["actual"].sum().iloc[-4:]
    middle = actual.to_numpy() + np.array([5.0, -5.0, 10.0, 500.0])
    return pd.DataFrame(
        {
            "forecast_run_id": "run-1", "scope": "all", "entity_id": "all",
            "period_start": actual.index, "periods_ahead": [1, 2, 3, 4],
            "actual": actual.to_numpy(), "kpi_mean": middle, "kpi_p05": middle - 60,
            "kpi_p25": middle - 25, "kpi_p50": middle, "kpi_p75": middle + 25,
            "kpi_p95": middle + 60,
        }
    )  # fmt: skip


def _plan(channels: tuple[str, ...], advice: str) -> Plan:
    actions = ("INCREASE", "REDUCE", "HOLD")
    factors = {"INCREASE": 1.3, "REDUCE": 0.7, "HOLD": 1.0}
    rows = {}
    for position, name in enumerate(channels):
        action = actions[position % 3] if advice == "follow" else "HOLD"
        found = 1000.0 * factors[actions[position % 3]]
        rows[name] = {
            "current": 1000.0, "planned": 1000.0 * factors[action], "candidate": found,
            "low": 700.0, "high": 1300.0, "action": action,
            "reason": f"The next unit of money on {name} returns 1.2.",
            "mroas_mean": 1.2, "mroas_low": 0.8, "mroas_high": 1.7, "mroas_candidate_mean": 1.0,
            "incremental_current_mean": 900.0, "incremental_candidate_mean": 950.0,
            "prob_raise": 0.9, "prior_driven": position == 2, "observed_low": 0.0,
            "observed_high": 2000.0, "is_beyond_observed": False,
        }  # fmt: skip
    total = 1000.0 * len(channels)
    return Plan.model_validate(
        {
            "scenario_id": "s1", "name": "weekly", "created_at": "2026-11-20T06:00:00Z",
            "dataset_ids": ["brand"],
            "models": [
                {
                    "dataset_id": "brand", "run_id": "run-2", "snapshot_id": "0" * 16,
                    "model_version": 1, "weight": 1.0,
                }
            ],
            "advice": advice, "reason": "P(gain > 0) is 95 %, at or above the threshold of 90 %.",
            "utility": "mean", "unit": "money", "kpi_name": "sales", "return_word": "ROAS",
            "first_period": "2025-04-21", "last_period": "2025-07-14", "horizon": 13,
            "budget": total, "current_budget": total, "target": None, "gain_mean": 123.0,
            "gain_low": -10.0, "gain_high": 260.0, "gain_low_90": 0.0, "gain_high_90": 240.0,
            "prob_gain": 0.95, "expected_regret": 2.0, "perfect_information": None,
            "change_mean": 123.0, "change_low": -10.0, "change_high": 260.0,
            "incremental_mean": 2800.0, "incremental_low": 2000.0, "incremental_high": 3600.0,
            "return_mean": 0.93, "last_money_mean": 0.6, "last_money_low": 0.4,
            "last_money_high": 0.8, "channels": rows, "groups": [],
            "not_planned": {"email": "it has no spend column"},
            "certificate": {
                "method": "slsqp", "n_starts": 16, "n_agree": 16, "agree_share": 1.0,
                "best_utility": 1.0, "worst_utility": 1.0, "n_failed": 0,
            },
            "flags": ["search ends at its upper bound, which decides the plan."],
            "allocation": [], "settings": OptimizerSpec().model_dump(mode="json"),
        }
    )  # fmt: skip


def _previous(files: dict[str, Any], n_periods: int) -> RunFiles:
    """The run before: one period shorter, one KPI value restated since, the first ROAS far off."""
    fitted = files["fitted.parquet"]
    last = _dates(n_periods)[-1]
    then = fitted[fitted["period_start"] < last].reset_index(drop=True).copy()
    then.loc[0, "actual"] += 1.0
    roi = {name: dict(row) for name, row in files["roi_metrics.json"].items()}
    first = next(iter(roi.values()))
    for key, value in first.items():
        if key.startswith(("roas", "cost_per_unit")) and value is not None:
            first[key] = 3 * value
    spec = {**files["run_spec.json"], "sampler": {**files["run_spec.json"]["sampler"], "tune": 500}}
    return RunFiles(
        _record("run-1", "REVIEW", day=13),
        {
            "run_spec.json": spec,
            "diagnostics.json": {"verdict": "REVIEW", "reasons": []},
            "roi_metrics.json": roi,
            "fitted.parquet": then,
            **({"plan.json": files["plan.json"]} if "plan.json" in files else {}),
        },
    )


def forge_graph(**changed: Any) -> dict[str, Any]:
    """Return ``causal_graph.json`` of three nodes, one of them with a hostile name."""
    edge = {
        "status": "found", "correlation": 0.4, "p_value": 0.008, "strength": 4.0, "n_placebos": 120,
    }  # fmt: skip
    ends = {
        f"{stem}_{end}": 10.0 for stem in ("direct", "total") for end in ("mean", "low", "high")
    }
    return {
        "false_edge_rate": 0.05,
        "nodes": [
            {"name": "tv", "role": "channel"},
            {"name": HOSTILE, "role": "channel"},
            {"name": "sales", "role": "kpi"},
        ],
        "edges": [
            {"source": "tv", "target": "sales", **edge, "gate_mean": 0.9},
            {"source": "tv", "target": HOSTILE, **edge},
            {"source": HOSTILE, "target": "tv", **edge, "status": "not_found", "p_value": 0.5},
        ],
        "channels": {"tv": {**ends, "through": [HOSTILE]}, HOSTILE: {**ends, "through": []}},
        "rmse_own": 3.0, "rmse_naive": 5.0, "rmse_ridge": 2.0, "n_scored_periods": 39,
        "abstains": True, **changed,
    }  # fmt: skip
