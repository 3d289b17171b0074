"""Runs that have reported a forecast, without a fit."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from schemas.documents.forecast_scores import ASSUMPTION_COLUMNS
from schemas.documents.results import RunRecord, RunStatus
from tasks.store.warehouse.connection import writing
from tasks.store.warehouse.forecasts import write_forecasts
from tasks.store.warehouse.runs import write_run

NOTHING = pd.DataFrame(columns=list(ASSUMPTION_COLUMNS))


@pytest.fixture
def reported(home):
    """Publish the forecast of a run; runs begin a minute after each other."""
    begun = datetime(2024, 2, 1, tzinfo=UTC)

    def publish(run_id, frame=None, supposed=NOTHING, *, minute, dataset_id="demo", kpi="sales"):
        at = begun + timedelta(minutes=minute)
        record = RunRecord(
            run_id=run_id,
            dataset_id=dataset_id,
            status=RunStatus.TRAINED,
            created_at=at,
            updated_at=at,
        )
        with writing(home, dataset_id) as con:
            write_run(con, record)
            if frame is not None:
                write_forecasts(con, run_id, dataset_id, frame, supposed, kpi=kpi)

    return publish
