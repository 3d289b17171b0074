"""References that tasks pass instead of data: where it is, and what it is by content."""

from datetime import date
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from schemas.documents.plan import Advice
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.outcomes import Finding, Verdict
from schemas.spec.run_spec import Grain, RunSpec


class Ref(BaseModel):
    """Frozen base of every reference."""

    model_config = ConfigDict(frozen=True)


class FileRef(Ref):
    """One immutable file: path relative to the home, and the SHA-256 of its bytes."""

    path: str
    sha256: str


class StepKey(Ref):
    """Which step of which run is asked for: what a step is taken over by after an interruption."""

    run_id: str
    retry: int | str | None = None
    """Number of the fit, or the name of an auxiliary one; None where a run does the step once."""
    shape: str | None = None
    """Shape of the model, where it is another than the spec has; its features and fits."""


class BatchRef(Ref):
    """A received file in the landing zone (all columns as text, in the order received)."""

    dataset_id: str
    batch_id: str
    file: FileRef
    source_name: str
    """File name as received; hostile input, only ever shown."""
    source_sha256: str
    """Of the bytes as received."""
    n_rows: int


class CandidateRef(Ref):
    """What canonical data would be if this batch were accepted.

    ``long`` has the batch's own rows (``role, entity_id, period_start, name, value``), ``wide``
    the model's panel as of the run (``canonical_data.parquet``).
    """

    dataset_id: str
    batch: BatchRef | None
    long: FileRef | None
    wide: FileRef
    column_info: FileRef
    grain: Grain
    known_from: date
    panel: FileRef | None = None
    """The panel before missing values are filled and entities are summed: what is validated."""

    @property
    def batch_id(self) -> str | None:
        """Id of its batch."""
        return self.batch.batch_id if self.batch else None


class SnapshotRef(Ref):
    """A frozen panel, identified by its content."""

    dataset_id: str
    snapshot_id: str
    wide: FileRef
    column_info: FileRef
    grain: Grain
    as_of: date
    n_restated: int = 0
    """Rows of earlier batches whose value this batch changed."""


class ValidationRef(Ref):
    """Outcome of one validation layer."""

    verdict: Verdict
    findings: list[Finding]


class FeaturesRef(Ref):
    """Features of one snapshot with their metadata and scaler."""

    snapshot_id: str
    features: FileRef
    metadata: FileRef
    scaler: FileRef


class PosteriorRef(Ref):
    """Draws of one fit, thin: parameters only, contributions are recomputed from them."""

    kind: str
    posterior: FileRef
    metadata: FileRef
    sampler: str
    wall_seconds: dict[str, float]
    prior_predictive: FileRef | None = None
    """What the priors said before sampling."""


class DiagnosticsRef(Ref):
    """The verdict on one fit."""

    verdict: Verdict
    reasons: list[str]
    notes: list[str] = []
    """What is reported and blocks nothing."""
    file: FileRef
    metrics: dict[str, float]
    sampling_failures: dict[str, float] = {}
    """What was observed at each sampling gate that failed."""
    sampling_reviews: dict[str, float] = {}
    """What was observed at each sampling gate that is to be reviewed."""
    stability: FileRef | None = None
    """How far the fit moved from the champion; None until it was compared."""


class AttributionRef(Ref):
    """Published tables of one fit."""

    contributions: FileRef
    fitted: FileRef
    files: list[FileRef]
    metrics: dict[str, float]

    def named(self, name: Artifact) -> FileRef:
        """Return one of ``files``.

        Raises
        ------
        CorruptArtifactError
            If the attribution did not write it.
        """
        for ref in self.files:
            if PurePosixPath(ref.path).name == name:
                return ref
        raise CorruptArtifactError(f"the attribution has no {name}; run the refit again.")


class JudgedRun(Ref):
    """What a fit was made from, how it was judged, and what its attribution published."""

    snapshot: SnapshotRef
    diagnostics: DiagnosticsRef
    attribution: AttributionRef


class ForecastRef(Ref):
    """The coming periods with what they suppose, and earlier forecasts beside what happened."""

    forecast: FileRef
    assumptions: FileRef
    actuals: FileRef


class PlanSource(Ref):
    """One fitted model that a plan speaks for, with the files of its run."""

    run_id: str
    snapshot_id: str
    model_version: int | None
    spec: RunSpec
    posterior: FileRef
    features: FeaturesRef
    roi_metrics: FileRef
    against: list[str] = []
    """What stands against acting on the run, a sentence each."""


class PlanRef(Ref):
    """A budget plan, ``schemas.documents.plan.Plan`` as JSON."""

    scenario_id: str
    advice: Advice
    file: FileRef
    metrics: dict[str, float]


class WeeklyPlan(Ref):
    """The plan of a refit, or why there is none."""

    plan: PlanRef | None
    note: str
    """Reason of the advice, or what keeps the plan from being made."""


class FittedRun(JudgedRun):
    """A judged fit with everything that a run makes of it: what is published."""

    run_id: str
    spec: RunSpec
    features: FeaturesRef
    posterior: PosteriorRef
    forecast: ForecastRef | None = None
    """None where the fit was rejected, like ``week``."""
    week: WeeklyPlan | None = None

    @property
    def plan(self) -> PlanRef | None:
        """The plan of the week; None where none could be made."""
        return self.week.plan if self.week else None


class PublicationRef(Ref):
    """Where a run can be found after it ended."""

    mlflow_run_id: str
    model_version: int | None
    champion: str | None
    """``<registered model>@<version>`` that holds the alias after this run; None if none yet."""
    promotion: str
    """What became of the champion alias, and why."""
    champion_last_period: date | None = None
    """Newest period that the champion was fitted on."""
    champion_age_days: int | None = None
    """Days between the champion's knowledge date and that of this run."""
