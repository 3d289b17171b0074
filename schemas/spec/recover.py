"""What a recovery check is asked: which spec, and how many simulated KPIs."""

from pydantic import Field

from schemas.spec.base import SpecModel


class RecoverRequest(SpecModel):
    """Refit a spec on KPIs whose truth is known, with the media and controls of its own data."""

    spec_file: str = Field(
        title="Run spec",
        description="JSON or YAML file; a relative path is looked up in MMM_HOME, then in the "
        "checkout.",
    )
    n_worlds: int = Field(
        20, title="Simulated KPIs", ge=4, le=200, description="Each is refitted once."
    )
