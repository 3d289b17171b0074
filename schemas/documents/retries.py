"""Retries of the escalation: what is tried after a fit that its sampling gates failed."""

from enum import StrEnum

from pydantic import Field

from schemas.refs import DiagnosticsRef, FeaturesRef, PosteriorRef, Ref
from schemas.spec.run_spec import RunSpec
from schemas.spec.sampler import SamplerSpec


class SamplingGate(StrEnum):
    """Gates that judge the sampler, not the data or the model."""

    R_HAT = "r_hat_max"
    ESS_BULK = "ess_bulk_min"
    ESS_TAIL = "ess_tail_min"
    DIVERGENCES = "divergence_share"
    EBFMI = "ebfmi_min"
    TREE_DEPTH = "max_tree_depth_share"


class RetryKind(StrEnum):
    """What a retry does differently from the fit before it."""

    AS_SPECIFIED = "as_specified"
    RESTART = "restart"
    """Another seed, and so other starting points."""
    TUNE = "tune"
    """Twice the tuning of the spec."""
    CAREFUL = "careful"
    """Twice the tuning, and ``target_accept`` half-way to 1."""
    LONGER = "longer"
    """Twice the draws."""
    PATIENT = "patient"
    """Four times the tuning, twice the draws, ``target_accept`` of 0.99."""
    OTHER_SAMPLER = "other_sampler"
    """The next backend: the graph by nutpie after the kernel, then by PyMC."""


class Retry(Ref):
    """One fit of the escalation."""

    number: int = Field(ge=0, description="0 is the fit as the spec has it.")
    kind: RetryKind
    settings: SamplerSpec
    reason: str = Field(description="What failed before, and what is done about it.")
    limit_seconds: float = Field(gt=0, description="Longest that this fit may take.")


class Attempt(Ref):
    """A retry that was tried, and what came of it."""

    retry: Retry
    seconds: float
    posterior: PosteriorRef | None = None
    """None where the sampler stopped with an error or ran out of time."""
    diagnostics: DiagnosticsRef | None = None
    error: str = ""

    @property
    def failures(self) -> dict[str, float]:
        """What was observed at each sampling gate that failed."""
        return self.diagnostics.sampling_failures if self.diagnostics else {}

    @property
    def reviews(self) -> dict[str, float]:
        """What was observed at each sampling gate that is to be reviewed."""
        return self.diagnostics.sampling_reviews if self.diagnostics else {}

    @property
    def is_clean(self) -> bool:
        """Whether there are draws that every sampling gate passed."""
        return self.sampled_well and not self.reviews

    @property
    def sampled_well(self) -> bool:
        """Whether there are draws that no sampling gate failed."""
        return self.diagnostics is not None and not self.failures


class JudgedFit(Ref):
    """The fit that a refit goes on with, and its verdict."""

    posterior: PosteriorRef
    diagnostics: DiagnosticsRef


class ShapedFit(Ref):
    """A judged fit with what it was made of, which another shape of the model changes."""

    fit: JudgedFit
    features: FeaturesRef
    spec: RunSpec
    """As it was asked for, with the shapes that were chosen."""
