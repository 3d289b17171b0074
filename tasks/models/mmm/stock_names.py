"""Names as a stock pymc-marketing ``MMM`` can store them: its files take ``/`` for a path."""

from collections.abc import Mapping
from typing import Any

import xarray as xr

from schemas.names import CHANNEL_DIM, CONTROL_DIM, TERM_DIM
from tasks.models.contract import ModelInputs

SLASH, LOOKS_LIKE_SLASH = "/", "\N{DIVISION SLASH}"
"""The second is what ``/`` becomes: it reads the same and is no path."""


def stored_name(name: str) -> str:
    """Return a name without a slash."""
    return name.replace(SLASH, LOOKS_LIKE_SLASH)


def rename_for_storage(
    draws: xr.Dataset, panel: xr.Dataset, inputs: ModelInputs
) -> tuple[xr.Dataset, xr.Dataset, ModelInputs]:
    """Return draws, panel and inputs of a fit under names that can be stored.

    Parameters
    ----------
    draws
        Published draws, with the coordinates of channels and terms.
    panel, inputs
        What was fitted.
    """
    blocks = ("channels", "controls", "events")
    metadata = inputs.metadata.model_copy(
        update={
            block: [
                one.model_copy(update={"name": stored_name(one.name)})
                for one in getattr(inputs.metadata, block)
            ]
            for block in blocks
        }
    )
    renamed = ModelInputs(metadata, _relabel(inputs.scales))
    return _relabel(draws), _relabel(panel), renamed


def _relabel(dataset: xr.Dataset) -> xr.Dataset:
    named: Mapping[Any, Any] = {
        dim: [stored_name(str(label)) for label in dataset[dim].values]
        for dim in dataset.dims
        if dim in dataset.coords
        and (str(dim) in (CONTROL_DIM, TERM_DIM) or str(dim).endswith(CHANNEL_DIM))
    }
    return dataset.assign_coords(named)
