"""Brief fits with other shapes, beside a fit with what is assumed by default.

Belongs here: what each is made of. Does not: which are tried and what is taken
(``tasks.diagnose.shape_choice``), how brief they are (``brief_fits``).
"""

import logging
from collections.abc import Collection

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import ChannelFeatures, FeatureMetadata
from schemas.documents.shapes import Shape, ShapeChoice, ShapeRecord, TriedShape
from schemas.names import DATE_DIM
from schemas.spec.model import ModelSpec
from schemas.spec.run_spec import RunSpec
from tasks.diagnose import shape_choice
from tasks.diagnose.brief_fits import BriefFits
from tasks.mathematics.panel import IS_ESTIMATION
from tasks.mathematics.trend import fix_trend
from tasks.models.contract import FittedModel, ModelInputs
from tasks.models.information import compute_loo, log_densities
from tasks.models.kind import Watch
from tasks.models.linear import periods_since
from tasks.models.opening import OpenFit

log = logging.getLogger(__name__)

_MOST_CHAINS = 2
Array = NDArray[np.float64]


def try_shapes(
    fit: OpenFit, spec: RunSpec, champion: Collection[Shape], watch: Watch, seconds: float
) -> ShapeChoice:
    """Try the shapes that the draws of a fit call for, and choose.

    Parameters
    ----------
    fit
        With what is assumed by default.
    spec
        What it leaves open may be chosen.
    champion
        Shapes of the champion.
    watch
        Cores.
    seconds
        What the fit took.
    """
    may = shape_choice.open_shapes(spec.model)
    signals = shape_choice.measure_signals(
        fit.tree["posterior"].to_dataset(), *_open_channels(spec, fit.metadata)
    )
    called = shape_choice.shapes_to_try(signals, may, champion)
    assumed = _elpd(fit.model, fit.panel) if called else None
    if assumed is None:
        return ShapeChoice()
    chains = min(spec.sampler.chains, _MOST_CHAINS)
    sampler = spec.sampler.model_copy(update={"chains": chains})
    brief = BriefFits(fit, sampler, watch, seconds)
    found = [_try(fit, spec, shape, assumed, brief) for shape in called]
    tried = [each for each in found if each is not None]
    if not tried:
        return ShapeChoice()
    record = ShapeRecord(
        log_bayes_factors={str(s): f for s, f in signals.log_bayes_factors.items()},
        champion=list(champion),
        tried=tried,
        chosen=shape_choice.choose_shapes(tried, signals, champion),
    )
    log.info("shapes: tried %s, chosen %s", called, record.chosen or "what is assumed")
    return ShapeChoice(record=record)


def _try(
    fit: OpenFit, spec: RunSpec, shape: Shape, assumed: Array, brief: BriefFits
) -> TriedShape | None:
    """Fit with one shape, and compare; None where it was not made or not sampled."""
    model = shape_choice.with_shapes(spec.model, [shape], fit.metadata.grain)
    inputs = trial_inputs(fit, spec, model)
    sampled = brief.sample(inputs, f"the brief fit with shape {shape}")
    if sampled is None:
        return None
    opened = fit.kind.open(sampled.tree["posterior"].to_dataset(), inputs)
    elpd = _elpd(opened, fit.panel)
    return None if elpd is None else shape_choice.compare(shape, elpd, assumed)


def trial_inputs(fit: OpenFit, spec: RunSpec, model: ModelSpec) -> ModelInputs:
    """Return the inputs of a fit with the transforms and the trend of another model.

    Parameters
    ----------
    fit, spec
        Of the fit; channels that state a transform keep it.
    model
        What else is fitted.
    """
    adstock, saturation = _open_channels(spec, fit.metadata)

    def reshaped(channel: ChannelFeatures) -> ChannelFeatures:
        update = {
            **({"adstock": model.adstock} if channel.name in adstock else {}),
            **({"saturation": model.saturation} if channel.name in saturation else {}),
        }
        return channel.model_copy(update=update)

    metadata = fit.metadata
    dates = pd.DatetimeIndex(fit.panel[DATE_DIM].values)[fit.panel[IS_ESTIMATION].values]
    position = periods_since(dates, metadata.first_period, metadata.grain)
    changed = {
        "channels": [reshaped(channel) for channel in metadata.channels],
        "trend": fix_trend(model.trend, position),
    }
    return ModelInputs(metadata.model_copy(update=changed), fit.inputs.scales)


def _open_channels(spec: RunSpec, metadata: FeatureMetadata) -> tuple[list[str], list[str]]:
    """Channels with carryover, and with saturation, as ``model`` has them."""
    stated = spec.channels or []
    own = [{c.name for c in stated if getattr(c, part)} for part in ("adstock", "saturation")]
    adstock = [c.name for c in metadata.channels if c.name not in own[0]]
    saturation = [
        c.name
        for c in metadata.channels
        if c.name not in own[1] and c.saturation == spec.model.saturation
    ]
    return adstock, saturation


def _elpd(model: FittedModel, panel: xr.Dataset) -> Array | None:
    """Expected log predictive density of every fitted value, ``(value,)``, by PSIS-LOO."""
    pointwise = log_densities(model, panel, model.expected(panel))
    loo = compute_loo(pointwise, ("cell",), model.draws.sizes["chain"])
    return None if loo is None else np.asarray(loo.elpd_i)
