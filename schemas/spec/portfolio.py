"""A portfolio: many brands that are refitted side by side, and how."""

from datetime import date
from typing import Any

from pydantic import Field, field_validator

from schemas.spec.base import Choice, SpecModel

OWN_KEYS = ("dataset_id", "data")
"""Keys of a run spec that belong to one brand, so that no default can stand for them."""


class Runner(Choice):
    """What refits brands side by side."""

    PROCESS = "process"
    """Worker processes on this machine."""
    DASK = "dask"
    """Workers of a Dask scheduler, or of a local cluster."""


class BrandEntry(SpecModel):
    """One brand, where it needs more than the file of its run spec."""

    spec: str = Field(
        min_length=1, max_length=1000, description="Run spec file, relative to the portfolio file."
    )
    data: str | None = Field(
        None, max_length=1000, description="Input file in place of the spec's own; relative alike."
    )
    overrides: dict[str, Any] = Field(
        default_factory=dict, description="Keys of the run spec that win over those of the file."
    )


class PortfolioSpec(SpecModel):
    """``mmm portfolio --file``: which brands, what they share, and how much runs at once."""

    portfolio_id: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="Name of the portfolio: letters, digits, `_`, `.`, `-`; at most 64.",
    )
    brands: list[str | BrandEntry] = Field(
        min_length=1,
        max_length=10_000,
        description="Run spec files, patterns such as `brands/*.yaml`, or one brand with `spec`, "
        "`data`, `overrides`. Relative to the portfolio file.",
    )
    defaults: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of a run spec for every brand; the brand's own file wins over them.",
    )
    workers: int | None = Field(
        None, ge=1, le=512, description="Brands at once; default: one per core, less if memory "
        "does not hold them.",
    )  # fmt: skip
    memory_gb: float | None = Field(
        None, gt=0, description="Memory that all brands together may take; default: four fifths "
        "of what is free at the start.",
    )  # fmt: skip
    timeout_minutes: float = Field(
        120.0, gt=0, le=10_080, description="Time of one brand; after it its process is ended."
    )
    runner: Runner = Field(Runner.PROCESS, description="`process`, or `dask` (an extra).")
    dask_address: str | None = Field(
        None,
        pattern=r"^(tcp|tls)://[^\s/]+:\d{1,5}$",
        description="Dask scheduler, such as `tcp://scheduler:8786`; default: a local cluster.",
    )

    @field_validator("defaults")
    @classmethod
    def _shared_by_all(cls, defaults: dict[str, Any]) -> dict[str, Any]:
        own = sorted(set(defaults) & set(OWN_KEYS))
        if own:
            raise ValueError(f"{' and '.join(own)} cannot be shared; state it in each run spec")
        return defaults


class PortfolioRequest(SpecModel):
    """A portfolio by the file that is on disk when it begins."""

    file: str = Field(
        title="Portfolio",
        description="YAML or JSON file; a relative path is looked up in MMM_HOME, then in the "
        "checkout.",
        min_length=1,
        max_length=1000,
    )
    as_of: date | None = Field(
        None, title="As of", description="Use what was known on this date; default: today."
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=512,
        title="Workers",
        description="Brands at once; default: as the file says.",
    )
    again: bool = Field(
        False, title="Again", description="Also refit brands that are done already on this date."
    )
