"""What a deployment asks of a scheduled refit; Prefect's pages make a form of it."""

from datetime import date

from pydantic import Field

from schemas.spec.base import SpecModel


class ScheduledRefit(SpecModel):
    """A refit by the run spec file that is on disk when it begins."""

    spec_file: str = Field(
        title="Run spec",
        description="JSON or YAML file; a relative path is looked up in MMM_HOME, then in the "
        "checkout.",
        min_length=1,
        max_length=1000,
    )
    data: str | None = Field(
        None,
        title="Input file",
        description="CSV, Parquet or Excel file; default: the one that the run spec names.",
    )
    as_of: date | None = Field(
        None, title="As of", description="Use what was known on this date; default: today."
    )
    accept_restatement: bool = Field(
        False,
        title="Accept restatement",
        description="Accept a file that changes more of history than gates.data allow.",
    )
