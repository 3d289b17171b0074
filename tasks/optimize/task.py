"""Plan spend: read draws and panels, call, write. Logic: ``tasks.optimize.planning``."""

import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.effects import EvidenceClass, RoiMetrics
from schemas.documents.plan import PlanModel, PlannedModel, PlanRequest
from schemas.errors import SpecError
from schemas.names import Artifact
from schemas.refs import PlanRef, PlanSource, StepKey, WeeklyPlan
from schemas.spec.optimizer import OptimizerSpec, PlanBounds
from tasks.store.files.artifacts import read_document, read_netcdf, write_json
from tasks.store.files.fits import read_features
from tasks.store.home import Home, current_home
from tasks.store.runs.resume import resumable

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from schemas.documents.plan import Plan
    from tasks.optimize.outcome import PlannedFit

log = logging.getLogger(__name__)


@task(name="plan-spend", cache_policy=NO_CACHE, timeout_seconds=1800)
def plan_spend(
    sources: list[PlanSource], request: PlanRequest, scenario_id: str, folder: str
) -> PlanRef:
    """Write ``plan.json`` into ``folder``: the plan of one or several models.

    Sources are in the order of ``request.models``.

    Raises
    ------
    SpecError
        If bounds, budget or target cannot be met, or a channel or entity is unknown.
    """
    plan, _ = _write_plan(sources, request, scenario_id, folder)
    return plan


@task(name="plan-week", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def plan_week(key: StepKey, source: PlanSource) -> WeeklyPlan:
    """Write the plan of a refit: as much money as today, by the settings of its spec.

    A plan that cannot be made, for want of spend or because bounds exclude each other, is
    reported, and does not fail a good fit.
    """
    model = PlannedModel(dataset_id=source.spec.dataset_id, run_id=source.run_id)
    seed = source.spec.sampler.random_seed
    request = PlanRequest(models=[model], random_seed=seed)
    try:
        folder = str(current_home().run_dir(key.run_id))
        plan, reason = _write_plan([source], request, key.run_id, folder)
    except SpecError as error:
        log.warning("no plan: %s", error)
        return WeeklyPlan(plan=None, note=str(error))
    return WeeklyPlan(plan=plan, note=reason)


def _write_plan(
    sources: list[PlanSource], request: PlanRequest, scenario_id: str, folder: str
) -> tuple[PlanRef, str]:
    """Plan, write, and return the reference with the reason of the advice."""
    from tasks.optimize.planning import make_plan

    home = current_home()
    settings = request.settings or sources[0].spec.optimizer
    plan = make_plan(
        _open_fits(home, sources, request, settings),
        request,
        settings,
        scenario_id=scenario_id,
        created_at=datetime.now(UTC),
    )
    log.info("planned %d channels: %s, P(gain > 0) %.2f", len(plan.channels), plan.advice,
             plan.prob_gain)  # fmt: skip
    ref = PlanRef(
        scenario_id=scenario_id,
        advice=plan.advice,
        file=write_json(home, Path(folder) / Artifact.PLAN, plan.model_dump(mode="json")),
        metrics=_metrics(plan),
    )
    return ref, plan.reason


def _open_fits(
    home: Home, sources: list[PlanSource], request: PlanRequest, settings: OptimizerSpec
) -> "list[PlannedFit]":
    from tasks.models.quantities import pick_draws

    trees = [read_netcdf(home, source.posterior) for source in sources]
    sizes = [tree["posterior"].sizes for tree in trees]
    n_draws = min(settings.n_draws, *(size["chain"] * size["draw"] for size in sizes))
    return [
        _open_fit(home, source, tree, partial(pick_draws, n_draws=n_draws, seed=place or None),
                  weight=model.weight)
        for place, (source, tree, model) in enumerate(
            zip(sources, trees, request.models, strict=True)
        )
    ]  # fmt: skip


def _open_fit(
    home: Home,
    source: PlanSource,
    tree: "xr.DataTree",
    select: "Callable[[xr.Dataset], xr.Dataset]",
    *,
    weight: float,
) -> "PlannedFit":
    from tasks.models.opening import open_fit
    from tasks.optimize.outcome import PlannedFit

    fit = open_fit(tree, read_features(home, source.features), select)
    returns = read_document(home, source.roi_metrics, RoiMetrics)
    return PlannedFit(
        model=fit.model,
        panel=fit.panel,
        metadata=fit.metadata,
        prior_driven=[name for name, row in returns.items() if row.prior_driven],
        # Runs from before there was evidence have none against a channel.
        unclear=[name for name, row in returns.items() if row.evidence is EvidenceClass.UNCLEAR],
        confounded=[
            name for name, row in returns.items() if row.evidence is EvidenceClass.CONFOUNDED
        ],
        about=PlanModel(
            dataset_id=source.spec.dataset_id,
            run_id=source.run_id,
            snapshot_id=source.snapshot_id,
            model_version=source.model_version,
            weight=weight,
            against=source.against,
        ),
        bounds=_stated_bounds(source),
    )


def _stated_bounds(source: PlanSource) -> PlanBounds:
    channels = {c.name: c.bounds for c in source.spec.channels or [] if c.bounds is not None}
    return PlanBounds(channels=channels, groups=source.spec.budget_groups)


def _metrics(plan: "Plan") -> dict[str, float]:
    return {
        "plan_budget": plan.budget,
        "plan_current_budget": plan.current_budget,
        "plan_gain_mean": plan.gain_mean,
        "plan_gain_low": plan.gain_low,
        "plan_gain_high": plan.gain_high,
        "plan_prob_gain": plan.prob_gain,
        "plan_expected_regret": plan.expected_regret,
        **{f"planned/{name}": row.planned for name, row in plan.channels.items()},
        **{f"planned_low/{name}": row.low for name, row in plan.channels.items()},
        **{f"planned_high/{name}": row.high for name, row in plan.channels.items()},
    }
