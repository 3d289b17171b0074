"""A transform of somebody else as PyTensor: in the graph, for many draws at once, and its slopes.

``transform`` sees one series and one value of each parameter; PyTensor makes the rest of it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.maker import function
from pytensor.compile.mode import Mode
from pytensor.gradient import grad
from pytensor.graph.replace import vectorize_graph

from tasks.models.mmm.own_transform import OwnTransform

Array = NDArray[np.float64]

_MODE = Mode(linker="py", optimizer="fast_run")
"""Without compilation: a transform is evaluated a few times per question, over many draws."""


def in_graph(transform: OwnTransform, series: Array, values: Mapping[str, Any]) -> Any:
    """Return what input ``(entity, period)`` becomes, with parameters that are sampled.

    Parameters
    ----------
    transform
        From ``own_transform.find_transform``.
    series
        Scaled input.
    values
        Scalars of the graph by name of the parameter.
    """
    return _applied(transform, pt.as_tensor(series), values)


def evaluate(transform: OwnTransform, series: Array, values: Mapping[str, Array]) -> Array:
    """Return what input ``(entity, period)`` becomes in every draw, ``(sample, entity, period)``.

    ``values`` are ``(sample,)`` by name of the parameter.
    """
    value, _, _ = _compiled(transform)
    return np.asarray(value(series, *_ordered(transform, values)))


def pull_back(
    transform: OwnTransform, series: Array, values: Mapping[str, Array], weights: Array
) -> Array:
    """Gradient of the weighted sum of ``evaluate`` by its input, ``(entity, period)``."""
    _, gradient, _ = _compiled(transform)
    return np.asarray(gradient(series, weights, *_ordered(transform, values)))


def parameter_slopes(
    transform: OwnTransform, series: Array, values: Mapping[str, Array]
) -> dict[str, Array]:
    """Derivative of the sum of ``evaluate`` by each parameter, ``(sample,)`` by its name."""
    _, _, derivatives = _compiled(transform)
    slopes = derivatives(series, *_ordered(transform, values))
    return dict(zip(transform.parameters, slopes, strict=True))


def _ordered(transform: OwnTransform, values: Mapping[str, Array]) -> list[Array]:
    return [np.asarray(values[name], float) for name in transform.parameters]


def _applied(transform: OwnTransform, series: Any, values: Mapping[str, Any]) -> Any:
    """Write the transform for one series, and spread it over all that are given."""
    x = pt.dvector("x")
    scalars = {name: pt.dscalar(name) for name in transform.parameters}
    written = pt.as_tensor(transform.made.transform(x, **scalars))
    replaced = {x: series, **{scalars[name]: pt.as_tensor(values[name]) for name in scalars}}
    return vectorize_graph(written, replace=replaced)


@cache
def _compiled(transform: OwnTransform) -> tuple[Any, Any, Any]:
    """Functions for the value, its gradient by the input, and its slopes by the parameters."""
    series = pt.dmatrix("series")
    drawn = {name: pt.dvector(name) for name in transform.parameters}
    columns = {name: values[:, None] for name, values in drawn.items()}
    value = _applied(transform, series[None], columns)
    weights = pt.dtensor3("weights")
    inputs = list(drawn.values())
    by_input = grad((weights * value).sum(), series)
    by_parameters = grad(value.sum(), inputs, disconnected_inputs="ignore")
    return (
        function([series, *inputs], value, mode=_MODE, on_unused_input="ignore"),
        function([series, weights, *inputs], by_input, mode=_MODE, on_unused_input="ignore"),
        function([series, *inputs], by_parameters, mode=_MODE, on_unused_input="ignore"),
    )
