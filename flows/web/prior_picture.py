"""Priors of channels as bells on a logarithmic axis, and in a sentence each.

A log-normal prior is a bell on such an axis: its median is the middle, and ``spread`` is the
standard deviation of the logarithm. Quantiles: ``median * exp(z * spread)``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.spec.channels import ChannelPrior, PriorQuantity
from schemas.spec.run_spec import RunSpec
from schemas.words import format_ratio, format_share

_Z_50, _Z_95 = 0.6745, 1.96
"""Standard deviations that hold half and nineteen of twenty draws of a normal distribution."""
_LEFT, _RIGHT, _ROW, _BELL = 96.0, 470.0, 40.0, 30.0
_POINTS = 41
_QUANTITY = {
    PriorQuantity.SHARE: "of the KPI",
    PriorQuantity.ROAS: "ROAS",
    PriorQuantity.COEFFICIENT: "of the KPI scale at full saturation",
}


@dataclass(frozen=True)
class Bell:
    """One prior: outline, ends of its half, middle."""

    channel: str
    outline: str
    """Points of a polygon."""
    low: float
    high: float
    middle: float
    y: float
    sentence: str


@dataclass(frozen=True)
class PriorPicture:
    """Priors of one quantity on a common axis."""

    title: str
    bells: Sequence[Bell]
    ticks: Sequence[tuple[float, str]]
    height: float


def draw_priors(spec: RunSpec) -> list[PriorPicture]:
    """Return the stated priors of channels, a picture per quantity; a competitor's by its size."""
    stated = [(c.name, c.prior) for c in spec.channels or [] if c.prior and c.prior.median != 0]
    return [
        _picture(quantity, of_one)
        for quantity in PriorQuantity
        if (of_one := [(name, prior) for name, prior in stated if prior.quantity is quantity])
    ]


def describe_prior(channel: str, prior: ChannelPrior) -> str:
    """Say what a prior believes, in business words."""
    write = format_ratio if prior.quantity is PriorQuantity.ROAS else format_share
    half, most = (_ends(prior, z) for z in (_Z_50, _Z_95))
    return (
        f"{channel}: about {write(prior.median)} {_QUANTITY[prior.quantity]}; as likely as not "
        f"between {write(half[0])} and {write(half[1])}, and nineteen times of twenty between "
        f"{write(most[0])} and {write(most[1])}."
    )


def _ends(prior: ChannelPrior, z: float) -> tuple[float, float]:
    ends = (prior.median * math.exp(-z * prior.spread), prior.median * math.exp(z * prior.spread))
    return min(ends), max(ends)


def _picture(quantity: PriorQuantity, stated: Sequence[tuple[str, ChannelPrior]]) -> PriorPicture:
    logs = [
        math.log(abs(prior.median)) + side * 2.6 * prior.spread
        for _, prior in stated
        for side in (-1, 1)
    ]
    low, high = min(logs), max(logs)

    def place(log: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (log - low) / (high - low), 1)

    bells = []
    for i, (name, prior) in enumerate(stated):
        base, center = _ROW * (i + 1), math.log(abs(prior.median))
        steps = [-2.6 + 5.2 * k / (_POINTS - 1) for k in range(_POINTS)]
        points = [
            f"{place(center + z * prior.spread)},{round(base - _BELL * math.exp(-z * z / 2), 1)}"
            for z in steps
        ]
        bells.append(
            Bell(
                channel=name,
                outline=" ".join(points),
                low=place(center - _Z_50 * prior.spread),
                high=place(center + _Z_50 * prior.spread),
                middle=place(center),
                y=base,
                sentence=describe_prior(name, prior),
            )
        )
    write = format_ratio if quantity is PriorQuantity.ROAS else format_share
    ticks = [(place(log), write(math.exp(log))) for log in _tick_logs(low, high)]
    title = f"What is believed before the data: {_QUANTITY[quantity]}"
    return PriorPicture(title, bells, ticks, _ROW * len(stated) + 26)


def _tick_logs(low: float, high: float) -> list[float]:
    """Return logarithms of 1, 2 and 5 times powers of ten, at most about eight of them."""
    first, last = math.floor(low / math.log(10)), math.ceil(high / math.log(10))
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    found = [math.log(step * 10.0**power) for power in range(first, last + 1) for step in steps]
    return [log for log in found if low <= log <= high]
