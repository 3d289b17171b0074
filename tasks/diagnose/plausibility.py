"""Whether a return can be: what hardly any medium returns is more often demand, or a wrong unit.

Where the money of one channel follows demand, nothing in the data says so: its series explains the
KPI as well as demand does, residuals are clean, and no lead of the KPI shows. What shows is the
size of the return.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import xarray as xr

from schemas.documents.features import FeatureMetadata
from schemas.outcomes import GateOutcome
from schemas.spec.gates import FitGates
from schemas.spec.lift_tests import LiftTest
from tasks.mathematics.judging import judge_at_most
from tasks.models.contract import FittedModel
from tasks.models.returns import evaluate

N_DRAWS_OF_RETURNS = 200
"""Draws whose median is taken: a limit that is a factor above common returns needs no more."""


def median_returns(
    model: FittedModel, panel: xr.Dataset, metadata: FeatureMetadata
) -> dict[str, float]:
    """Return the median ROAS of every channel with spend, money per money.

    Parameters
    ----------
    model, panel
        A fitted model and the panel of its fit.
    metadata
        Whether a KPI unit has a value in money; empty where it has none.
    """
    draws = {
        name: totals.roas(in_money=metadata.in_money)
        for name, totals in evaluate(model.thinned(N_DRAWS_OF_RETURNS), panel).channels.items()
    }
    return {name: float(np.median(roas)) for name, roas in draws.items() if roas is not None}


def of_interest(
    returns: Mapping[str, float], tests: Sequence[LiftTest], undecided: Collection[str]
) -> dict[str, float]:
    """Leave out what may return anything, or says nothing.

    Parameters
    ----------
    returns
        From ``median_returns``.
    tests
        Experiments of the fit: a channel that one of them measured may return what it does.
    undecided
        Channels that are prior-driven; a note says so of each, and no plan moves money on them.
    """
    left_out = {test.channel for test in tests} | set(undecided)
    return {name: value for name, value in returns.items() if name not in left_out}


def judge_returns(judged: Mapping[str, float], gates: FitGates) -> list[GateOutcome]:
    """Judge the largest return; nothing where there is none.

    Parameters
    ----------
    judged
        From ``of_interest``.
    gates
        ``max_return``.
    """
    if not judged:
        return []
    where = max(judged, key=judged.__getitem__)
    remedy = (
        "Hardly any medium returns so much. Where the money of a channel follows demand, as that "
        "of brand search does, it takes the sales that demand brought, and the data cannot tell: "
        "run a lift test (lift_tests), or add what drives demand as a control. Check that spend "
        "and KPI are in the same unit. If it is true, raise gates.fit.max_return."
    )
    limits = (gates.max_return, np.inf)
    return [judge_at_most("highest_return", judged[where], limits, remedy, where=where)]
