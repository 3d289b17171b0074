"""Attribute the KPI: read draws and features, call, write."""

import logging

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import (
    ChannelQuantiles,
    ContributionSummary,
    FitMetrics,
    ResponseCurves,
    RoiMetrics,
)
from schemas.documents.windows import ChannelEffects
from schemas.names import Artifact
from schemas.refs import AttributionRef, DiagnosticsRef, FeaturesRef, PosteriorRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.store.files.artifacts import (
    read_document,
    read_netcdf,
    write_document,
    write_parquet,
)
from tasks.store.files.fits import read_features
from tasks.store.home import current_home
from tasks.store.runs.resume import resumable

log = logging.getLogger(__name__)


@task(name="attribute-kpi", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def attribute_kpi(
    key: StepKey,
    posterior: PosteriorRef,
    features: FeaturesRef,
    diagnostics: DiagnosticsRef,
    spec: RunSpec,
) -> AttributionRef:
    """Split the KPI into contributions. Logic: all modules beside this one."""
    from tasks.attribute import contribution, curves, roas, windows
    from tasks.mathematics.panel import IS_ESTIMATION, estimation_window
    from tasks.models.opening import open_fit
    from tasks.models.returns import channel_quantiles

    home = current_home()
    fit = open_fit(read_netcdf(home, posterior.posterior), read_features(home, features))
    model, panel, metadata = fit.model, fit.panel, fit.metadata
    window = panel[IS_ESTIMATION].values
    horizon = spec.optimizer.horizon
    cut = windows.cut_windows(int(window.sum()), horizon)
    split = contribution.attribute_kpi(
        model, panel, window, seed=spec.sampler.random_seed, windows=cut
    )
    judged = read_document(home, diagnostics.file, Diagnostics)
    returns = roas.measure_roas(model, panel, split, metadata, judged.prior_driven)
    metrics = contribution.measure_fit(split.fitted)
    thin = fit.reopened(curves.thin)
    documents = {
        Artifact.CONTRIBUTION_SUMMARY: ContributionSummary.model_validate(split.summary),
        Artifact.FIT_METRICS: FitMetrics.model_validate(metrics),
        Artifact.ROI_METRICS: RoiMetrics.model_validate(roas.add_evidence(returns, judged)),
        Artifact.CHANNEL_QUANTILES: ChannelQuantiles.model_validate(
            channel_quantiles(split.channels, estimation_window(panel), metadata)
        ),
        Artifact.RESPONSE_CURVES: ResponseCurves.model_validate(
            curves.measure_curves(
                thin, panel, metadata, target_return=spec.optimizer.target_return, horizon=horizon
            )
        ),
        Artifact.CHANNEL_EFFECTS: ChannelEffects.model_validate(
            windows.describe_channels(
                windows.measure_windows(
                    estimation_window(panel), split.windows, cut, in_money=metadata.in_money
                ),
                windows.measure_timing(thin, panel, metadata, horizon=horizon),
            )
        ),
    }
    by_entity = roas.tabulate_roas(panel, split, metadata)
    folder = home.run_dir(key.run_id)
    log.info("attributed %d components over %d rows", len(split.summary), len(split.fitted))
    return AttributionRef(
        contributions=write_parquet(home, folder / Artifact.CONTRIBUTIONS, split.contributions),
        fitted=write_parquet(home, folder / Artifact.FITTED, split.fitted),
        files=[
            *(write_document(home, folder / name, body) for name, body in documents.items()),
            write_parquet(home, folder / Artifact.ROAS_BY_ENTITY, by_entity),
        ],
        metrics={k: v for k, v in metrics.items() if v is not None},
    )
