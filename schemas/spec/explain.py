"""Whether and how long a refit asks why its returns are others than the champion's."""

from pydantic import Field

from schemas.spec.base import SpecModel


class ExplainSpec(SpecModel):
    """The block ``explain`` of a run spec."""

    in_refit: bool = Field(
        True,
        description="Say in every accepted refit why its returns are others than the champion's.",
    )
    max_minutes: float = Field(
        10,
        gt=0,
        le=24 * 60,
        description="Minutes that the auxiliary fits of this may take together.",
    )
