"""A finished run on disk whose draws are forged: what a plan needs of a refit, without sampling."""

import xarray as xr
from support.worlds import World, prior_draws

from schemas.documents.results import RunStatus
from schemas.names import Artifact
from schemas.outcomes import Verdict
from tasks.mathematics.scaling import scales_to_json
from tasks.store.files.artifacts import write_document, write_json, write_netcdf, write_parquet
from tasks.store.home import Home
from tasks.store.runs.status import advance_run, start_run


def end_run(home: Home, run_id: str, verdict: Verdict, dataset_id: str = "world") -> None:
    """Take a run through all its states, without any file."""
    start_run(home, run_id, dataset_id)
    for status in list(RunStatus)[1:]:
        if status is not RunStatus.ERROR:
            advance_run(home, run_id, status)
    facts = {"verdict": verdict, "snapshot_id": "0" * 16, "model_version": 1}
    advance_run(home, run_id, RunStatus.OUTPUTS_READY, **facts)


def forge_run(home: Home, run_id: str, world: World, verdict: Verdict = Verdict.PASS) -> None:
    """Write the files that a plan reads of a run, with prior draws for its posterior."""
    end_run(home, run_id, verdict, world.spec.dataset_id)
    folder = home.run_dir(run_id)
    tree = xr.DataTree.from_dict({"posterior": prior_draws(world, n_draws=30)})
    write_netcdf(home, folder / Artifact.POSTERIOR, tree)
    write_parquet(home, folder / Artifact.FEATURES, world.frame)
    write_document(home, folder / Artifact.FEATURE_METADATA, world.metadata)
    write_document(home, folder / Artifact.FEATURE_SCALER, scales_to_json(world.inputs.scales))
    write_json(home, folder / Artifact.RUN_SPEC, world.spec.model_dump(mode="json"))
    names = world.metadata.channel_names
    returns = {name: {"prior_driven": False} for name in names}
    write_json(home, folder / Artifact.ROI_METRICS, returns)
