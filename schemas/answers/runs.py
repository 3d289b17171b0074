"""What is said of runs: the list, one run in full, its closing table, its exported files."""

from pydantic import Field, SerializerFunctionWrapHandler, field_serializer

from schemas.answers.pruning import Pruning
from schemas.documents.base import Count, Draws, Part, Ratio, Share, is_absent, is_nothing
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import ChannelReturns, FitMetrics
from schemas.documents.results import RunRecord


class ListedRun(RunRecord):
    """One run in a list."""

    files_removed_on: str | None = None
    """Day on which the retention policy removed its files."""
    verdict_reason: str | None = Field(
        None,
        exclude_if=is_absent,
        description="What did not pass, the worst of it; absent where everything did.",
    )
    is_interrupted: bool = Field(
        False,
        exclude_if=is_nothing,
        description="It has not ended, and nobody is at it: its process was killed. The next refit "
        "of its dataset takes it up, or ends it.",
    )


class RunList(Part):
    """``mmm runs --json``: runs, newest first."""

    runs: list[ListedRun]


class GateResult(Part):
    """One row of ``ops.gate_results``: a number that was judged."""

    battery: str
    """Gate group: raw, canonical, features, sampling, fit or stability."""
    gate: str
    verdict: str
    observed: float | None
    """In the unit of the gate; null where it could not be computed."""
    detail: str | None
    """Where the number is from, and what to do."""


class SamplingFigures(Part):
    """How well a fit was sampled, in six numbers."""

    r_hat_max: Ratio | None = None
    """Worst R-hat of any parameter."""
    ess_bulk_min: Draws | None = None
    """Least effective sample size of the bulk."""
    ess_tail_min: Draws | None = None
    """Least effective sample size of the tails."""
    divergences: Count | None = None
    """Draws after which the sampler lost its way."""
    ebfmi_min: Ratio | None = None
    """Least E-BFMI of any chain."""
    max_tree_depth_share: Share | None = None
    """Draws that ran into the largest tree."""

    @classmethod
    def of(cls, diagnostics: Diagnostics) -> "SamplingFigures":
        """Return the figures of a judged fit."""
        return cls(**{name: getattr(diagnostics, name) for name in cls.model_fields})


class RunFigures(Part):
    """Returns and fit of a run, as the closing table of a refit shows them."""

    roas: dict[str, ChannelReturns] = {}
    """By channel."""
    fit: FitMetrics | None = None


class RunDetail(RunRecord):
    """All that is known of one run, but for where its files are.

    What a run that failed never wrote is empty: an empty list or object, not null.
    """

    pruned: Pruning | None
    """Why its files were removed; what they published is from the warehouse then."""
    reasons: list[str]
    """A sentence for everything that is not a pass."""
    notes: list[str]
    """What is reported and blocks nothing."""
    champion: str | None
    """Champion of the dataset today, as in ``demo@3``."""
    roas: dict[str, ChannelReturns]
    """By channel: spend, contribution and return over the fitted window."""
    diagnostics: SamplingFigures | None
    fit: FitMetrics | None
    gates: list[GateResult]
    """Every number that was judged, in the order of the layers."""

    @field_serializer("diagnostics", "fit", mode="wrap")
    def _empty_without(self, part: Part | None, write: SerializerFunctionWrapHandler) -> object:
        """Write what is absent as an empty object, and without the version of the file it is from.

        The published answer has neither null nor a version there.
        """
        if part is None:
            return {}
        written = write(part)
        return {name: value for name, value in written.items() if name != "schema_version"}


class RunSummary(RunDetail):
    """``mmm show --json``: all that is known of one run, and its files."""

    artifacts_dir: str
    """Folder of its files."""
    artifacts: list[str]
    """Names of its files."""


class ExportedRun(Part):
    """``mmm export --json``: the files that were written."""

    run_id: str
    files: list[str]
    """Paths, the data dictionary last."""
