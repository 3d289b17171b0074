"""How long files are kept: the block ``retention`` of a run spec."""

from pydantic import Field

from schemas.spec.base import Choice, SpecModel

MAX_DAYS = 36_500


class LandingPolicy(Choice):
    """What happens to landed files of accepted batches that still hold values."""

    KEEP = "keep"
    EXPIRE = "expire"


class RetentionSpec(SpecModel):
    """Which files ``mmm prune`` may remove; rows of the warehouse are never removed."""

    keep_runs: int = Field(
        26, ge=1, le=100_000, description="Newest accepted runs whose files stay."
    )
    keep_days: int = Field(90, ge=0, le=MAX_DAYS, description="Younger accepted runs stay, too.")
    keep_rollbacks: int = Field(
        3,
        ge=1,
        le=1000,
        description="Champions before this one that stay, so that `mmm rollback` can go to them.",
    )
    keep_rejected_days: int = Field(
        30, ge=1, le=MAX_DAYS, description="Files of rejected and failed runs stay this long."
    )
    landing: LandingPolicy = Field(
        LandingPolicy.KEEP,
        description="`keep`: landed files of accepted batches stay while a value of theirs is in "
        "use; `expire`: they go after `landing_days`, but for the newest.",
    )
    landing_days: int = Field(
        90, ge=0, le=MAX_DAYS, description="Landed files that may go stay this long."
    )
    plans_days: int = Field(365, ge=0, le=MAX_DAYS, description="Files of plans stay this long.")
