"""Shapes of a model that a refit tried and chose, and what spoke for each."""

from enum import StrEnum

from pydantic import Field

from schemas.documents.base import Number, Part
from schemas.refs import Ref


class Shape(StrEnum):
    """One way in which a model may differ from what is assumed by default."""

    STEEP = "steep"
    """Curves are S-shaped."""
    LONG = "long"
    """Carryover lasts for months."""
    DELAYED = "delayed"
    """Carryover has its peak weeks later."""
    SMOOTH = "smooth"
    """The trend is a smooth curve."""


class TriedShape(Part):
    """A brief fit with another shape, beside the one with what was assumed."""

    shape: Shape = Field(description="What it did differently.")
    elpd_difference: Number = Field(
        description="Expected log predictive density (PSIS-LOO) above that of what was assumed."
    )
    standard_error: Number = Field(description="Of the difference.")


class ShapeRecord(Part):
    """Why a fit has the shape it has."""

    log_bayes_factors: dict[str, Number] = Field(
        description="Logarithm of how much likelier the data are with a prior halfway to another "
        "shape, by shape; from the draws of what was assumed."
    )
    champion: list[Shape] = Field(description="Shapes of the champion, which are kept more easily.")
    tried: list[TriedShape] = Field(description="Brief fits.")
    chosen: list[Shape] = Field(description="None: what was assumed.")
    not_sampled: list[Shape] = Field(
        [], description="Better, but the fit with them was not sampled well, so not taken."
    )


class ShapeChoice(Ref):
    """What a refit decides on the shapes of its model."""

    record: ShapeRecord | None = None
    """None where nothing spoke against what was assumed, and nothing was tried."""

    @property
    def name(self) -> str:
        """Name of the chosen shapes together."""
        return "_".join(self.chosen)

    def without_other(self) -> "ShapeChoice":
        """Return the choice of what is assumed, where the chosen shape was not sampled well."""
        if self.record is None:
            return self
        changed = {"chosen": [], "not_sampled": self.record.chosen}
        return ShapeChoice(record=self.record.model_copy(update=changed))

    @property
    def chosen(self) -> list[Shape]:
        """Shapes that are taken; none: what was assumed."""
        return self.record.chosen if self.record else []
