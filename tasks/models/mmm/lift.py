"""Lift tests as data of kind ``mmm``: what experiments say about the response to a channel.

A test says that other spend in some periods would have made another KPI. The model has an opinion
on that too: its response to the changed input less its response to the input as it was, over the
test and the carryover after it, through its own adstock and saturation. The test is a measurement
of that difference, ``delta_kpi ~ Normal(lift, standard_error)``.

A test of one entity is one segment of its input series; a test of all entities is one segment per
entity. Before the test a segment has as much history as the carryover reaches back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.documents.features import FeatureMetadata
from schemas.names import CHANNEL_DIM, ENTITY_DIM, SAMPLE_DIM
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.carryover import ADSTOCKS, adstock_weights, stack_lags
from tasks.mathematics.saturation import SATURATIONS, saturation_shape
from tasks.mathematics.scaling import scale_media
from tasks.models.contract import ModelInputs
from tasks.models.lift_placement import PlacedTest, change_input, place_tests
from tasks.models.mmm.design import (
    ChannelTransforms,
    channel_places,
    channel_transforms,
    media_before,
)


@dataclass(frozen=True)
class LiftDesign:
    """Segments of input series that lift tests speak about; all arrays are rectangular."""

    test: NDArray[np.intp]
    """``(segment,)``: the test that the segment belongs to."""
    channel: NDArray[np.intp]
    """``(segment,)``: position of its channel."""
    entity: NDArray[np.intp]
    """``(segment,)``: position of its entity."""
    baseline: NDArray[np.float64]
    """``(segment, period)``: scaled input as it was. Segments end together; what is too short has
    zeros in front, where both series agree, so that it adds nothing to a difference."""
    changed: NDArray[np.float64]
    """``(segment, period)``: scaled input with ``delta_spend``."""
    first: NDArray[np.intp]
    """``(segment,)``: first period of the test in the segment; nothing differs before it."""
    date: NDArray[np.intp]
    """``(segment, period)``: position in the panel, 0 for what was put in front."""
    kpi_scale: NDArray[np.float64]
    """``(segment,)``: KPI units per unit of scaled KPI."""
    delta_kpi: NDArray[np.float64]
    """``(test,)``: measured lift, KPI units."""
    standard_error: NDArray[np.float64]
    """``(test,)``: its standard error, KPI units."""
    transforms: tuple[ChannelTransforms, ...]
    """Per channel."""

    def only(self, segments: NDArray[np.intp]) -> "LiftDesign":
        """Keep some segments; tests stay as they are."""
        names = ("test", "channel", "entity", "baseline", "changed", "first", "date", "kpi_scale")
        return replace(self, **{name: getattr(self, name)[segments] for name in names})


def read_tests(metadata: FeatureMetadata) -> list[LiftTest]:
    """Return the lift tests in feature metadata."""
    return list(metadata.lift_tests or ())


def lift_design(
    panel: xr.Dataset, inputs: ModelInputs, tests: Sequence[LiftTest] | None = None
) -> LiftDesign:
    """Cut out the segments of a panel that lift tests speak about.

    Parameters
    ----------
    panel
        As ``tasks.mathematics.panel.build_panel`` makes it.
    inputs
        Feature metadata and scales.
    tests
        Default: those in the metadata. Without tests all arrays are empty.

    Raises
    ------
    SpecError
        If a test does not fit the panel (``lift_placement.place_tests``).
    """
    tests = read_tests(inputs.metadata) if tests is None else tests
    transforms = channel_transforms(inputs.metadata)
    scale = inputs.scales["kpi_scale"].sel({ENTITY_DIM: panel[ENTITY_DIM].values}).to_numpy()
    baseline = scale_media(panel, inputs.scales)
    earlier = media_before(np.moveaxis(baseline, 1, 0), transforms, inputs.metadata)
    segments = [
        _segment((position, entity, placed), transforms[placed.channel], series, earlier)
        for position, placed in enumerate(place_tests(panel, inputs.metadata.grain, tests))
        for series in [(baseline, scale_media(change_input(panel, placed), inputs.scales))]
        for entity in placed.entities
    ]
    length = max((len(s.baseline) for s in segments), default=0)
    entities = np.array([s.entity for s in segments], dtype=np.intp)
    ends = np.array([s.end for s in segments], dtype=np.intp)
    return LiftDesign(
        test=np.array([s.test for s in segments], dtype=np.intp),
        channel=np.array([s.channel for s in segments], dtype=np.intp),
        entity=entities,
        baseline=_align([s.baseline for s in segments], length),
        changed=_align([s.changed for s in segments], length),
        first=np.array([length - (s.end - s.first) for s in segments], dtype=np.intp),
        date=np.maximum(np.arange(-length, 0) + ends[:, None], 0),
        kpi_scale=scale[entities],
        delta_kpi=np.array([t.delta_kpi for t in tests], dtype=float),
        standard_error=np.array([t.standard_error for t in tests], dtype=float),
        transforms=transforms,
    )


class _Segment(NamedTuple):
    test: int
    channel: int
    entity: int
    baseline: NDArray[np.float64]
    changed: NDArray[np.float64]
    first: int
    end: int
    """First period of the test, and the one after the segment, in the panel."""


def _segment(
    place: tuple[int, int, PlacedTest],
    transform: ChannelTransforms,
    series: tuple[NDArray[np.float64], NDArray[np.float64]],
    earlier: NDArray[np.float64],
) -> _Segment:
    """Cut history, test and carryover out of ``(entity, channel, date)`` series.

    ``earlier (channel, entity)`` is what was before their first period.
    """
    test, entity, placed = place
    reach = transform.n_lags - 1
    begin = max(placed.first - reach, 0)
    end = min(placed.last + reach + 1, series[0].shape[-1])
    front = np.full(max(reach - placed.first, 0), earlier[placed.channel, entity])
    before, after = (
        np.concatenate([front, values[entity, placed.channel, begin:end]]) for values in series
    )
    return _Segment(test, placed.channel, int(entity), before, after, placed.first, end)


def _align(series: list[NDArray[np.float64]], length: int) -> NDArray[np.float64]:
    return np.array([np.pad(s, (length - len(s), 0)) for s in series]).reshape(len(series), length)


def lift_of_segments(
    design: LiftDesign,
    parameters: Mapping[str, Any],
    beta: Any,
    *,
    multiplier: Any = None,
    xp: ModuleType = np,
) -> Any:
    """Lift that the model expects of every test.

    In the graph: ``pm.Normal("lift", mu=lift_of_segments(design, parameters, beta, xp=pt),
    sigma=design.standard_error, observed=design.delta_kpi)``.

    Parameters
    ----------
    design
        With at least one segment.
    parameters
        ``adstock_*`` and ``saturation_*`` by published name, each ``(..., channel)`` over the
        channels that have it.
    beta
        ``saturation_beta``, ``(..., entity, channel)``, its sign included, in scaled KPI.
    multiplier
        Factor of all media over time, ``(..., date)`` over the whole panel; default: none.
    xp
        ``numpy`` or ``pytensor.tensor``; with PyTensor there are no leading axes.

    Returns
    -------
    array
        ``(..., test)``, KPI units.
    """
    tests = np.arange(len(design.delta_kpi))
    total = 0.0
    for transform, segments in _groups(design):
        part = design.only(segments)
        start = int(part.first.min())
        curves = {
            name: value[..., channel_places(design.transforms, name)[part.channel]]
            for name, value in parameters.items()
        }
        after = _shape(part.changed, transform, curves, start, xp)
        difference = after - _shape(part.baseline, transform, curves, start, xp)
        if multiplier is not None:
            difference = difference * multiplier[..., part.date[:, start:]]
        amplitude = beta[..., part.entity, part.channel] * part.kpi_scale
        belongs = (part.test[:, None] == tests).astype(float)
        total = total + (difference.sum(axis=-1) * amplitude) @ belongs
    return total


def _groups(design: LiftDesign) -> list[tuple[ChannelTransforms, NDArray[np.intp]]]:
    """Segments by transform, each computed at once."""
    groups: dict[str, tuple[ChannelTransforms, list[int]]] = {}
    for segment, channel in enumerate(design.channel):
        transform = design.transforms[channel]
        groups.setdefault(repr(transform), (transform, []))[1].append(segment)
    return [(transform, np.array(members)) for transform, members in groups.values()]


def _shape(
    series: NDArray[np.float64],
    transform: ChannelTransforms,
    curves: Mapping[str, Any],
    start: int,
    xp: ModuleType,
) -> Any:
    """Shape from period ``start`` on, ``(..., segment, period)``."""
    adstock, saturation = transform.adstock, transform.saturation
    curve = {n: curves[f"saturation_{n}"] for n in SATURATIONS[saturation.kind].parameters}

    def saturate(x: Any, *new_axes: None) -> Any:
        shaped = {name: value[..., *new_axes] for name, value in curve.items()}
        return saturation_shape(saturation.kind, x, shaped, xp=xp)

    if transform.n_lags == 1:
        return saturate(series[:, start:], None)
    kernel = {n: curves[f"adstock_{n}"] for n in ADSTOCKS[adstock.kind].parameters}
    weights = adstock_weights(adstock.kind, kernel, l_max=transform.n_lags, xp=xp)[..., None]
    lagged = stack_lags(series, transform.n_lags)[..., start:]
    if saturation.before_adstock:
        return (weights * saturate(lagged, None, None)).sum(axis=-2)
    return saturate((weights * lagged).sum(axis=-2), None)


def expected_lift(
    samples: xr.Dataset, design: LiftDesign, *, multiplier: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Lift of every test in every draw.

    Parameters
    ----------
    samples
        Published draws with dim ``sample``.
    design
        Of the same panel and inputs as the draws.
    multiplier
        Factor of all media over time, ``(sample, date)``; default: none.

    Returns
    -------
    NDArray
        ``(sample, test)``, KPI units.
    """
    beta = samples["saturation_beta"].transpose(SAMPLE_DIM, ENTITY_DIM, CHANNEL_DIM).to_numpy()
    parameters = {
        str(name): variable.transpose(SAMPLE_DIM, ...).to_numpy()
        for name, variable in samples.data_vars.items()
        if str(name).startswith(("adstock_", "saturation_")) and name != "saturation_beta"
    }
    lift = np.zeros((samples.sizes[SAMPLE_DIM], len(design.delta_kpi)))
    # One segment at a time: draws x segments x lags x periods would not fit into memory.
    for segment in range(len(design.test)):
        one = design.only(np.array([segment]))
        lift += lift_of_segments(one, parameters, beta, multiplier=multiplier)
    return lift
