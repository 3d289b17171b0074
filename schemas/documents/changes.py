"""Why returns changed from one run to another: the factors, the fits it takes, the answer."""

import math
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.documents.base import Count, Document, Ratio, Seconds
from schemas.documents.base import Part as Frozen
from schemas.refs import FeaturesRef, FileRef, Ref, SnapshotRef
from schemas.spec.run_spec import RunSpec

CLEAR = 2.0
"""A part is told apart from sampling noise beyond this many Monte Carlo standard errors."""


class Factor(StrEnum):
    """What can move a return from one run to the next; the order is that of the answer."""

    NOISE = "noise"
    """The sampler's own chance: another seed gives another average."""
    NEW_PERIODS = "new_periods"
    """Rows that the earlier run did not have."""
    RESTATED = "restated"
    """Other values in rows that the earlier run had."""
    SPEC_OR_CODE = "spec_or_code"
    """Another run spec, other code, or other libraries."""


STEPS = (Factor.SPEC_OR_CODE, Factor.RESTATED, Factor.NEW_PERIODS)
"""In which order factors are listed; where fits are missing, in which they are let in."""


Moved = Annotated[float, Field(json_schema_extra={"unit": "unit of the quantity"})]


class Part(Frozen):
    """One part of a change, in the unit of the quantity."""

    value: Moved
    """What the factor changed, posterior mean."""
    mcse: Moved
    """Monte Carlo standard error of the value."""
    order_low: Moved | None = None
    """Least that the factor changed over the orders in which factors are let in; null with one."""
    order_high: Moved | None = None
    """Most that it changed over the orders."""

    @property
    def is_clear(self) -> bool:
        """Whether it is more than sampling noise."""
        return abs(self.value) > CLEAR * self.mcse


class ChannelChange(Frozen):
    """The change of one channel and what it is due to."""

    channel: str
    """Channel that both fits have."""
    quantity: str
    """``roas``, or ``share`` of the KPI where a fit has no ROAS."""
    before: Moved
    """Posterior mean of the earlier run."""
    after: Moved
    """Posterior mean of the later run."""
    parts: dict[Factor, Part]
    """A factor that could not be told apart is absent; the others and ``unsplit`` add up."""
    unsplit: Part | None = None
    """What several factors did together, where a fit that splits them is missing."""
    main_cause: str
    """A factor, or ``unsplit``."""
    sentence: str
    """The change and its main cause in plain words."""

    @property
    def change(self) -> float:
        """What the parts add up to."""
        return self.after - self.before

    def total_of_parts(self) -> float:
        """Sum of the parts, ``unsplit`` among them."""
        more = [self.unsplit.value] if self.unsplit else []
        return math.fsum([*(part.value for part in self.parts.values()), *more])


class CounterfactualFit(Ref):
    """A fit that nobody asked for, made to tell factors apart."""

    name: str
    """The factors that were let in, joined; ``noise`` for a repetition with another seed."""
    says: str
    spec: RunSpec
    """With the settings of the sampler and the seed."""
    snapshot: SnapshotRef
    """What it is fitted on."""
    features: FeaturesRef | None = None
    """Its features, where a run has made them already."""


class FitReturns(Ref):
    """Returns of one fit: their averages and what the sampler knows of their accuracy."""

    file: FileRef
    seconds: float


class TriedFit(Ref):
    """A auxiliary fit that was begun."""

    name: str
    seconds: float
    returns: FitReturns | None = None
    error: str = ""


class NextFit(Ref):
    """The auxiliary fit that is begun next, and how long it may take."""

    fit: CounterfactualFit
    limit_seconds: float = Field(gt=0)


class Comparison(Ref):
    """Two runs laid side by side, and the fits that are to tell factors apart."""

    run_a: str
    run_b: str
    dataset_id: str
    key: str
    """Of both runs by content and of the code: the same key gives the same answer."""
    changed: list[Factor]
    """In the order of ``STEPS``."""
    facts: dict[str, str]
    """What changed of each factor, in words."""
    notes: list[str]
    before: FileRef
    after: FileRef
    """Returns of either run."""
    noise_at: list[Factor] | None
    """Factors let in where another seed is tried; None for nowhere."""
    on_record: list[FileRef] = []
    """Returns of repetitions with other seeds that were made before."""
    fits: list[CounterfactualFit]
    expected_seconds: float
    """What one fit takes, by the later run's own."""
    max_seconds: float | None = None
    """What all of them may take; None for no limit."""


class FitTold(Frozen):
    """What became of an auxiliary fit."""

    name: str
    """The factors that were let in, joined by ``_and_``; ``noise`` for a repetition with another
    seed. Up to 2026-11 the factor that was let in last."""
    says: str
    """What the fit is, in words."""
    seed: Count
    """Seed of everything random in it."""
    seconds: Seconds | None
    """Wall seconds; null where it was not made."""
    r_hat_max: Ratio | None = None
    """Worst R-hat over the returns."""
    error: str = ""
    """Why it gave nothing; empty where it did."""


class Explanation(Document):
    """``change.json``: why the returns of run B are others than those of run A."""

    run_a: str
    """The earlier run."""
    run_b: str
    """The later run."""
    dataset_id: str
    """Dataset of both."""
    key: str = ""
    """Of both runs by content and of the code: the same key gives the same answer."""
    changed: list[Factor] = []
    """What is not the same in both."""
    facts: dict[str, str] = {}
    """What changed of each factor, in words."""
    channels: list[ChannelChange] = []
    """Channels that both fits have."""
    fits: list[FitTold] = []
    """Auxiliary fits that tell the factors apart."""
    notes: list[str] = []
    """What a reader must know."""
    n_orders: Count = 1
    """Orders of letting factors in that the parts are averages over."""
    is_on_record: bool = False
    """Whether this is the answer to the same question that was asked before."""
    is_complete: bool
    """Whether every factor was told apart."""

    @property
    def seconds(self) -> float:
        """What the auxiliary fits took."""
        return sum(fit.seconds or 0.0 for fit in self.fits)


class ExplanationRef(Ref):
    """Where an explanation is."""

    file: FileRef
    is_complete: bool


class ExplainRequest(BaseModel):
    """Two runs of one dataset, the earlier one first."""

    model_config = ConfigDict(frozen=True)

    run_a: str
    run_b: str
