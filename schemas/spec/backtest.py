"""What a backtest is asked: which specs and kinds, and how its slices lie."""

from pydantic import Field

from schemas.spec.base import SpecModel
from schemas.spec.errors import parse_run_spec
from schemas.spec.kinds import KindName
from schemas.spec.run_spec import RunSpec


class BacktestRequest(SpecModel):
    """Fit what was known at past dates, and score what it says of the periods after."""

    spec_files: list[str] = Field(
        title="Run specs",
        description="JSON or YAML files of one dataset; a relative path is looked up in MMM_HOME, "
        "then in the checkout.",
        min_length=1,
        max_length=8,
    )
    kinds: list[KindName] = Field(
        [],
        title="Model kinds",
        description="Each spec is fitted with each of these; default: with its own.",
        max_length=8,
    )
    n_slices: int = Field(12, title="Slices", ge=1, le=104, description="Dates to fit at.")
    horizon: int = Field(
        4, title="Horizon", ge=1, le=104, description="Periods after each date that are scored."
    )
    step: int = Field(
        4, title="Step", ge=1, le=104, description="Periods from one date to the next."
    )
    workers: int | None = Field(
        None,
        title="Fits at once",
        ge=1,
        le=64,
        description="Processes that fit side by side; default: as many as cores and memory allow. "
        "Results are the same with any number.",
    )
    truth_file: str | None = Field(
        None,
        title="Known truth",
        description="JSON file with the true curve of every channel, where the data are simulated: "
        'each fit\'s plan is held against it (`schemas/README.md`, "Known truth").',
    )


def with_kind(spec: RunSpec, kind: str) -> RunSpec:
    """Return a spec with another kind of model.

    Parameters
    ----------
    spec
        The spec; what it says stays, but for how long and by what it is sampled: that is the new
        kind's default, with the seed of the spec.
    kind
        Name of the kind.

    Raises
    ------
    SpecError
        If the spec says what this kind would have to ignore.
    """
    if kind == spec.model.kind:
        return spec
    raw = spec.model_dump(mode="json", exclude_unset=True)
    raw["model"] = {**raw.get("model", {}), "kind": kind}
    raw["sampler"] = spec.sampler.model_dump(include={"random_seed", "timeout_minutes"})
    return parse_run_spec(raw, source=f"{spec.dataset_id} with model.kind {kind}")
