"""What a run spec says about kind ``ridge``: what is searched, how it is pooled, how it is drawn.

Every hyperparameter is a grid, and a grid of one value fixes it. What is searched is chosen by
time-series cross-validation.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.spec.base import Choice, SpecModel

_MOST_VALUES = 20
"""Values of one grid: a search visits all of them for every channel."""


class Pooling(Choice):
    """How much the entities of a panel have in common."""

    COMPLETE = "complete"
    """One coefficient of all entities."""
    NONE = "none"
    """Coefficients of each entity alone."""
    PARTIAL = "partial"
    """Coefficients of each entity, drawn toward the pooled ones as far as cross-validation says."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


def _each_once(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError(f"a value stands there twice in {values}; name each once")
    return sorted(values)


_LIST = (
    BeforeValidator(_listed),
    AfterValidator(_each_once),
    Field(min_length=1, max_length=_MOST_VALUES),
)
Decays = Annotated[list[Annotated[float, Field(ge=0, lt=1)]], *_LIST]
Sizes = Annotated[list[Annotated[float, Field(gt=0, le=100)]], *_LIST]
Penalties = Annotated[list[Annotated[float, Field(ge=0, le=1e6)]], *_LIST]


class RidgePenalty(SpecModel):
    """Penalty by group of coefficients: a column alone would lose ``p / (1 + p)`` of its size."""

    media: Penalties = Field([0.003, 0.03, 0.3], description="Of channels.")
    controls: Penalties = Field([0.003, 0.03, 0.3], description="Of controls and events.")
    trend: Penalties = Field([0.003, 0.03, 0.3], description="Of the trend.")
    seasonality: Penalties = Field([0.003, 0.03, 0.3], description="Of the yearly Fourier terms.")


class RidgeSpec(SpecModel):
    """Settings of kind ``ridge``; a grid of one value, or a number, fixes a hyperparameter."""

    decay: Decays = Field(
        [0.0, 0.2, 0.4, 0.6, 0.8],
        description="Retention of each channel's geometric carryover: values that are searched.",
    )
    half_saturation: Sizes = Field(
        [0.15, 0.3, 0.6, 1.2],
        description="Half-saturation of each channel, over its largest input: values that are "
        "searched.",
    )
    slope: Sizes = Field(
        [1.0, 1.6], description="Slope of each channel's Hill curve: values that are searched."
    )
    penalty: RidgePenalty = RidgePenalty()
    pooling: Pooling = Field(
        Pooling.PARTIAL,
        description="`complete`: one coefficient of all entities; `none`: each alone; `partial`: "
        "each drawn toward the pooled one, as far as cross-validation says. Carryover and "
        "saturation are those of all entities.",
    )
    non_negative: bool = Field(
        True, description="No channel takes from the KPI; a competitor never adds to it."
    )
    transform: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.-]*(:[A-Za-z_]\w*)?$",
        max_length=200,
        description="Class that transforms every channel in place of carryover and Hill curve: "
        "`package.module:Class` or an entry point; only where `MMM_TRANSFORMS` of the machine "
        "permits its module (tasks/README.md).",
    )
    folds: int = Field(
        4, ge=2, le=20, description="Folds of the time-series cross-validation, each later."
    )
    refit_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of draws in which the hyperparameters are searched anew.",
    )
    block_periods: int | None = Field(
        None,
        ge=1,
        le=104,
        description="Length of the bootstrap's blocks; default: the cube root of the number of "
        "periods, at least 4.",
    )

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to search: every grid has one value."""
        own = (self.decay, self.half_saturation, self.slope)
        groups = (getattr(self.penalty, name) for name in RidgePenalty.model_fields)
        return all(len(grid) == 1 for grid in (*own, *groups))
