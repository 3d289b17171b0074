"""Simulate KPIs, score their refits, answer: read, call, write. Logic: the modules beside this."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.answers.recovery import (
    DrawnFrom,
    FittedWorld,
    KnownFit,
    RecoveryPlan,
    SimulatedWorld,
    Truth,
    WorldPlan,
)
from schemas.documents.data import ColumnInfo
from schemas.documents.diagnostics import Diagnostics
from schemas.errors import CorruptArtifactError, SpecError, UnknownRunError
from schemas.names import DATE_DIM, ENTITY_COLUMN, PERIOD_COLUMN, Artifact
from schemas.refs import (
    DiagnosticsRef,
    FeaturesRef,
    PosteriorRef,
    SnapshotRef,
    StepKey,
)
from schemas.spec.plan_request import PlannedModel
from schemas.spec.run_spec import RunSpec
from tasks.mathematics.seeds import derive_seed
from tasks.store.files.artifacts import (
    read_document,
    read_netcdf,
    read_parquet,
    write_document,
    write_netcdf,
    write_parquet,
)
from tasks.store.files.fits import read_features
from tasks.store.home import current_home
from tasks.store.runs.plan_sources import file_ref, find_planned_run, open_source
from tasks.store.runs.recoveries import question_of
from tasks.store.runs.resume import fit_dir, resumable
from tasks.store.warehouse.connection import reading

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

N_PRIOR_DRAWS = 4000
"""Draws of the priors among which those are looked for that could be this dataset's KPI."""
N_POSTERIOR_DRAWS = 400
"""The same of a posterior, of which nearly all could."""
_LAWS, _TRUTH, _SCORES = "laws.nc", "truth.json", "scores.json"


def knows_dataset(dataset_id: str) -> bool:
    """Say whether the warehouse has data of a dataset."""
    from tasks.store.warehouse import canonical

    home = current_home()
    with reading(home, dataset_id) as con:
        return bool(canonical.stored_names(con, dataset_id, datetime.now(UTC).date()))


@task(name="find-known-fit", cache_policy=NO_CACHE)
def find_known_fit(spec: RunSpec) -> KnownFit | None:
    """Return the champion's fit where it asked the same question; else None."""
    home = current_home()
    try:
        record = find_planned_run(home, PlannedModel(dataset_id=spec.dataset_id))
        source = open_source(home, record)
        if question_of(source.spec) != question_of(spec):
            return None
        folder = home.run_dir(record.run_id)
        info = file_ref(home, folder / Artifact.COLUMN_INFO)
        snapshot = SnapshotRef(
            dataset_id=spec.dataset_id,
            snapshot_id=source.snapshot_id,
            wide=file_ref(home, folder / Artifact.CANONICAL_DATA),
            column_info=info,
            grain=read_features(home, source.features).metadata.grain,
            as_of=read_document(home, info, ColumnInfo).as_of,
        )
    except (UnknownRunError, CorruptArtifactError) as error:
        log.info("no posterior to simulate from: %s", error)
        return None
    return KnownFit(
        run_id=record.run_id,
        snapshot=snapshot,
        features=source.features,
        posterior=source.posterior,
    )


def has_prior_draws(features: FeaturesRef) -> bool:
    """Say whether the kind of a spec can be simulated from before it is fitted."""
    from tasks.models.opening import open_data

    data = open_data(read_features(current_home(), features))
    return data.kind.draw_prior(data.panel, data.inputs, 1, seed=0) is not None


@task(name="choose-worlds", cache_policy=NO_CACHE)
@resumable
def choose_worlds(
    key: StepKey, spec: RunSpec, basis: KnownFit, drawn_from: DrawnFrom, n_worlds: int
) -> RecoveryPlan:
    """Choose what is simulated, and one draw of the model for each world.

    Parameters
    ----------
    key
        The check.
    spec
        What is refitted.
    basis
        Data and features; its ``posterior`` is read unless ``drawn_from`` is the prior.
    drawn_from
        Where the effects come from.
    n_worlds
        Simulated KPIs.

    Raises
    ------
    SpecError
        If too few draws of the prior could be this dataset's KPI.
    """
    import xarray as xr

    from tasks.models.opening import open_data
    from tasks.models.quantities import pick_draws, thin_draws
    from tasks.recover.worlds import plan_worlds, plausible_draws

    home, seed = current_home(), spec.sampler.random_seed
    data = open_data(read_features(home, basis.features))
    if drawn_from is DrawnFrom.PRIOR:
        drawn = data.kind.draw_prior(data.panel, data.inputs, N_PRIOR_DRAWS, seed=seed)
        if drawn is None:
            raise SpecError(f"kind {data.kind.name} has no draws of a prior")
        draws = drawn
    else:
        stored = read_netcdf(home, basis.posterior)["posterior"].to_dataset()
        draws = thin_draws(stored, N_POSTERIOR_DRAWS)
    n_known = draws.sizes["chain"] * draws.sizes["draw"]
    draws = pick_draws(draws, n_known, seed=seed)
    model = data.kind.open(draws, data.inputs)
    kept = plausible_draws(model, data.panel, n_worlds, seed=seed)
    if len(kept) < n_worlds // 2:
        raise SpecError(
            f"Only {len(kept)} of {n_known} draws of the {drawn_from} give a KPI like this one: "
            "positive and not mostly media. State priors that fit the data (prior_predictive.json "
            "of a run says what they mean), or ask for fewer worlds."
        )
    chosen = draws.isel(draw=[int(kept[k % len(kept)]) for k in range(n_worlds)])
    chosen = chosen.assign_coords(draw=range(n_worlds))
    notes = []
    if len(kept) < n_known:
        notes.append(
            f"{len(kept)} of {n_known} draws of the {drawn_from} have a KPI that could be this "
            "one; the effects are of these."
        )
    return RecoveryPlan(
        spec=spec,
        question=question_of(spec),
        steps=key.run_id,
        drawn_from=drawn_from,
        run_id=basis.run_id if drawn_from is DrawnFrom.POSTERIOR else None,
        snapshot=basis.snapshot,
        features=basis.features,
        laws=write_netcdf(
            home, fit_dir(home, key) / _LAWS, xr.DataTree.from_dict({"posterior": chosen})
        ),
        worlds=plan_worlds(n_worlds, data.metadata.channel_names),
        notes=notes,
    )


@task(name="simulate-world", cache_policy=NO_CACHE)
@resumable
def simulate_world(key: StepKey, plan: RecoveryPlan, world: WorldPlan) -> SimulatedWorld:
    """Simulate one KPI on the real media and controls, and write down its truth."""
    import numpy as np

    from tasks.models.opening import open_data
    from tasks.recover.truth import describe_truth, measure_tests
    from tasks.recover.worlds import simulate

    home, spec = current_home(), plan.spec
    data = open_data(read_features(home, plan.features))
    laws = read_netcdf(home, plan.laws)["posterior"].to_dataset()
    model = data.kind.open(laws.isel(draw=[world.number]), data.inputs)
    seed = derive_seed(spec.sampler.random_seed, 1000 + world.number)
    made = simulate(world, model, data.panel, seed)
    truth = describe_truth(made, data.panel, data.metadata, spec.optimizer.horizon)
    tests = measure_tests(
        made.law, data.panel, data.metadata, spec.lift_tests, np.random.default_rng(seed + 1)
    )
    rows = _with_kpi(
        read_parquet(home, plan.snapshot.wide), data.panel, made.kpi, data.metadata.kpi_column
    )
    folder = fit_dir(home, key)
    wide = write_parquet(home, folder / Artifact.CANONICAL_DATA, rows)
    return SimulatedWorld(
        plan=world,
        spec=spec.model_copy(update={"lift_tests": tests}),
        snapshot=plan.snapshot.model_copy(update={"wide": wide}),
        truth=write_document(home, folder / _TRUTH, truth),
    )


@task(name="score-world", cache_policy=NO_CACHE)
@resumable
def score_world(
    key: StepKey,
    world: SimulatedWorld,
    features: FeaturesRef,
    posterior: PosteriorRef,
    diagnostics: DiagnosticsRef,
) -> FittedWorld:
    """Score the refit of one simulated KPI against its truth."""
    from tasks.models.opening import open_fit
    from tasks.recover.score import N_DRAWS_OF_A_REFIT, returns_of, score_fit

    home = current_home()
    fit = open_fit(
        read_netcdf(home, posterior.posterior),
        read_features(home, features),
        N_DRAWS_OF_A_REFIT,
    )
    judged = read_document(home, diagnostics.file, Diagnostics)
    score = score_fit(fit, judged, read_document(home, world.truth, Truth))
    folder, returns = fit_dir(home, key), returns_of(judged, score.channels)
    return FittedWorld(
        world=world,
        scores=write_document(home, folder / _SCORES, score),
        returns=write_document(home, folder / Artifact.ROI_METRICS, returns),
        seconds=round(sum(posterior.wall_seconds.values()), 3),
    )


def _with_kpi(
    rows: "pd.DataFrame", panel: "xr.Dataset", kpi: "NDArray[np.float64]", column: str
) -> "pd.DataFrame":
    """Put a simulated KPI ``(entity, date)`` in place of the real one."""
    import pandas as pd

    keys = pd.MultiIndex.from_product(
        [panel["entity"].values, pd.DatetimeIndex(panel[DATE_DIM].values)]
    )
    made = pd.Series(kpi.ravel(), index=keys)
    own = pd.MultiIndex.from_arrays(
        [rows[ENTITY_COLUMN], pd.DatetimeIndex(rows[PERIOD_COLUMN]).astype(keys.levels[1].dtype)]
    )
    simulated = made.reindex(own).to_numpy()
    real = rows[column].to_numpy(float)
    # Periods before the fitted history keep their KPI: nothing reads it.
    return rows.assign(**{column: pd.Series(simulated).fillna(pd.Series(real)).to_numpy()})
