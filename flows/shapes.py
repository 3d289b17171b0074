"""The fit of a refit, with the shape of the model that data prefer.

Belongs here: the order. Does not: what is tried and taken (``tasks.diagnose.shape_choice``).
"""

from dataclasses import dataclass, replace

from flows.retries import try_until_sampled
from flows.timing import Timings
from schemas.documents.retries import Attempt, ShapedFit
from schemas.documents.shapes import ShapeChoice
from schemas.outcomes import Finding
from schemas.refs import FeaturesRef, SnapshotRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.diagnose.task_shapes import adopt_shape, choose_shape, reshape_spec
from tasks.features.task import build_features
from tasks.fit.task import best_fit, select_fit


@dataclass(frozen=True)
class FitRequest:
    """What a run is fitted to."""

    features: FeaturesRef
    snapshot: SnapshotRef
    findings: list[Finding]
    """Of the data layers, for the verdict."""
    spec: RunSpec
    run_id: str


def fit_in_shape(asked: FitRequest, timings: Timings) -> ShapedFit:
    """Fit what is assumed by default, and again where data prefer another shape.

    A fit that is not sampled well decides nothing, and one of another shape that is not is not
    taken.

    Parameters
    ----------
    asked
        Data, spec and run.
    timings
        Stages ``fit`` and ``diagnose`` add up over all fits, ``choose_shape`` has the brief ones.

    Raises
    ------
    SamplingError
        If the first fit stops with an error.
    """
    made, tried = asked, _try(asked, None, timings)
    choice = _choose(asked, tried, timings)
    if choice.chosen:
        other = _reshape(asked, choice, timings)
        tried_other = _try(other, choice.name, timings)
        if best_fit(tried_other) is None:
            choice = choice.without_other()
        else:
            made, tried = other, tried_other
    judged = select_fit(made.spec, tried, asked.run_id)
    fit = ShapedFit(fit=judged, features=made.features, spec=made.spec)
    return adopt_shape(fit, choice, asked.run_id) if choice.record else fit


def _try(asked: FitRequest, shape: str | None, timings: Timings) -> list[Attempt]:
    key = StepKey(run_id=asked.run_id, shape=shape)
    return try_until_sampled(asked.features, asked.findings, asked.spec, key, timings)


def _choose(asked: FitRequest, tried: list[Attempt], timings: Timings) -> ShapeChoice:
    best = best_fit(tried)
    if best is None or not asked.spec.model.choose:
        return ShapeChoice()
    with timings.stage("choose_shape"):
        key = StepKey(run_id=asked.run_id)
        chosen: ShapeChoice = choose_shape(key, best, asked.features, asked.spec)
    return chosen


def _reshape(asked: FitRequest, choice: ShapeChoice, timings: Timings) -> FitRequest:
    """Say what is fitted in another shape."""
    spec = reshape_spec(asked.spec, choice, asked.snapshot.grain)
    with timings.stage("features"):
        key = StepKey(run_id=asked.run_id, shape=choice.name)
        features = build_features(key, asked.snapshot, spec)
    return replace(asked, features=features, spec=spec)
