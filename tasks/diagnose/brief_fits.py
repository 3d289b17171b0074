"""Fits beside the one that is judged, each to answer one question.

Belongs here: how brief they are, and when there is no time for one. Does not: what is asked of them
(``without_test``, ``shape_trials``).
"""

import logging
import time

from schemas.errors import SamplingError
from schemas.spec.sampler import SamplerSpec
from tasks.models.contract import ModelInputs
from tasks.models.kind import Sampled, Watch
from tasks.models.opening import OpenFit

log = logging.getLogger(__name__)

MOST_DRAWS = 500
"""Of tuning and of kept draws per chain: means and densities are asked for, no tails."""
MAX_BRIEF_SECONDS = 300.0
"""Time of all fits for one question; each is expected to last as long as the fit itself."""


class BriefFits:
    """Fits of one panel in turn, as long as there is time."""

    def __init__(self, fit: OpenFit, sampler: SamplerSpec, watch: Watch, seconds: float) -> None:
        """Say what is fitted.

        Parameters
        ----------
        fit
            The fit that is judged.
        sampler
            Its settings; a brief fit tunes and draws less.
        watch
            Cores.
        seconds
            What the fit took.
        """
        self._fit, self._watch, self._seconds = fit, watch, seconds
        self._spent = 0.0
        self._sampler = sampler.model_copy(
            update={
                "tune": min(sampler.tune, MOST_DRAWS),
                "draws": min(sampler.draws, MOST_DRAWS),
            }
        )

    def sample(self, inputs: ModelInputs, what: str) -> Sampled | None:
        """Fit the panel with other inputs; None where no time is left or it was not sampled.

        Parameters
        ----------
        inputs
            What differs from the fit.
        what
            The fit in words, for the log.
        """
        if self._spent + self._seconds > MAX_BRIEF_SECONDS:
            log.warning("%s is not made: no time is left", what)
            return None
        started = time.perf_counter()
        try:
            return self._fit.kind.fit(self._fit.panel, inputs, self._sampler, self._watch)
        except SamplingError as error:
            log.warning("%s was not sampled: %s", what, error)
            return None
        finally:
            taken = time.perf_counter() - started
            self._spent += taken
            log.info("%s: %.1f s", what, taken)
