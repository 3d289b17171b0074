"""What ``mmm repair`` answers."""

from pydantic import BaseModel, ConfigDict, Field


class RepairReport(BaseModel):
    """What was wrong with a home, what was done, and what could not be brought back."""

    model_config = ConfigDict(frozen=True)

    fault: str | None = Field(description="What was wrong with the warehouse; null: nothing.")
    restored_from: str | None = Field(description="Kept file that was put back.")
    moved_to: str | None = Field(description="Where the damaged file lies now.")
    dates_taken_back: int = Field(description="Rows whose knowledge date lay after today.")
    runs_not_in_warehouse: list[str] = Field(
        description="Published runs whose folders are there, and whose rows could not be put back."
    )


class TrackingRestored(BaseModel):
    """What of a lost MLflow store was made again from the run folders."""

    model_config = ConfigDict(frozen=True)

    runs_logged_again: list[str] = Field(default=[], description="Runs that are in MLflow again.")
    runs_not_logged: list[str] = Field(
        default=[], description="Runs whose folders lack what would be logged."
    )
    champions: list[str] = Field(
        default=[], description="Champions as the last decisions have them, ``dataset@version``."
    )
