"""Verdicts, findings and gate outcomes: how every check in the product speaks."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Verdict(StrEnum):
    """PASS, REVIEW or FAIL; NOT_EVALUATED is never a pass."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    REVIEW = "REVIEW"
    FAIL = "FAIL"
    NOT_EVALUATED = "NOT_EVALUATED"


MAX_PLACES = 10
"""Rows, keys or names that a finding lists; its count stays exact."""
_SEVERITY = {Verdict.PASS: 0, Verdict.REVIEW: 1, Verdict.NOT_EVALUATED: 1, Verdict.FAIL: 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; what could not be evaluated counts as REVIEW, nothing as PASS."""
    level = max((_SEVERITY[v] for v in verdicts), default=0)
    return (Verdict.PASS, Verdict.REVIEW, Verdict.FAIL)[level]


def is_accepted(verdict: Verdict | None) -> bool:
    """Say whether a fit may be published: PASS or REVIEW; a run that was not judged has none."""
    return verdict in {Verdict.PASS, Verdict.REVIEW}


class Layer(StrEnum):
    """Where in the data's way a rule was checked."""

    RAW = "raw"
    CANONICAL = "canonical"
    FEATURES = "features"


class Finding(BaseModel):
    """One thing wrong (or odd) with the data, reported so that a marketer can mend it.

    ``message`` names the place (file, column, row or key) and the rule; ``remedy`` the next action.
    """

    model_config = ConfigDict(frozen=True)

    layer: Layer
    rule: str = Field(
        description="Short snake_case name of the broken rule, stable across versions."
    )
    verdict: Verdict
    message: str = Field(description="The place and the rule, in a sentence.")
    remedy: str = Field(description="The next action.")
    file: str | None = Field(default=None, description="Name of the input file.")
    column: str | None = Field(default=None, description="Column of the source file.")
    rows: list[int] = Field(
        default=[],
        description="Line numbers of the file; the header is line 1.",
        json_schema_extra={"unit": "line"},
    )
    places: list[str] = Field(
        default=[], description="Affected 'entity, period' keys, at most ten."
    )
    """Not ``keys``: a model with a field of that name looks like a mapping to ``dict``."""
    n_affected: int | None = Field(
        default=None, description="Cells or rows.", json_schema_extra={"unit": "count"}
    )

    @property
    def is_note(self) -> bool:
        """Whether it informs and blocks nothing."""
        return self.verdict is Verdict.PASS

    def line(self) -> str:
        """Render the finding as one line of text."""
        return f"[{self.verdict}] {self.rule}: {self.message} {self.remedy}".strip()


_OF_GATE: dict[str, Any] = {"unit": "unit of the gate"}


class GateOutcome(BaseModel):
    """One number judged against its limits."""

    model_config = ConfigDict(frozen=True)

    gate: str = Field(description="Name of the check.")
    verdict: Verdict
    observed: float | None = Field(
        description="None where the number could not be computed.", json_schema_extra=_OF_GATE
    )
    pass_limit: float = Field(description="Limit of PASS.", json_schema_extra=_OF_GATE)
    review_limit: float | None = Field(
        default=None,
        description="Limit of REVIEW; none: anything else fails.",
        json_schema_extra=_OF_GATE,
    )
    where: str = Field(default="", description="Parameter, channel or series that gave the number.")
    reason: str = Field(default="", description="Empty on PASS; else one sentence with a remedy.")


class GateRow(NamedTuple):
    """One gate as ``ops.gate_results`` holds it."""

    gate: str
    verdict: str
    observed: float | None
    detail: str


class GateReport(BaseModel):
    """All outcomes of one gate group and their worst verdict."""

    model_config = ConfigDict(frozen=True)

    outcomes: list[GateOutcome]

    @property
    def verdict(self) -> Verdict:
        """Worst verdict of the gate group."""
        return worst(o.verdict for o in self.outcomes)

    @property
    def not_passed(self) -> list[str]:
        """Gates that did not pass."""
        return [o.gate for o in self.outcomes if o.verdict is not Verdict.PASS]

    @property
    def reasons(self) -> list[str]:
        """Sentences for everything that is not a pass."""
        return [o.reason for o in self.outcomes if o.verdict is not Verdict.PASS]
