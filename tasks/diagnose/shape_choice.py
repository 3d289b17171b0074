"""Which shape of a model the data at hand prefer: when another is tried, and when it is taken.

Carryover and slopes have priors. How much likelier the data are under another prior is a ratio of
prior densities, averaged over the draws at hand (importance sampling): a Bayes factor that costs
nothing, and finds long carryover and S-shaped curves where residuals and PSIS-LOO hardly see them.
It calls; what is called is fitted briefly and compared by PSIS-LOO, together with what has another
likelihood: delayed carryover, and a smooth trend where noise lasts.

The choice must not flip from week to week: a shape of the champion is always tried, and is left
only where the data speak against it as clearly as they have to speak for a new one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logsumexp

from schemas.documents.shapes import Shape, ShapeRecord, TriedShape
from schemas.names import SAMPLE_DIM
from schemas.spec.baseline import TrendKind, TrendSpec
from schemas.spec.channels import AdstockKind, Carryover, SaturationKind, Slope
from schemas.spec.model import ModelPart, ModelSpec
from schemas.spec.run_spec import Grain
from tasks.mathematics.carryover import RETENTION_PRIOR
from tasks.mathematics.saturation import SATURATIONS
from tasks.mathematics.transforms import TransformPrior

Array = NDArray[np.float64]

_LONGER = TransformPrior("beta", 2.0, 2.0)
_STEEPER = TransformPrior("log_normal", float(np.log(1.8)), 0.45)
"""Halfway to the priors of ``long`` and ``steep``: draws at hand carry the weights to there."""

CALLED_FROM: Mapping[Shape, float] = {Shape.STEEP: 2.0, Shape.LONG: 1.0}
"""Logarithm of the Bayes factor from which a shape is tried. On seeds 1000 to 1009 of
``benchmarks/worlds.py`` every S-shaped world was above 2.7 and every other below 1.7; worlds that
carry long or late were at 1.0 to 2.8, plain ones below 0.8."""
LASTING_NOISE = 0.1
"""Autocorrelation of the noise from which a smooth trend is tried."""
LEAST_GAIN: Mapping[Shape, float] = {
    Shape.STEEP: 0.0,
    Shape.LONG: 0.0,
    Shape.DELAYED: 4.0,
    Shape.SMOOTH: 5.0,
}
"""Gain of the expected log predictive density from which a shape is taken. For the first two the
Bayes factor has spoken; the others have parameters more, and nothing else speaks for them."""
SURE = 2.0
"""Standard errors that the gain of a smooth trend has to be above zero: a few periods make one
look better, and forecasts are the worse for it."""
KEPT = 3.0
"""By how much less a shape of the champion has to show, in either measure."""
_PARTS = {
    Shape.STEEP: ModelPart.SATURATION,
    Shape.LONG: ModelPart.ADSTOCK,
    Shape.DELAYED: ModelPart.ADSTOCK,
    Shape.SMOOTH: ModelPart.TREND,
}
_SMOOTH_TREND = {
    Grain.WEEK: TrendSpec(kind=TrendKind.GP, length_scale=36.0, basis=12),
    Grain.MONTH: TrendSpec(kind=TrendKind.GP, length_scale=8.0, basis=12),
}
"""It turns within two thirds of a year; twelve functions carry that over six years."""


class ShapeSignals(NamedTuple):
    """What the draws at hand say about shapes that they were not drawn with."""

    log_bayes_factors: Mapping[Shape, float]
    """Of those that are a matter of priors."""
    autocorrelation: float
    """Largest of the noise of any entity, posterior mean; 0 where noise is independent."""


def open_shapes(model: ModelSpec) -> list[Shape]:
    """Return the shapes that a spec leaves open: of parts that it does not state."""
    if model.transform is not None:
        return []
    is_default = {
        ModelPart.ADSTOCK: model.adstock.kind is AdstockKind.GEOMETRIC
        and model.adstock.carryover is Carryover.SHORT,
        ModelPart.SATURATION: model.saturation.kind is SaturationKind.HILL
        and model.saturation.slope is Slope.MODERATE,
        ModelPart.TREND: model.trend.kind is TrendKind.LINEAR and model.autocorrelated_noise,
    }
    return [s for s, part in _PARTS.items() if part in model.choose and is_default[part]]


def with_shapes(model: ModelSpec, shapes: Collection[Shape], grain: Grain) -> ModelSpec:
    """Return a model with other shapes; it states them, so nothing is chosen again.

    Parameters
    ----------
    model
        As the spec has it.
    shapes
        What differs.
    grain
        Length of a period.
    """
    adstock, saturation, trend = model.adstock, model.saturation, model.trend
    if Shape.LONG in shapes or Shape.DELAYED in shapes:
        kind = AdstockKind.DELAYED if Shape.DELAYED in shapes else AdstockKind.GEOMETRIC
        adstock = adstock.model_copy(update={"kind": kind, "carryover": Carryover.LONG})
    if Shape.STEEP in shapes:
        saturation = saturation.model_copy(update={"slope": Slope.STEEP})
    if Shape.SMOOTH in shapes:
        trend = _SMOOTH_TREND[grain]
    left = [part for part in model.choose if part not in {_PARTS[s] for s in shapes}]
    return model.model_copy(
        update={"adstock": adstock, "saturation": saturation, "trend": trend, "choose": left}
    )


def measure_signals(
    draws: xr.Dataset, adstock: Collection[str], saturation: Collection[str]
) -> ShapeSignals:
    """Hold the draws of a fit with default shapes against other priors.

    Parameters
    ----------
    draws
        Dims ``(chain, draw, ...)``.
    adstock, saturation
        Channels that do not state their own.
    """
    slope = SATURATIONS[SaturationKind.HILL].priors["slope"]
    factors = {
        Shape.STEEP: _log_bayes_factor(draws, "saturation_slope", saturation, (slope, _STEEPER)),
        Shape.LONG: _log_bayes_factor(draws, "adstock_alpha", adstock, (RETENTION_PRIOR, _LONGER)),
    }
    noise = float(draws["y_rho"].mean(("chain", "draw")).max()) if "y_rho" in draws else 0.0
    return ShapeSignals({s: f for s, f in factors.items() if f is not None}, noise)


def _log_bayes_factor(
    draws: xr.Dataset,
    name: str,
    channels: Collection[str],
    priors: tuple[TransformPrior, TransformPrior],
) -> float | None:
    """Log of the mean over draws of the second prior's density over the first's."""
    if name not in draws:
        return None
    stacked = draws[name].stack({SAMPLE_DIM: ("chain", "draw")})
    (dim,) = set(stacked.dims) - {SAMPLE_DIM}
    known = [str(n) in channels for n in stacked[dim].values]
    values = stacked.transpose(SAMPLE_DIM, dim).to_numpy()[:, known]
    assumed, other = (log_density(prior, values) for prior in priors)
    return float(logsumexp((other - assumed).sum(axis=1)) - np.log(len(values)))


def log_density(prior: TransformPrior, values: Array) -> Array:
    """Log density of a beta or a log-normal prior, up to what all priors have in common."""
    if prior.family == "beta":
        inside = np.clip(values, 1e-9, 1 - 1e-9)
        return np.asarray(stats.beta.logpdf(inside, prior.first, prior.second))
    return np.asarray(stats.norm.logpdf(np.log(values), prior.first, prior.second))


def shapes_to_try(
    signals: ShapeSignals, may: Collection[Shape], champion: Collection[Shape]
) -> list[Shape]:
    """Return the shapes that are worth a brief fit.

    Parameters
    ----------
    signals
        From the fit with what was assumed.
    may
        Those that the spec leaves open.
    champion
        Those of the champion.
    """
    factors = signals.log_bayes_factors
    called = {s for s, least in CALLED_FROM.items() if factors.get(s, -np.inf) > least}
    if Shape.LONG in called:
        called.add(Shape.DELAYED)
    if signals.autocorrelation > LASTING_NOISE:
        called.add(Shape.SMOOTH)
    return [shape for shape in Shape if shape in may and shape in {*called, *champion}]


def choose_shapes(
    tried: Sequence[TriedShape], signals: ShapeSignals, champion: Collection[Shape]
) -> list[Shape]:
    """Return the shapes that are taken: steep curves, and one of carryover and trend.

    Long carryover, delayed carryover and a drifting level look alike, so the best explanation of
    the three is taken, each by what it shows above what it has to.

    Parameters
    ----------
    tried
        Brief fits.
    signals
        From the fit with what was assumed.
    champion
        Shapes of the champion.
    """
    above = {t.shape: _margin(t, KEPT * (t.shape in champion)) for t in tried}
    for shape, least in CALLED_FROM.items():
        shown = signals.log_bayes_factors.get(shape, -np.inf) + KEPT * (shape in champion)
        if shape in above and shown <= least:
            del above[shape]
    slow = {s: a for s, a in above.items() if s is not Shape.STEEP and a > 0}
    taken: set[Shape] = {max(slow, key=lambda shape: slow[shape])} if slow else set()
    if above.get(Shape.STEEP, -1.0) > 0:
        taken.add(Shape.STEEP)
    return [shape for shape in Shape if shape in taken]


def _margin(tried: TriedShape, kept: float) -> float:
    """How far a gain is above what the shape has to show; none where it may be chance."""
    gain = tried.elpd_difference + kept
    if tried.shape is Shape.SMOOTH and gain <= SURE * tried.standard_error:
        return -np.inf
    return gain - LEAST_GAIN[tried.shape]


def compare(shape: Shape, elpd: Array, assumed: Array) -> TriedShape:
    """Compare two fits by the expected log predictive density of every value, ``(value,)`` each."""
    gain = elpd - assumed
    return TriedShape(
        shape=shape,
        elpd_difference=float(gain.sum()),
        standard_error=float(np.sqrt(len(gain)) * gain.std()),
    )


_WORDS = {
    Shape.STEEP: "S-shaped curves",
    Shape.LONG: "carryover of months",
    Shape.DELAYED: "carryover with a peak weeks later",
    Shape.SMOOTH: "a smooth trend",
}


def note_choice(record: ShapeRecord) -> str:
    """Return a note on what was assumed, tried and chosen."""
    tried = "; ".join(
        f"{_WORDS[t.shape]} ({t.elpd_difference:+.1f} ± {t.standard_error:.1f})"
        for t in record.tried
    )
    what = "nothing was better by enough, so this fit has what is assumed by default"
    if record.not_sampled:
        what = (
            f"{_listed(record.not_sampled)} would predict better, but no fit with that was sampled "
            "well: this one has what is assumed by default, and may be wrong"
        )
    elif record.chosen:
        kept = ", as the champion has" if set(record.chosen) <= set(record.champion) else ""
        what = f"this fit has {_listed(record.chosen)} in place of what is assumed by default{kept}"
    return (
        f"shape_chosen: {what}. Tried, with the gain in expected log predictive density by "
        f"PSIS-LOO: {tried}. What is stated under model.adstock, model.saturation and model.trend "
        "is never changed; a lift test tells what the data do not."
    )


def note_shape_of(taken: Sequence[Shape]) -> str:
    """Return a note on fits that choose no shape themselves, though their spec leaves it open.

    Parameters
    ----------
    taken
        What they have of the champion.
    """
    if taken:
        return (
            f"Every fit here has {_listed(taken)}, which the champion's refit chose on all of its "
            "data; none chooses by itself."
        )
    return (
        "Every fit here has the shape that is assumed by default, and chooses none by itself as a "
        "refit may (model.choose)."
    )


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join(_WORDS[shape] for shape in shapes)
