"""A portfolio of refits: what is planned, and what became of each brand."""

from collections import Counter
from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from schemas.documents.base import Count, Document, Part, Seconds, Share
from schemas.documents.plan import Advice
from schemas.documents.results import RefitReport
from schemas.outcomes import Verdict
from schemas.refs import Ref
from schemas.spec.portfolio import Runner
from schemas.spec.refit_request import RefitRequest


class BrandOutcome(StrEnum):
    """What became of one brand."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """A gate rejected the fit."""
    INVALID = "bad input"
    """Its spec or its data cannot be used."""
    UNAVAILABLE = "unavailable"
    """A lock or a service could not be had in time."""
    FAILED = "failed"
    """An error, a full disk among them."""
    CRASHED = "crashed"
    """Its process died."""
    TIMED_OUT = "timed out"
    """Its process was ended after ``timeout_minutes``."""


_EXIT_CODES = {
    BrandOutcome.ACCEPTED: 0,
    BrandOutcome.REJECTED: 3,
    BrandOutcome.INVALID: 2,
    BrandOutcome.UNAVAILABLE: 4,
    BrandOutcome.FAILED: 1,
    BrandOutcome.CRASHED: 1,
    BrandOutcome.TIMED_OUT: 1,
}
_WORST_FIRST = (1, 4, 2, 3)
SETTLED = frozenset({BrandOutcome.ACCEPTED, BrandOutcome.REJECTED})
"""The same request would come to the same again, at the same price."""


def outcome_of(exit_code: int) -> BrandOutcome:
    """Return the outcome of a refit that ended with this exit code."""
    by_code = {3: BrandOutcome.REJECTED, 2: BrandOutcome.INVALID, 4: BrandOutcome.UNAVAILABLE}
    return BrandOutcome.ACCEPTED if exit_code == 0 else by_code.get(exit_code, BrandOutcome.FAILED)


class PlannedBrand(Ref):
    """One brand before its refit."""

    number: int = 0
    """Its place in the file, from 1."""
    name: str
    """Its dataset; the name of its file where that cannot be read."""
    spec_file: str
    request: RefitRequest | None = None
    """None: it cannot be refitted, for ``problem``."""
    problem: str = ""
    key: str = ""
    """Digest of all that decides what its refit gives."""
    memory_bytes: int = 0
    """What its process may take at most, by the estimate of its model kind."""


class BrandAnswer(Part):
    """What the process of a brand says when the refit has ended."""

    exit_code: int
    report: RefitReport | None = None
    reason: str = ""
    """Why there is no report."""


class BrandResult(Part):
    """One brand of a portfolio, after its refit."""

    number: Count = 0
    """Its place in the portfolio file, from 1."""
    dataset_id: str
    """Dataset; the name of the file where its spec cannot be read."""
    outcome: BrandOutcome
    """What became of it."""
    verdict: Verdict | None = None
    """Verdict of the gates; null where nothing was fitted."""
    champion: str | None = None
    """Champion after the refit; null where there is none, or nothing was published."""
    became_champion: bool = False
    """Whether this refit is the champion now."""
    roas_channel: str | None = None
    """Channel whose ROAS moved most against the champion before."""
    roas_change: Share | None = None
    """How far it moved, as a share of what it was."""
    advice: Advice | None = None
    """Whether to follow the plan of the refit; null where there is none."""
    seconds: Seconds = 0.0
    """Wall time of the refit."""
    reason: str = ""
    """Why it was not accepted, or what became of the champion alias."""
    run_id: str | None = None
    """Run of the refit."""
    mlflow_run_id: str | None = None
    """Its run in MLflow."""
    spec_file: str = ""
    """File of its run spec."""
    is_earlier: bool = False
    """Done before by the same portfolio, with the same spec, data and day; not done again."""
    key: str = ""
    """Digest of all that decides what its refit gives."""


SUMMARY_COLUMNS = (
    "number", "dataset_id", "outcome", "verdict", "champion", "became_champion", "roas_channel",
    "roas_change", "advice", "seconds", "reason", "run_id", "mlflow_run_id", "spec_file",
    "is_earlier",
)  # fmt: skip
"""Columns of ``summary.csv``, fields of ``BrandResult``."""


class PortfolioRun(Document):
    """``portfolio.json``: one run of a portfolio, and whether it has ended."""

    portfolio_id: str
    """Name of the portfolio."""
    portfolio_run_id: str
    """Name of this run of it, and of its folder."""
    as_of: date
    """Knowledge date of all its refits."""
    file_sha256: str
    """Bytes of the portfolio file."""
    started_at: datetime
    """When it began."""
    ended_at: datetime | None = None
    """When it ended; null: it is running, or was killed."""


class PortfolioPlan(Ref):
    """What a portfolio is about to do."""

    run: PortfolioRun
    brands: list[PlannedBrand]
    """All of them, in the order of the file."""
    earlier: list[BrandResult] = Field(default_factory=list)
    """Those that need no refit."""
    workers: int
    """Brands at once."""
    memory_bytes: int
    """What all brands at once may take."""
    timeout_seconds: float
    runner: Runner
    dask_address: str | None = None

    @property
    def due(self) -> list[PlannedBrand]:
        """Brands to refit: those that can be, and are not done."""
        done = {result.key for result in self.earlier}
        return [brand for brand in self.brands if brand.request and brand.key not in done]


class PortfolioReport(Part):
    """``mmm portfolio --json``: what became of each brand; ``exit_code`` stands beside it."""

    portfolio_id: str
    """Name of the portfolio."""
    portfolio_run_id: str
    """Name of this run of it."""
    as_of: date
    """Knowledge date of all refits."""
    runner: Runner
    """What ran them side by side."""
    workers: Count
    """Brands at once."""
    brands: list[BrandResult]
    """One row per brand, in the order of the file."""
    seconds: Seconds
    """Wall time of the whole."""
    summary_csv: str
    """The table as a file; ``summary.json`` lies beside it."""
    mlflow_run_id: str | None = None
    """Its run in MLflow, which the runs of the brands name as their parent."""
    note: str = ""
    """What could not be written or logged of the summary."""

    @property
    def exit_code(self) -> int:
        """Exit code of the worst brand: failed, unavailable, bad input, rejected; 0 without."""
        found = {_EXIT_CODES[brand.outcome] for brand in self.brands}
        return next((code for code in _WORST_FIRST if code in found), 0)

    @property
    def counted(self) -> dict[BrandOutcome, int]:
        """Brands per outcome that occurred, in the order of the outcomes."""
        counts = Counter(brand.outcome for brand in self.brands)
        return {outcome: counts[outcome] for outcome in BrandOutcome if counts[outcome]}

    @property
    def summary(self) -> str:
        """Outcomes with their counts."""
        return ", ".join(f"{n} {outcome}" for outcome, n in self.counted.items())
