"""What one refit is asked: a run spec and what the command line adds to it."""

from datetime import date

from pydantic import Field

from schemas.spec.base import SpecModel
from schemas.spec.run_spec import RunSpec


class RefitRequest(SpecModel):
    """A run spec and what the command line adds to it."""

    spec: RunSpec
    data: str | None = Field(
        None, description="Absolute path of the input file; None uses the warehouse."
    )
    as_of: date | None = Field(None, description="Knowledge date; None is today.")
    accept_restatement: bool = Field(
        False, description="Accept a file that changes more of history than the gates allow."
    )
    run_id: str | None = Field(
        None,
        description="Id that the caller has reserved; None makes one. An interrupted run of the "
        "same request keeps its own.",
    )
    is_replay: bool = Field(
        False, description="Part of a backfill: periods after as_of are no mistake of the file."
    )
