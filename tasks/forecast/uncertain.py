"""What nobody has said of coming media and controls, as paths that their own past has taken.

A forecast that supposes one path of spend is right only if that is what will be spent. What is
planned (``planned`` of the run spec) is the same on all paths. Without a plan, coming periods are
blocks of the past two years, all channels and entities together, so that bursts stay bursts;
controls are those of a year before, some periods earlier or later, so that seasons stay where they
are and a promotion may move. Events and holidays are facts: they stay.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from schemas.names import DATE_DIM
from schemas.spec.run_spec import Grain
from tasks.mathematics.calendar import PERIODS_PER_YEAR
from tasks.mathematics.planned import KNOWN_CONTROLS, KNOWN_MEDIA
from tasks.models.contract import FittedModel

N_EFFECT_DRAWS = 40
"""Draws that say what another path changes on average; a path's own spread is far larger."""
BLOCK = {Grain.WEEK: 8, Grain.MONTH: 3}
"""Periods of the past that stay together."""
MAX_SHIFT = {Grain.WEEK: 4, Grain.MONTH: 1}
"""Periods by which a control may come earlier or later than a year before."""


def vary_coming(
    continued: xr.Dataset, n_past: int, grain: Grain, rng: np.random.Generator
) -> xr.Dataset:
    """Return a continued panel with one other path of coming media, spend and controls.

    Parameters
    ----------
    continued
        From ``tasks.forecast.forecast.continue_panel``.
    n_past
        Periods of it that were observed.
    grain
        Length of a period.
    rng
        Draws where blocks begin.
    """
    n_coming, year = continued.sizes[DATE_DIM] - n_past, PERIODS_PER_YEAR[grain]
    if not n_coming:
        return continued
    recent = min(n_past, 2 * year)
    n_blocks = -(-n_coming // BLOCK[grain])
    starts = rng.integers(n_past - recent, n_past, n_blocks)
    block = np.concatenate([start + np.arange(BLOCK[grain]) for start in starts])[:n_coming]
    media = n_past - recent + (block - (n_past - recent)) % recent
    sources = {"media": media, "spend": media}
    if n_past >= year + MAX_SHIFT[grain]:
        shift = rng.integers(-MAX_SHIFT[grain], MAX_SHIFT[grain] + 1)
        ago = n_past - year + np.arange(n_coming) % year + shift
        sources["controls"] = np.minimum(ago, n_past - 1)
    return _replaced(continued, n_past, sources)


def draw_changes(
    model: FittedModel, continued: xr.Dataset, n_past: int, grain: Grain, *, paths: int, seed: int
) -> NDArray[np.float64]:
    """Expected KPI of coming periods under other paths, over that under the supposed one.

    Parameters
    ----------
    model, continued, n_past, grain
        As in ``vary_coming``.
    paths
        Number of paths.
    seed
        Seed of the paths.

    Returns
    -------
    NDArray
        ``(path, entity, date)``: a difference in KPI units where the model is additive, else a
        factor, each by the mean over ``N_EFFECT_DRAWS`` draws.
    """
    few, rng = model.thinned(N_EFFECT_DRAWS), np.random.default_rng(seed)
    supposed = few.expected(continued)[..., n_past:].mean(axis=0)
    changes = []
    for _ in range(paths):
        varied = vary_coming(continued, n_past, grain, rng)
        expected = few.expected(varied)[..., n_past:].mean(axis=0)
        changes.append(expected - supposed if model.additive else expected / supposed)
    return np.stack(changes)


def _replaced(
    continued: xr.Dataset, n_past: int, sources: Mapping[str, NDArray[np.intp]]
) -> xr.Dataset:
    """Take the coming periods of some variables from past periods, named by variable.

    What is planned of them stays. Labels stay as they are, so nothing is aligned: that would cost
    more than all else here.
    """
    data = {str(name): continued.variables[name].data for name in continued.data_vars}
    for name, source in sources.items():
        variable = continued.variables[name]
        index = np.concatenate([np.arange(n_past), source])
        values = variable.isel({DATE_DIM: index}).to_numpy()
        planned = KNOWN_CONTROLS if name == "controls" else KNOWN_MEDIA
        if planned in data:
            values = np.where(data[planned], variable.to_numpy(), values)
        data[name] = values
    return continued.copy(data=data)
