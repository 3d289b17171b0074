"""Where state lives, and the environment every dependency must see before it is imported.

``MMM_HOME`` (default: the checkout) holds ``data/``, ``mlruns/`` and ``.prefect/``, so a trial or a
test runs in a temporary home and touches nothing else. This module is the only reader of
``MMM_HOME``, and of what goes with a home that machines share.
"""

import getpass
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import SpecError
from tasks.store.redaction import filter_logs

CHECKOUT = Path(__file__).resolve().parents[2]

_IN_ADDRESSES = "%?#"
"""Quoting, query and fragment: SQLAlchemy, MLflow's artifact paths and DuckDB each read them."""

LOCAL_PAGES = "http://127.0.0.1:5000"
"""Where ``mmm ui`` serves MLflow's pages of a local store, unless it is given another port."""
PAGES_VARIABLE = "MMM_MLFLOW_PAGES"
"""Where MLflow's pages of a local store are; ``mmm ui`` tells what it starts."""
PREFECT_PAGES_VARIABLE = "MMM_PREFECT_PAGES"
"""Where ``mmm ui`` serves Prefect's pages, with a page of ours among them."""
PREFECT_DOOR = "/mmm/open"
"""The page there that lets a browser in and leads to ``?to=PATH`` (``flows.services``)."""


def public_address(address: str) -> str:
    """Return the address of a server for people: what stands before its name may be a password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


@dataclass(frozen=True)
class Home:
    """Paths of one home; directories are made by whoever writes into them."""

    root: Path

    @property
    def landing(self) -> Path:
        """Received files, immutable."""
        return self.root / "data" / "landing"

    @property
    def warehouses(self) -> Path:
        """One DuckDB file per dataset (``tasks.store.warehouse.places``)."""
        return self.root / "data" / "warehouse"

    @property
    def single_warehouse(self) -> Path:
        """The DuckDB file of all datasets, in a home of before there was one for each."""
        return self.root / "data" / "warehouse.duckdb"

    @property
    def runs(self) -> Path:
        """One folder of artifacts per run."""
        return self.root / "data" / "runs"

    @property
    def plans(self) -> Path:
        """One folder per budget plan that no refit made."""
        return self.root / "data" / "plans"

    @property
    def explanations(self) -> Path:
        """One folder per pair of runs whose change was explained by hand."""
        return self.root / "data" / "explanations"

    @property
    def recoveries(self) -> Path:
        """One folder per dataset: its recovery checks (``tasks.store.runs.recoveries``)."""
        return self.root / "data" / "recoveries"

    @property
    def uploads(self) -> Path:
        """Files that came over the REST API (``tasks.store.inputs.uploads``)."""
        return self.root / "data" / "uploads"

    @property
    def jobs(self) -> Path:
        """One folder per job of the REST API (``tasks.store.runs.jobs``)."""
        return self.root / "data" / "jobs"

    @property
    def portfolios(self) -> Path:
        """One folder per run of a portfolio (``tasks.store.runs.portfolios``)."""
        return self.root / "data" / "portfolios"

    @property
    def steps(self) -> Path:
        """Finished steps of runs that have not ended yet (``tasks.store.runs.resume``)."""
        return self.root / "data" / "steps"

    @property
    def locks(self) -> Path:
        """Lock files; ``MMM_LOCKS`` names a folder of this machine where the home is shared."""
        named = os.environ.get("MMM_LOCKS")
        return Path(named).expanduser() if named else self.root / "data" / "locks"

    @property
    def leases(self) -> str | None:
        """Database of leases, where several machines share the home: ``MMM_LEASES``."""
        return os.environ.get("MMM_LEASES") or None

    @property
    def mlruns(self) -> Path:
        """MLflow's SQLite store and artifacts."""
        return self.root / "mlruns"

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking and registry address; ``MLFLOW_TRACKING_URI`` overrides it."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.mlruns / 'mlflow.db'}"

    @property
    def is_tracking_served(self) -> bool:
        """Whether the MLflow store is behind a server of its own."""
        return urlsplit(self.tracking_uri).scheme in ("http", "https")

    @property
    def tracking_pages(self) -> str:
        """Where MLflow's pages are: on its server, or where ``mmm ui`` serves a local store.

        A password in the address of a server is left out.
        """
        return self.known_tracking_pages or LOCAL_PAGES

    @property
    def known_tracking_pages(self) -> str | None:
        """Where MLflow's pages are for certain; None for a local store that nobody serves."""
        if self.is_tracking_served:
            return public_address(self.tracking_uri)
        return os.environ.get(PAGES_VARIABLE)

    def run_dir(self, run_id: str) -> Path:
        """Folder of one run's artifacts."""
        return self.runs / run_id

    def plan_dir(self, scenario_id: str) -> Path:
        """Folder of one budget plan."""
        return self.plans / scenario_id

    def explanation_dir(self, run_a: str, run_b: str) -> Path:
        """Folder of the explanation of one pair of runs."""
        return self.explanations / f"{run_a}--{run_b}"

    def relative(self, path: Path) -> str:
        """Path as written into references: relative to the home, so a home can be moved."""
        return path.resolve().relative_to(self.root.resolve()).as_posix()


def current_home() -> Home:
    """Return the home named by ``MMM_HOME``, or the checkout.

    Raises
    ------
    SpecError
        If its path holds a character that means something in an address.
    """
    home = _named_home()
    held = sorted(set(str(home.root)) & set(_IN_ADDRESSES))
    if held:
        raise SpecError(
            f"The home {home.root} cannot be used: {' and '.join(map(repr, held))} in its path "
            "means something else in the addresses of MLflow and DuckDB, so files would land "
            "outside it. Rename the folder, or point MMM_HOME at another one."
        )
    return home


def _named_home() -> Home:
    named = os.environ.get("MMM_HOME")
    return Home(Path(named).expanduser().resolve() if named else CHECKOUT)


def configure_environment() -> None:
    """Set what dependencies read at import: telemetry off, state under the home, local addresses.

    Existing settings win, so a platform engineer can point the same code at a remote Prefect or
    MLflow by environment alone.
    """
    filter_logs()
    _name_a_user()
    home = _named_home()
    prefect_home = home.root / ".prefect"
    os.environ["PYTENSOR_FLAGS"] = _exact_arithmetic(os.environ.get("PYTENSOR_FLAGS", ""))
    for name, value in {
        "DO_NOT_TRACK": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(prefect_home / "results"),
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
            "prefect.server.concurrency.lease_storage.filesystem"
        ),
    }.items():
        os.environ.setdefault(name, value)
    # Prefect makes only the last folder of its home, and warns when it cannot. A home that cannot
    # be written to is reported by the first write that matters, with its path.
    with suppress(OSError):
        Path(os.environ["PREFECT_HOME"]).expanduser().mkdir(parents=True, exist_ok=True)


def _name_a_user() -> None:
    """Give a user whom the system does not know, as in many containers, a name and a folder.

    Prefect asks for the user's folder and MLflow for the user's name; without either both die.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.environ.get("MMM_HOME") or str(CHECKOUT)
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = f"user-{os.getuid()}"


def _exact_arithmetic(flags: str) -> str:
    """Switch Numba's fast-math off for PyTensor, unless the user has decided.

    Fast-math lets the compiler reorder sums, and it reorders freshly compiled code differently from
    code loaded from its cache: the same refit then gave other draws on its first run than on its
    second. Without it they are equal bit for bit, and sampling is somewhat slower.
    """
    if "numba__fastmath" in flags:
        return flags
    return ",".join(filter(None, [flags, "numba__fastmath=False"]))
