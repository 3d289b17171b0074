"""What pruning knows, what it decides, and what it reports."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field

from schemas.documents.promotions import Promotion
from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict, is_accepted

RUN_TRAIL = (
    Artifact.RUN_SPEC, Artifact.RUN_STATUS, Artifact.VALIDATION_SUMMARY, Artifact.DIAGNOSTICS,
    Artifact.ESCALATION, Artifact.FIT_METRICS, Artifact.ROI_METRICS, Artifact.DIGESTS,
)  # fmt: skip
"""Small files of a run that stay: what was asked, what was found, how it was judged, and the
digests that they are checked against."""


class ItemKind(StrEnum):
    """What is removed."""

    RUN = "run"
    """Files of a run, here and in MLflow, with its registered version."""
    LANDING = "landing"
    """A landed file."""
    PLAN = "plan"
    """Files of a budget plan, here and in MLflow."""
    STEPS = "steps"
    """Records that a dead run left for its resumption."""
    PARTIAL = "partial"
    """A file that a killed process had not finished writing."""
    RESULTS = "prefect_results"
    """Results of tasks that Prefect stored."""


MARKED_KINDS = (ItemKind.RUN, ItemKind.LANDING, ItemKind.PLAN)
"""Kinds with a row in ``ops.prunings``; the others are leftovers that no row speaks of."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class RunFacts(_Fact):
    """What decides on the files of a run."""

    run_id: str
    status: RunStatus
    verdict: Verdict | None = None
    version: int | None = None
    aliases: tuple[str, ...] = ()
    """Aliases of its version in MLflow."""
    created_at: datetime
    ended_at: datetime
    has_unscored: bool = False
    """A period that it forecast has not been scored yet."""
    is_pruned: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether the run ended with a fit that its gates accepted."""
        return self.status is RunStatus.OUTPUTS_READY and is_accepted(self.verdict)


class BatchFacts(_Fact):
    """What decides on a landed file."""

    batch_id: str
    status: str
    received_at: datetime
    has_values: bool
    """A value that is known today came with it."""
    is_newest: bool
    """The newest accepted batch."""
    has_file: bool


class PlanFacts(_Fact):
    """What decides on the files of a plan."""

    scenario_id: str
    created_at: datetime
    has_files: bool


class DatasetFacts(_Fact):
    """Everything that a decision on a dataset rests on."""

    dataset_id: str
    runs: tuple[RunFacts, ...] = ()
    batches: tuple[BatchFacts, ...] = ()
    plans: tuple[PlanFacts, ...] = ()
    history: tuple[Promotion, ...] = ()
    champions: frozenset[int] = frozenset()
    """Versions that hold the champion alias, or should according to the last decision."""


class Pruning(_Fact):
    """One row of ``ops.prunings``."""

    dataset_id: str
    kind: ItemKind
    item_id: str
    n_bytes: int
    reason: str
    decided_at: datetime
    pruned_at: datetime | None = None
    """None until the files are gone."""


class PruneItem(_Fact):
    """Something that was removed, or would be."""

    kind: ItemKind
    item_id: str
    dataset_id: str | None
    age_days: int
    n_bytes: int
    reason: str


class DatasetPruning(_Fact):
    """What pruning did to one dataset, or would do."""

    dataset_id: str | None
    """None: leftovers that belong to no dataset."""
    items: list[PruneItem]
    kept: dict[str, int] = {}
    """How many runs stay, by reason."""
    notes: list[str] = []
    """What was left alone, and why."""
    is_busy: bool = False
    """The dataset's lock could not be had; nothing was done."""


class PruneReport(_Fact):
    """``mmm prune --json``: what was removed, or would be."""

    dry_run: bool
    datasets: list[DatasetPruning]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def n_bytes(self) -> int:
        """Bytes that were freed, or would be."""
        return sum(item.n_bytes for part in self.datasets for item in part.items)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def busy(self) -> list[str]:
        """Datasets whose lock could not be had."""
        return [str(part.dataset_id) for part in self.datasets if part.is_busy]
