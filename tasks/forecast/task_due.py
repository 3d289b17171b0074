"""What a scoring would find to do, and the ledger where that is nothing: no Prefect, no fit."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from schemas.documents.forecast_scores import Basis, LedgerReport
from schemas.names import PERIOD_COLUMN, Artifact
from tasks.store.fingerprint import code_fingerprint
from tasks.store.home import Home, current_home
from tasks.store.warehouse.actuals import digest_known, read_known_kpi
from tasks.store.warehouse.forecasts import read_ledger
from tasks.store.warehouse.scores import alarms_of, read_scores, scored_before

if TYPE_CHECKING:
    import pandas as pd


def read_settled(dataset_id: str) -> LedgerReport | None:
    """Return the ledger of a dataset where scoring it again would change nothing.

    Returns
    -------
    LedgerReport or None
        None where a forecast has come due, what it was compared with has changed, the code is
        another one, or an alarm is to be raised or cleared.
    """
    from tasks.forecast import cusum
    from tasks.forecast.summary import summarize_scores

    home = current_home()
    table = read_ledger(home, dataset_id)
    forecasts = {str(run_id): rows for run_id, rows in table.groupby("run_id", sort=False)}
    newest = {
        str(kpi): read_known_kpi(home, dataset_id, str(kpi))[PERIOD_COLUMN].max()
        for kpi in table["kpi"].unique()
    }
    for run_id in find_outdated(home, dataset_id, forecasts):
        rows = forecasts[run_id]
        if rows[PERIOD_COLUMN].min() <= newest[rows["kpi"].iloc[0]]:
            return None
    scores = read_scores(home, dataset_id)
    excursions = cusum.watch_scores(scores)
    alarms = alarms_of(home, dataset_id, is_open=False)
    if cusum.update_alarms(dataset_id, alarms, excursions, now=datetime.now(UTC)).changed:
        return None
    return LedgerReport(
        dataset_id=dataset_id,
        n_runs=len(forecasts),
        n_new=0,
        n_changed=0,
        notes=[],
        summaries=summarize_scores(scores),
        alarms=[alarm for alarm in alarms if alarm.cleared_at is None],
        new_alarms=[],
    )


def find_outdated(
    home: Home, dataset_id: str, forecasts: Mapping[str, "pd.DataFrame"]
) -> dict[str, str]:
    """Return runs to be scored, with the digest of what they are compared with now.

    Parameters
    ----------
    home, dataset_id
        Whose ledger.
    forecasts
        Rows of ``mart.forecasts`` by run.
    """
    spans = {
        run_id: (rows[PERIOD_COLUMN].min().date(), rows[PERIOD_COLUMN].max().date())
        for run_id, rows in forecasts.items()
    }
    code = code_fingerprint("tasks/forecast", "tasks/models", "tasks/mathematics")[:12]
    digests = digest_known(home, dataset_id, spans)
    before = scored_before(home, dataset_id)
    found = {}
    for run_id, digest in digests.items():
        compared, known = f"{digest}-{code}", before.get(run_id, {})
        has_files = (home.run_dir(run_id) / Artifact.POSTERIOR).is_file()
        bases = Basis if has_files else (Basis.PUBLISHED,)
        if any(known.get(basis) != compared for basis in bases):
            found[run_id] = compared
    return found
