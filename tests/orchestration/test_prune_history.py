"""The flow that prunes, with Prefect's engine: the command line goes without it."""

import pytest

from flows.prune_history import prune_history
from schemas.answers.pruning import ItemKind
from tasks.store.runs.status import fail_run, start_run
from tasks.store.warehouse.connection import writing

pytestmark = pytest.mark.orchestration


def test_a_dead_run_goes_and_the_flow_run_ends_completed(prefect_env, home):
    start_run(home, "demo-old", "demo")
    fail_run(home, "demo-old", "the disk was full")
    start_run(home, "shop-new", "shop")
    folder = home.run_dir("demo-old")
    (folder / "posterior.nc").write_bytes(b"x" * 2000)
    with writing(home, "demo") as con:
        con.execute("update ops.runs set updated_at = '2020-01-01' where run_id = 'demo-old'")
    reported = prune_history(dry_run=True)
    assert (reported.dry_run, reported.n_bytes) == (True, 2000)
    state = prune_history(return_state=True)
    report = state.result()
    assert state.is_completed()
    assert [part.dataset_id for part in report.datasets] == [None, "demo", "shop"]
    assert [(i.kind, i.item_id) for i in report.datasets[1].items] == [(ItemKind.RUN, "demo-old")]
    assert not (folder / "posterior.nc").exists()
