"""How a fit is sampled: how long, how carefully, by what, and how far to go on after a failure."""

from pydantic import AliasChoices, Field

from schemas.spec.base import Choice, SpecModel


class SamplerBackend(Choice):
    """What is sampled, and by which NUTS; auto takes the first of the three that can."""

    AUTO = "auto"
    KERNEL = "kernel"
    """The compiled kernel of kind ``mmm``, by nutpie."""
    NUTPIE = "nutpie"
    """The PyMC graph, compiled for nutpie."""
    PYMC = "pymc"
    """The PyMC graph, by PyMC's own NUTS."""


class EscalationSpec(SpecModel):
    """How far to go on after a fit that its sampling gates failed."""

    max_retries: int = Field(
        3,
        ge=0,
        le=6,
        validation_alias=AliasChoices("max_retries", "max_rungs"),
        description="Retries at most after a fit that a sampling gate failed; 0 switches them off. "
        "`max_rungs` is its earlier name.",
    )
    max_minutes: float | None = Field(
        None,
        gt=0,
        le=24 * 60,
        description="Minutes that all fits of a refit together may take; default: "
        "`sampler.timeout_minutes`.",
    )


class SamplerSpec(SpecModel):
    """How long and how carefully to sample."""

    draws: int = Field(1000, ge=20, le=20_000, description="Kept draws per chain.")
    tune: int = Field(1000, ge=20, le=20_000, description="Warm-up draws per chain.")
    chains: int = Field(4, ge=2, le=16, description="Chains; 2 for kind `log_student_t`.")
    target_accept: float = Field(
        0.95,
        ge=0.5,
        lt=1,
        description="Nearer to 1 is slower and more careful; 0.9 for kind `log_student_t`.",
    )
    random_seed: int = Field(
        42, ge=0, lt=2**32, strict=True, description="Seed of everything random."
    )
    backend: SamplerBackend = Field(
        SamplerBackend.AUTO,
        description="`kernel`, `nutpie` or `pymc`; `auto` takes the first that can.",
    )
    timeout_minutes: float = Field(60, gt=0, le=24 * 60, description="Longest the fit may take.")
    escalation: EscalationSpec = Field(
        EscalationSpec(), description="How far to go on after a fit that a sampling gate failed."
    )
