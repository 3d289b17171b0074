"""One candidate at one date: fitted, scored, and its advice held against a known truth."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.answers.backtest import AdviceScore, ScoredSlice, SliceWork
from schemas.errors import SamplingError
from schemas.refs import PlanSource, PosteriorRef
from schemas.spec.known_truth import KnownTruth
from tasks.diagnose.task import diagnose_posterior
from tasks.fit.task import fit_posterior
from tasks.forecast.task_backtest import score_slice, without_fit
from tasks.optimize.task import plan_auxiliary_fit
from tasks.recover.task_advice import judge_advice, state_returns


@task(name="backtest-slice", cache_policy=NO_CACHE)
def run_slice(work: SliceWork) -> ScoredSlice:
    """Take the steps of one fit; they are the same in a process of its own."""
    limited = fit_posterior.with_options(timeout_seconds=60 * work.spec.sampler.timeout_minutes)
    try:
        posterior = limited(work.key, work.fit.features, work.spec)
    except SamplingError as error:
        return without_fit(work.fit, error)
    scored: ScoredSlice = score_slice(work.key, work.fit, posterior, work.spec)
    if work.truth is None:
        return scored
    advice = _advise(work, posterior, work.truth)
    return scored.model_copy(update={"score": scored.score.model_copy(update={"advice": advice})})


def _advise(work: SliceWork, posterior: PosteriorRef, truth: KnownTruth) -> AdviceScore | None:
    """Plan as a refit would have planned, and see what that truly brings."""
    key, features = work.key, work.fit.features
    judged = diagnose_posterior(key, posterior, features, [], work.spec)
    source = PlanSource(
        run_id=key.run_id,
        snapshot_id=work.fit.data.snapshot.snapshot_id,
        model_version=None,
        spec=work.spec,
        posterior=posterior.posterior,
        features=features,
        roi_metrics=state_returns(key, posterior, features, judged),
    )
    advice: AdviceScore | None = judge_advice(key, plan_auxiliary_fit(key, source), features, truth)
    return advice
