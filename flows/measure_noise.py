"""How far returns move by chance alone: the champion's fit again, with other seeds."""

from prefect import flow

from schemas.answers.stability import (
    NoiseRequest,
    Repeated,
    Repetition,
    Repetitions,
    StabilityReport,
)
from schemas.refs import StepKey
from tasks.explain.task_stability import answer_noise, forget_repetitions, plan_repetitions
from tasks.fit.task import fit_returns
from tasks.store.redaction import filter_states

filter_states()


@flow(name="measure-noise", flow_run_name="noise-{request.dataset_id}")
def measure_noise(request: NoiseRequest) -> StabilityReport:
    """Repeat the champion's fit with other seeds and put the noise floor on record.

    Parameters
    ----------
    request
        Dataset, and how many seeds; those on record are not repeated.

    Returns
    -------
    StabilityReport
        The trend with the new floor beside it.

    Raises
    ------
    UnknownRunError, IncomparableRunsError
        If the dataset has no champion, or files of its run are gone.
    SamplingError
        If a repetition cannot be sampled; nothing is put on record.
    """
    repetitions = plan_repetitions(request)
    try:
        made = [_repeat(repetitions, fit) for fit in repetitions.fits]
        return answer_noise(repetitions, made)
    finally:
        forget_repetitions(repetitions)


def _repeat(repetitions: Repetitions, fit: Repetition) -> Repeated:
    limited = fit_returns.with_options(timeout_seconds=60 * fit.spec.sampler.timeout_minutes)
    key = StepKey(run_id=repetitions.steps, retry=fit.name)
    returns = limited(key, repetitions.features, fit.spec)
    return Repeated(fit=fit, returns=returns)
