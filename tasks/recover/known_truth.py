"""Advice held against true curves that somebody wrote down: data that were simulated elsewhere."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.answers.backtest import AdviceScore
from schemas.documents.features import FeatureMetadata
from schemas.documents.plan import Advice, Plan
from schemas.errors import SpecError
from schemas.names import CHANNEL_DIM, ENTITY_DIM
from schemas.spec.channels import AdstockKind, SaturationKind
from schemas.spec.known_truth import KnownChannel, KnownTruth
from tasks.mathematics.carryover import adstock_weights, stack_lags
from tasks.mathematics.saturation import saturation_shape
from tasks.recover.law import media_of
from tasks.recover.truth import TrueCurves, judge_plan, kpi_of_last, tabulate_responses

Array = NDArray[np.float64]


def require_known(truth: KnownTruth, channels: Sequence[str], entities: Sequence[str]) -> None:
    """Refuse a truth that leaves a channel or an entity of the data out.

    Raises
    ------
    SpecError
        With every channel and entity that is not in it.
    """
    problems = [f"it has no channel {name!r}" for name in channels if name not in truth.channels]
    for name in channels:
        known = truth.channels.get(name)
        if known is not None and isinstance(known.beta, dict):
            absent = [entity for entity in entities if entity not in known.beta]
            problems += [f"channels.{name}.beta has no entity {entity!r}" for entity in absent]
    if problems:
        raise SpecError(
            f"The known truth cannot be used: {'; '.join(problems)}. It has "
            f"{', '.join(truth.channels)}.",
            problems,
        )


def bring(channel: KnownChannel, media: Array, entities: Sequence[str], l_max: int) -> Array:
    """Return what input truly brings, KPI units.

    Parameters
    ----------
    channel
        Its true curve.
    media
        Input ``(entity, date)``; zero before the first period.
    entities
        Names of the rows.
    l_max
        Periods in which an input is felt.
    """
    alpha = {"alpha": np.array(channel.retention)}
    weights = adstock_weights(AdstockKind.GEOMETRIC, alpha, l_max=l_max)
    lags = stack_lags(media / channel.input_scale, l_max, np.zeros(len(media)))
    carried = np.einsum("l,elt->et", weights, lags)
    curve = {"slope": channel.slope, "kappa": channel.half_saturation}
    sizes = np.array([channel.amplitude(entity) for entity in entities])
    return np.asarray(sizes[:, None] * saturation_shape(SaturationKind.HILL, carried, curve))


def judge_advice(
    plan: Plan, truth: KnownTruth, panel: xr.Dataset, metadata: FeatureMetadata
) -> AdviceScore:
    """Say what the advice of a plan would truly have brought.

    Parameters
    ----------
    plan
        Made of a fit of this panel, with as much money as today.
    truth
        True curves of all channels of the panel.
    panel, metadata
        Of the fit.
    """
    entities = [str(name) for name in panel[ENTITY_DIM].values]

    def contribution(name: str, longer: xr.Dataset) -> Array:
        return bring(truth.channels[name], media_of(longer, name), entities, truth.l_max)

    names = [str(name) for name in panel[CHANNEL_DIM].values]
    curves = TrueCurves(contribution, names, truth.l_max)
    responses = tabulate_responses(curves, panel, metadata, plan.horizon)
    found = judge_plan(plan, responses)
    kpi = kpi_of_last(panel, metadata, plan.horizon)
    return AdviceScore(
        follow=plan.advice is Advice.FOLLOW, gain=found.gain / kpi, regret=found.regret / kpi
    )
