"""Make a plan and write it: what a task does, for whoever asks without Prefect's engine.

A what-if is answered while somebody waits; the engine would take longer than the answer.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.documents.effects import EvidenceClass, RoiMetrics
from schemas.documents.plan import PlanModel
from schemas.names import Artifact
from schemas.refs import PlanRef, PlanSource
from schemas.spec.optimizer import OptimizerSpec, PlanBounds
from schemas.spec.plan_request import PlanRequest
from tasks.store.files.artifacts import read_document, read_netcdf, write_json
from tasks.store.files.fits import read_features
from tasks.store.home import Home, current_home

if TYPE_CHECKING:
    import xarray as xr

    from schemas.documents.plan import Plan
    from tasks.models.contract import FittedModel
    from tasks.optimize.outcome import PlannedFit

log = logging.getLogger(__name__)


def write_plan(
    sources: list[PlanSource], request: PlanRequest, scenario_id: str, folder: str
) -> tuple[PlanRef, str]:
    """Write ``plan.json`` and return its reference with the reason of the advice.

    Parameters
    ----------
    sources
        In the order of ``request.models``.
    request
        What is asked.
    scenario_id
        Id of the plan.
    folder
        Where the file goes.

    Raises
    ------
    SpecError
        If bounds, budget or target cannot be met, or a channel or entity is unknown.
    """
    plan = find_plan(sources, request, scenario_id)
    home = current_home()
    ref = PlanRef(
        scenario_id=scenario_id,
        advice=plan.advice,
        file=write_json(home, Path(folder) / Artifact.PLAN, plan.model_dump(mode="json")),
        metrics=_metrics(plan),
    )
    return ref, plan.reason


class _Draws(NamedTuple):
    """How many draws of a fit a plan is made of, and how far they trust the data."""

    number: int
    power: float
    seed: int | None


def find_plan(sources: list[PlanSource], request: PlanRequest, scenario_id: str) -> "Plan":
    """Return the plan that ``write_plan`` writes; parameters and errors as there."""
    from tasks.optimize.planning import make_plan

    settings = request.settings or sources[0].spec.optimizer
    plan = make_plan(
        open_fits(current_home(), sources, request, settings),
        request,
        settings,
        scenario_id=scenario_id,
        created_at=datetime.now(UTC),
    )
    log.info("planned %d channels: %s, P(gain > 0) %.2f", len(plan.channels), plan.advice,
             plan.prob_gain)  # fmt: skip
    return plan


def open_fits(
    home: Home, sources: list[PlanSource], request: PlanRequest, settings: OptimizerSpec
) -> "list[PlannedFit]":
    """Open the models that a plan speaks for, with as many draws of each as settings say."""
    trees = [read_netcdf(home, source.posterior) for source in sources]
    sizes = [tree["posterior"].sizes for tree in trees]
    n_draws = min(settings.n_draws, *(size["chain"] * size["draw"] for size in sizes))
    return [
        _open_fit(home, source, tree, _Draws(n_draws, settings.likelihood_power, place or None),
                  weight=model.weight)
        for place, (source, tree, model) in enumerate(
            zip(sources, trees, request.models, strict=True)
        )
    ]  # fmt: skip


def _open_fit(
    home: Home, source: PlanSource, tree: "xr.DataTree", asked: _Draws, *, weight: float
) -> "PlannedFit":
    from tasks.models.coarsened import coarsen
    from tasks.models.opening import open_data
    from tasks.optimize.outcome import PlannedFit

    data = open_data(read_features(home, source.features))

    def open_model(draws: "xr.Dataset") -> "FittedModel":
        return data.kind.open(draws, data.inputs)

    coarse = coarsen(
        tree["posterior"].to_dataset(),
        open_model,
        data.panel,
        # Draws of a kind without a prior are no posterior, whose likelihood could have a power.
        power=asked.power if data.kind.has_prior else 1.0,
        n_draws=asked.number,
        seed=asked.seed,
    )
    returns = read_document(home, source.roi_metrics, RoiMetrics)
    return PlannedFit(
        model=open_model(coarse.draws),
        panel=data.panel,
        metadata=data.metadata,
        prior_driven=[name for name, row in returns.items() if row.prior_driven],
        # Runs from before there was evidence have none against a channel.
        unclear=[name for name, row in returns.items() if row.evidence is EvidenceClass.UNCLEAR],
        confounded=[
            name for name, row in returns.items() if row.evidence is EvidenceClass.CONFOUNDED
        ],
        why_withheld=data.kind.why_withheld(tree["posterior"].to_dataset()),
        about=PlanModel(
            dataset_id=source.spec.dataset_id,
            run_id=source.run_id,
            snapshot_id=source.snapshot_id,
            model_version=source.model_version,
            weight=weight,
            likelihood_power=coarse.power if data.kind.has_prior else None,
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
