"""Bands of the picture that stacks media on everything else."""

from collections.abc import Callable

import pandas as pd

from schemas.names import ComponentKind
from tasks.report.look import CHANNEL_COLOURS

MAX_LAYERS = len(CHANNEL_COLOURS)
"""More channels than this cannot be told apart in one stack."""


def stack_bands(
    wide: pd.DataFrame,
    kinds: dict[str, ComponentKind],
    in_order: Callable[[list[str]], list[str]],
) -> tuple[pd.DataFrame, list[str]]:
    """Everything that is not media, then media; the smallest channels are one band.

    A channel that takes away, a competitor, is part of the first band: bands cannot be negative.

    Parameters
    ----------
    wide
        One row per period, one column per component, KPI units.
    kinds
        What each component is.
    in_order
        Puts names of channels into the order of the page.

    Returns
    -------
    tuple
        Bands, one column each, and the names of the channels in the last one.
    """
    totals = wide.sum()
    media = [c for c in wide.columns if kinds[str(c)] is ComponentKind.CHANNEL and totals[c] >= 0]
    media.sort(key=lambda c: -totals[c])
    others = [c for c in wide.columns if c not in media]
    bands = pd.DataFrame({"everything else": wide[others].sum(axis=1)}, index=wide.index)
    n_shown = len(media) if len(media) <= MAX_LAYERS else MAX_LAYERS - 1
    for name in in_order(media[:n_shown]):
        bands[name if name not in bands else f"{name} (media)"] = wide[name]
    small = in_order(media[n_shown:])
    if small:
        bands[f"{len(small)} smaller channels"] = wide[small].sum(axis=1)
    return bands, small
