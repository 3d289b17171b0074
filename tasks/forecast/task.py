"""Forecast the KPI, and score frozen forecasts once it is known: read, call, write."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from schemas.documents.forecast_scores import Alarm, LedgerReport, Scored
from schemas.errors import CorruptArtifactError
from schemas.names import DATE_DIM, Artifact
from schemas.refs import FeaturesRef, FileRef, ForecastRef, PosteriorRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.forecast.task_due import find_outdated
from tasks.store.artifact_keys import artifact_key
from tasks.store.files.artifacts import read_netcdf, write_parquet
from tasks.store.files.fits import read_features
from tasks.store.home import Home, current_home
from tasks.store.runs.plan_sources import open_source
from tasks.store.runs.resume import resumable
from tasks.store.warehouse.actuals import read_known_inputs, read_known_kpi
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.forecasts import read_forecasts, read_ledger
from tasks.store.warehouse.runs import read_run
from tasks.store.warehouse.scores import (
    alarms_of,
    find_alarms,
    read_scores,
    replace_scores,
    write_alarms,
)

if TYPE_CHECKING:
    import pandas as pd

    from tasks.models.opening import OpenFit

log = logging.getLogger(__name__)

N_FORECAST_DRAWS = 1000
"""Draws of the posterior that a forecast uses: fifty beyond either end of the 90 % interval."""


N_PATHS = 50
"""Paths of media and controls that these draws are spread over."""


@task(name="forecast-kpi", cache_policy=NO_CACHE, timeout_seconds=600)
@resumable
def forecast_kpi(
    key: StepKey, posterior: PosteriorRef, features: FeaturesRef, spec: RunSpec
) -> ForecastRef:
    """Forecast ``optimizer.horizon`` periods. Logic: ``forecast``, ``actuals``."""
    from tasks.forecast import actuals, assumptions, forecast

    home = current_home()
    fit = _open_fit(home, posterior.posterior, features)
    panel, metadata = fit.panel, fit.metadata
    coming = forecast.forecast_kpi(
        fit.model,
        panel,
        metadata,
        horizon=spec.optimizer.horizon,
        seed=spec.sampler.random_seed,
        paths=N_PATHS,
        planned=spec.planned,
    )
    continued = forecast.continue_panel(panel, metadata, spec.optimizer.horizon, spec.planned)
    supposed = continued.isel({DATE_DIM: slice(panel.sizes[DATE_DIM], None)})
    earlier = read_forecasts(home, spec.dataset_id, kpi=spec.kpi_name, before_run=key.run_id)
    happened = actuals.match_actuals(earlier, panel)
    log.info(
        "forecast %d of %d periods; %d earlier forecasts have come due",
        coming["periods_ahead"].max() if len(coming) else 0,
        spec.optimizer.horizon,
        len(happened),
    )
    folder = home.run_dir(key.run_id)
    return ForecastRef(
        forecast=write_parquet(home, folder / Artifact.FORECAST, coming),
        assumptions=write_parquet(
            home,
            folder / Artifact.FORECAST_ASSUMPTIONS,
            assumptions.list_assumptions(supposed, metadata),
        ),
        actuals=write_parquet(home, folder / Artifact.FORECAST_ACTUALS, happened),
    )


@task(name="score-runs", cache_policy=NO_CACHE, timeout_seconds=3600)
def score_runs(dataset_id: str) -> Scored:
    """Score every frozen forecast whose KPI, or whose inputs, have changed. Logic: ``ledger``."""
    home, now = current_home(), datetime.now(UTC)
    table = read_ledger(home, dataset_id)
    forecasts = {str(run_id): rows for run_id, rows in table.groupby("run_id", sort=False)}
    known = {str(kpi): read_known_kpi(home, dataset_id, str(kpi)) for kpi in table["kpi"].unique()}
    fresh, notes = {}, []
    for run_id, compared in find_outdated(home, dataset_id, forecasts).items():
        forecast = forecasts[run_id]
        kpi = known[forecast["kpi"].iloc[0]]
        scores, reported = _score_run(home, dataset_id, forecast, kpi)
        notes += reported
        if scores is not None:
            fresh[run_id] = (scores, compared)
    n_new, n_changed = _keep_scores(home, dataset_id, fresh, now)
    for note in notes:
        log.info("%s", note)
    log.info("%s: %d new scores, %d changed", dataset_id, n_new, n_changed)
    return Scored(
        dataset_id=dataset_id,
        n_runs=len(forecasts),
        n_new=n_new,
        n_changed=n_changed,
        notes=notes,
    )


@task(name="watch-residuals", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def watch_residuals(dataset_id: str) -> list[Alarm]:
    """Run the CUSUM over all scores; return the alarms that are new. Logic: ``cusum``."""
    from tasks.forecast import cusum

    home, now = current_home(), datetime.now(UTC)
    excursions = cusum.watch_scores(read_scores(home, dataset_id))
    with writing(home, dataset_id) as con:
        known = find_alarms(con, dataset_id, is_open=False)
        watch = cusum.update_alarms(dataset_id, known, excursions, now=now)
        write_alarms(con, watch.changed)
    for alarm in watch.raised:
        log.warning("%s: %s", dataset_id, alarm.detail)
    return watch.raised


@task(name="report-ledger", cache_policy=NO_CACHE)
def report_ledger(scored: Scored, new_alarms: list[Alarm]) -> LedgerReport:
    """Summarize the ledger of a dataset, and show it in the Prefect UI. Logic: ``summary``."""
    from tasks.forecast.summary import summarize_scores

    home, dataset_id = current_home(), scored.dataset_id
    report = LedgerReport(
        **scored.model_dump(),
        summaries=summarize_scores(read_scores(home, dataset_id)),
        alarms=alarms_of(home, dataset_id),
        new_alarms=new_alarms,
    )
    create_table_artifact(
        key=artifact_key("forecast-scores", dataset_id),
        table=[summary.model_dump(mode="json") for summary in report.summaries],
        description=f"Scores of frozen forecasts, {dataset_id}; {len(report.alarms)} open alarm(s)",
    )
    return report


def _score_run(
    home: Home, dataset_id: str, forecast: "pd.DataFrame", known: "pd.DataFrame"
) -> tuple["pd.DataFrame | None", list[str]]:
    """Score one run on every basis that can be evaluated; None where nothing has come due."""
    import pandas as pd

    from tasks.forecast import ledger

    run_id = str(forecast["run_id"].iloc[0])
    rows = ledger.match_run(forecast, known)
    if rows.empty:
        return None, []
    deployed, notes = None, []
    try:
        deployed = _score_deployed(home, dataset_id, run_id, rows)
    except (CorruptArtifactError, OSError) as error:
        notes.append(f"{run_id}: only the published forecast is scored; {error}")
    parts = [ledger.score_published(rows), *([] if deployed is None else [deployed])]
    scores = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return scores, notes + ledger.describe_gaps(run_id, rows, deployed, forecast)


def _score_deployed(
    home: Home, dataset_id: str, run_id: str, rows: "pd.DataFrame"
) -> "pd.DataFrame":
    from tasks.forecast import deployed, ledger

    source = open_source(home, read_run(home, run_id))
    fit = _open_fit(home, source.posterior, source.features)
    prediction = deployed.predict_deployed(
        fit.model,
        fit.panel,
        fit.metadata,
        read_known_inputs(home, dataset_id, fit.metadata),
        horizon=source.spec.optimizer.horizon,
        seed=source.spec.sampler.random_seed,
    )
    return ledger.score_deployed(rows, prediction)


def _keep_scores(
    home: Home, dataset_id: str, fresh: Mapping[str, tuple["pd.DataFrame", str]], now: datetime
) -> tuple[int, int]:
    """Write the scores of several runs in one transaction; return how many are new, and changed."""
    from tasks.forecast.ledger import keep_history

    earlier = read_scores(home, dataset_id)
    entries = {
        run_id: keep_history(
            earlier[earlier["forecast_run_id"] == run_id], scores, now=now, compared=compared
        )
        for run_id, (scores, compared) in fresh.items()
    }
    with writing(home, dataset_id) as con:
        for run_id, entry in entries.items():
            replace_scores(con, run_id, dataset_id, entry.rows)
    counts = [(entry.n_new, entry.n_changed) for entry in entries.values()]
    return sum(n for n, _ in counts), sum(n for _, n in counts)


def _open_fit(home: Home, posterior: FileRef, features: FeaturesRef) -> "OpenFit":
    from tasks.models.opening import open_fit

    return open_fit(read_netcdf(home, posterior), read_features(home, features), N_FORECAST_DRAWS)
