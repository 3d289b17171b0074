"""Transforms of media that are not part of the product, with grids that are searched.

How they are found and permitted stands in ``tasks.models.foreign``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.models.foreign import cut_off, make_transform, output_problem

Array = NDArray[np.float64]
Values = tuple[float, ...]

MOST_CANDIDATES = 1000
"""Combinations of parameters of one channel that are searched at most."""
_KEY = "model.ridge.transform"
_STEP = 1e-4
"""Of the largest input: step of the numerical gradient."""


class Transform(Protocol):
    """What a class has to be, whose instances are made without arguments."""

    grids: Mapping[str, Sequence[float]]
    """Values of each parameter that are searched, by the name that ``transform`` takes it by."""
    l_max: int
    """Periods in which an input is felt, its own included."""

    def transform(self, x: Array, **parameters: float) -> Array:
        """Return what input ``(period,)`` becomes: as long, not negative, of the past alone."""
        ...


@dataclass(frozen=True)
class CustomTransform:
    """A class of somebody else, as ``tasks.models.ridge.design.MediaTransform``."""

    made: Transform

    @property
    def grids(self) -> Mapping[str, Sequence[float]]:
        """Values of each parameter that are searched."""
        return self.made.grids

    @property
    def n_lags(self) -> int:
        """Periods in which an input is felt."""
        return self.made.l_max

    def apply(self, scaled: Array, values: Values) -> Array:
        """Transform series by series, ``(..., period)``."""
        parameters = dict(zip(self.grids, values, strict=True))
        rows = np.reshape(scaled, (-1, scaled.shape[-1]))
        done = [np.asarray(self.made.transform(row.copy(), **parameters), float) for row in rows]
        return np.reshape(done, scaled.shape)

    def pull_back(self, scaled: Array, values: Values, weights: Array) -> Array:
        """Numerical: central differences, one period of all series at a time."""
        step = _STEP * max(float(np.abs(scaled).max(initial=0.0)), _STEP)
        gradient = np.zeros(np.broadcast_shapes(scaled.shape, weights.shape))
        for period in range(scaled.shape[-1]):
            up, down = scaled.copy(), scaled.copy()
            up[..., period] += step
            down[..., period] = np.maximum(down[..., period] - step, 0.0)
            change = self.apply(up, values) - self.apply(down, values)
            width = up[..., period] - down[..., period]
            gradient[..., period] = (weights * change).sum(axis=-1) / width
        return gradient


def find_transform(name: str) -> CustomTransform:
    """Return the transform that a spec names.

    Parameters
    ----------
    name
        ``package.module:Class``, or the name of an entry point of ``TRANSFORM_GROUP``.

    Raises
    ------
    SpecError
        If this machine does not permit its module, it cannot be imported, or it is no transform.
    """
    return CustomTransform(make_transform(name, _KEY, _grid_problems))


def try_out(transform: CustomTransform, scaled: Array, name: str) -> list[str]:
    """Say what is wrong with what a transform makes of real input; nothing where all is well.

    Every end of every grid is tried, on input as it is and with its last third taken away.

    Parameters
    ----------
    transform
        From ``find_transform``.
    scaled
        Scaled input of every channel, ``(channel, entity, period)``.
    name
        Its name, for the sentences.
    """
    rows, earlier, cut = cut_off(scaled)
    ends = [sorted({grid[0], grid[-1]}) for grid in transform.grids.values()]
    found: dict[str, None] = {}
    for values in product(*ends):
        parameters = dict(zip(transform.grids, values, strict=True))
        said = ", ".join(f"{name} {value:g}" for name, value in parameters.items())
        for row, before in zip(rows, earlier, strict=True):
            problem = _problem(transform, row, before, parameters, cut)
            if problem is not None:
                found[f"{_KEY}: {name} with {said or 'no parameters'} {problem}"] = None
                break
    return list(found)


def _problem(
    transform: CustomTransform, row: Array, before: Array, parameters: Mapping[str, float], cut: int
) -> str | None:
    try:
        whole, past = (
            np.asarray(transform.made.transform(series.copy(), **parameters), float)
            for series in (row, before)
        )
    except Exception as error:  # whatever foreign code raises, the spec is what has to change
        return f"stops: {type(error).__name__}: {error}"
    return output_problem(row, whole, past, cut)


def _grid_problems(made: Any) -> Iterator[str]:
    grids = getattr(made, "grids", None)
    if not isinstance(grids, Mapping):
        yield "grids is no mapping of parameter names to values"
        return
    for parameter, grid in grids.items():
        numbers = [v for v in grid if isinstance(v, int | float) and np.isfinite(v)]
        if not numbers or len(numbers) < len(grid) or sorted(set(numbers)) != list(grid):
            yield f"grids[{parameter!r}] is {grid!r}; name finite numbers, ascending, each once"
    n_candidates = int(np.prod([len(grid) for grid in grids.values()]))
    if n_candidates > MOST_CANDIDATES:
        yield f"{n_candidates} combinations of parameters; {MOST_CANDIDATES} are searched at most"
