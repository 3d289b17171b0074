"""What a run spec says about kind ``causal_gru``: its size, its training, and what is known before.

Background knowledge binds the graph: what may not be an edge is never tested or fitted, and what
must be one is never closed.
"""

from typing import Self

from pydantic import Field, model_validator

from schemas.spec.base import SpecModel


class GraphEdge(SpecModel):
    """One edge of the graph by the names of its ends; the KPI goes by the name of its column."""

    source: str = Field(description="Channel, control or KPI that comes first.")
    target: str = Field(description="Channel or KPI that follows it.")

    @property
    def ends(self) -> tuple[str, str]:
        """Source and target."""
        return self.source, self.target

    @model_validator(mode="after")
    def _of_two(self) -> Self:
        if self.source == self.target:
            raise ValueError(f"an edge joins two columns, not {self.source!r} with itself")
        return self


class BackgroundKnowledge(SpecModel):
    """What is known of the graph before any data; nothing ever points into the past."""

    kpi_causes_spend: bool = Field(
        False, description="Spend may follow the KPI of earlier periods, as a budget rule would."
    )
    forbidden: list[GraphEdge] = Field([], description="Edges that there cannot be.")
    required: list[GraphEdge] = Field([], description="Edges that there are, whatever data say.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in ("forbidden", "required"):
            ends = [edge.ends for edge in getattr(self, name)]
            twice = next((pair for pair in ends if ends.count(pair) > 1), None)
            if twice:
                raise ValueError(f"{name} has the edge {_arrow(twice)} twice; name it once")
        both = {e.ends for e in self.forbidden} & {e.ends for e in self.required}
        if both:
            raise ValueError(
                f"the edge {_arrow(min(both))} is both required and forbidden; leave one out"
            )
        return self


def _arrow(ends: tuple[str, str]) -> str:
    return f"{ends[0]!r} to {ends[1]!r}"


class CausalGruSpec(SpecModel):
    """Settings of kind ``causal_gru``."""

    members: int = Field(
        40,
        ge=20,
        le=400,
        multiple_of=2,
        description="Networks that are trained, each on blocks of its own: what this kind has "
        "instead of `sampler.draws` × `sampler.chains`, which say nothing to it.",
    )
    hidden_units: int = Field(8, ge=4, le=16, description="Units of the recurrent network.")
    memory_periods: int = Field(
        6, ge=2, le=26, description="Periods that the recurrent network looks back."
    )
    max_steps: int = Field(
        400, ge=50, le=5000, description="Steps of training at most; held-out periods stop it."
    )
    sparsity: float = Field(
        1.0,
        ge=0,
        le=20,
        description="What an open edge into the KPI costs, in units of log likelihood.",
    )
    origins: int = Field(
        3,
        ge=2,
        le=8,
        description="Rolling origins at which training is stopped and forecasts are scored.",
    )
    false_edge_rate: float = Field(
        0.05,
        ge=0.02,
        le=0.2,
        description="Share of pairs without a relation that may be reported as edges.",
    )
    block_periods: int | None = Field(
        None,
        ge=1,
        le=104,
        description="Length of the bootstrap's blocks; default: the cube root of the number of "
        "periods, at least 4.",
    )
    may_be_champion: bool = Field(
        False, description="Let a run of this kind become champion where its gates allow it."
    )
    background: BackgroundKnowledge = BackgroundKnowledge()
