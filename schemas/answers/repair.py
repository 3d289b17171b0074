"""What ``mmm repair`` answers."""

from pydantic import BaseModel, ConfigDict, Field


class WarehouseRepair(BaseModel):
    """One warehouse that was damaged or gone, and is there again."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str | None = Field(
        description="Whose it is; null: the one file of a home that was not moved yet."
    )
    fault: str = Field(description="What was wrong with it.")
    restored_from: str = Field(description="Kept file that was put back.")
    moved_to: str | None = Field(description="Where the damaged file lies now; null: it was gone.")


class RepairReport(BaseModel):
    """What was wrong with a home, what was done, and what could not be brought back."""

    model_config = ConfigDict(frozen=True)

    warehouses: list[WarehouseRepair] = Field(description="Those that were put back.")
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
