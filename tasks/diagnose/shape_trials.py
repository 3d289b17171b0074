"""Brief fits with other shapes, beside a fit with what is assumed by default.

Belongs here: making them, and when there is no time for one. Does not: which are tried and what is
taken (``tasks.diagnose.shape_choice``).
"""

import logging
import time
from collections.abc import Collection

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import ChannelFeatures, FeatureMetadata
from schemas.documents.shapes import Shape, ShapeChoice, ShapeRecord, TriedShape
from schemas.errors import SamplingError
from schemas.names import DATE_DIM
from schemas.spec.model import ModelSpec
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec
from tasks.diagnose import shape_choice
from tasks.mathematics.panel import IS_ESTIMATION, observed_of
from tasks.mathematics.trend import fix_trend
from tasks.models.contract import FittedModel, ModelInputs
from tasks.models.information import compute_loo
from tasks.models.kind import Watch
from tasks.models.linear import periods_since
from tasks.models.opening import OpenFit

log = logging.getLogger(__name__)

_MOST_DRAWS, _MOST_CHAINS = 500, 2
"""Of a brief fit: a predictive density is asked for, no tails."""
MAX_TRIAL_SECONDS = 300.0
"""Time of all brief fits of a run; each is expected to last as long as the fit itself."""
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
    spent, tried = 0.0, []
    for shape in called:
        if spent + seconds > MAX_TRIAL_SECONDS:
            log.warning("shape %s is not tried: no time is left", shape)
            continue
        started = time.perf_counter()
        found = _try(fit, spec, shape, assumed, watch)
        spent += time.perf_counter() - started
        tried += [found] if found else []
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
    fit: OpenFit, spec: RunSpec, shape: Shape, assumed: Array, watch: Watch
) -> TriedShape | None:
    """Fit with one shape, and compare; None where it was not sampled."""
    model = shape_choice.with_shapes(spec.model, [shape], fit.metadata.grain)
    inputs = trial_inputs(fit, spec, model)
    try:
        sampled = fit.kind.fit(fit.panel, inputs, _brief(spec.sampler), watch)
    except SamplingError as error:
        log.warning("shape %s was not sampled: %s", shape, error)
        return None
    opened = fit.kind.open(sampled.tree["posterior"].to_dataset(), inputs)
    elpd = _elpd(opened, fit.panel)
    return None if elpd is None else shape_choice.compare(shape, elpd, assumed)


def _brief(sampler: SamplerSpec) -> SamplerSpec:
    return sampler.model_copy(
        update={
            "tune": min(sampler.tune, _MOST_DRAWS),
            "draws": min(sampler.draws, _MOST_DRAWS),
            "chains": min(sampler.chains, _MOST_CHAINS),
        }
    )


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
    window = panel[IS_ESTIMATION].to_numpy()
    cells = observed_of(panel)[:, window]
    pointwise = model.log_likelihood(panel, model.expected(panel))[:, :, window][:, cells]
    loo = compute_loo(pointwise, ("cell",), model.draws.sizes["chain"])
    return None if loo is None else np.asarray(loo.elpd_i)
