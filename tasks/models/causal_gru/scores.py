"""How well a fit forecasts beside something simpler, and what follows where it does not."""

import math
from typing import NamedTuple

import xarray as xr

from schemas.outcomes import GateOutcome, Verdict
from schemas.words import format_number

_GATE = "error_against_simpler_forecasts"


class Scores(NamedTuple):
    """Root mean squared errors over origins and entities, KPI units: attributes of draws."""

    rmse_own: float
    rmse_naive: float
    """Of the KPI of a year before."""
    rmse_ridge: float
    """Of kind ``ridge``, with the media that ran."""
    n_scored: int
    """Scored periods."""

    @property
    def ratio(self) -> float:
        """Own error over the smaller one of the two others; NaN where there is none."""
        rival = min(self.rmse_naive, self.rmse_ridge)
        return self.rmse_own / rival if rival > 0 else math.nan


def read_scores(draws: xr.Dataset) -> Scores:
    """Return the scores that a fit left with its draws."""
    own, naive, ridge = (float(draws.attrs[name]) for name in Scores._fields[:3])
    return Scores(own, naive, ridge, int(draws.attrs["n_scored"]))


def describe_defeat(scores: Scores) -> str | None:
    """Say that something simpler forecasts as well; None where nothing does."""
    if scores.ratio < 1:
        return None
    is_naive = scores.rmse_naive <= scores.rmse_ridge
    rival = "the KPI of a year before" if is_naive else "a ridge regression"
    return (
        f"Over {scores.n_scored} held-out periods this model's error was "
        f"{format_number(scores.rmse_own)}, that of {rival} "
        f"{format_number(min(scores.rmse_naive, scores.rmse_ridge))}: it abstains from advice."
    )


def judge_scores(scores: Scores) -> GateOutcome:
    """Judge the own error against the smaller one of the others: REVIEW from 1 on."""
    defeat = describe_defeat(scores)
    if math.isnan(scores.ratio):
        verdict = Verdict.NOT_EVALUATED
    else:
        verdict = Verdict.PASS if defeat is None else Verdict.REVIEW
    return GateOutcome(
        gate=_GATE,
        verdict=verdict,
        observed=None if math.isnan(scores.ratio) else scores.ratio,
        pass_limit=1.0,
        where=f"{scores.n_scored} held-out periods",
        reason="" if defeat is None else f"{defeat} Use kind ridge or mmm for decisions.",
    )
