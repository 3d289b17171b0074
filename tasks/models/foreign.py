"""Code of others that a run spec names: found by name, permitted, and its output looked at.

A run spec names code here, and naming code is running it: who may write a spec is not who may run a
program on this machine (SECURITY.md). So the machine decides: ``MMM_TRANSFORMS`` lists the modules
whose classes a spec may name, and nothing else is ever imported.
"""

import importlib
import os
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SpecError

Array = NDArray[np.float64]

PERMITTED = "MMM_TRANSFORMS"
"""Environment variable: modules whose classes a spec may name, separated by commas. A package
permits what is in it."""
TRANSFORM_GROUP = "steady_mmm.transforms"
"""Group in which an installed package may give a class a short name."""


def make_transform(name: str, key: str, look_at: Callable[[Any], Iterable[str]]) -> Any:
    """Return an instance of the class that a spec names, which has ``transform`` and ``l_max``.

    Parameters
    ----------
    name
        ``package.module:Class``, or the name of an entry point of ``TRANSFORM_GROUP``.
    key
        Key of the run spec that names it, for the message.
    look_at
        Says what else is wrong with an instance.

    Raises
    ------
    SpecError
        If this machine does not permit its module, it cannot be imported or made, or it is no
        transform.
    """
    made = _make(name, key)
    problems = [*_shape_problems(made), *look_at(made)]
    if problems:
        raise SpecError(f"{key}: {name}: {'; '.join(problems)}.", problems)
    return made


def cut_off(scaled: Array) -> tuple[Array, Array, int]:
    """Return input as rows ``(row, period)``, the same without its last third, and where it is cut.

    ``scaled`` is input of every channel, ``(channel, entity, period)``.
    """
    rows = np.reshape(scaled, (-1, scaled.shape[-1]))
    cut = rows.shape[1] - rows.shape[1] // 3
    return rows, np.where(np.arange(rows.shape[1]) < cut, rows, 0.0), cut


def _make(name: str, key: str) -> Any:
    module, _, attribute = _place(name, key).partition(":")
    if not _is_permitted(module):
        raise SpecError(
            f"{key}: {name} is code, and this machine runs no code that a spec names, but for "
            f"what {PERMITTED} lists. Whoever runs it can permit it: {PERMITTED}={module}"
        )
    try:
        return getattr(importlib.import_module(module), attribute)()
    except Exception as error:  # whatever foreign code raises, the spec is what has to change
        raise SpecError(
            f"{key}: {name} cannot be used: {type(error).__name__}: {error}. Install its package "
            "into this environment, or put its folder on PYTHONPATH; the class takes no arguments."
        ) from error


def output_problem(row: Array, whole: Array, past: Array, cut: int) -> str | None:
    """Say what is wrong with what a transform made of an input; None where nothing is.

    Parameters
    ----------
    row
        The input, ``(period,)``.
    whole, past
        What it became, as it is and with everything from period ``cut`` on taken away.
    cut
        Periods that both inputs have in common.
    """
    if whole.shape != row.shape:
        return f"makes {whole.shape} of input {row.shape}; it may not change its length"
    if not np.isfinite(whole).all():
        return "gives values that are no numbers"
    if (whole < 0).any():
        return "gives negative values; the sign of an effect is the coefficient's"
    if not np.allclose(whole[:cut], past[:cut], rtol=1e-9, atol=1e-12):
        return "looks into the future: earlier values change with later input"
    return None


def _shape_problems(made: Any) -> list[str]:
    problems = []
    if not callable(getattr(made, "transform", None)):
        problems.append("it has no method transform(x, **parameters)")
    l_max = getattr(made, "l_max", None)
    if not isinstance(l_max, int) or isinstance(l_max, bool) or not 1 <= l_max <= 104:
        problems.append(
            f"l_max is {l_max!r}; it says in how many periods an input is felt, from 1 to 104"
        )
    return problems


def _place(name: str, key: str) -> str:
    """Return ``module:Class`` of a name."""
    if ":" in name:
        return name
    for found in entry_points(group=TRANSFORM_GROUP):
        if found.name == name:
            return found.value.partition("[")[0].strip()
    raise SpecError(
        f"{key}: {name} is neither package.module:Class nor an entry point of {TRANSFORM_GROUP}."
    )


def _is_permitted(module: str) -> bool:
    named = (part.strip() for part in os.environ.get(PERMITTED, "").split(","))
    return any(module == one or module.startswith(f"{one}.") for one in named if one)
