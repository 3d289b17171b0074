"""A world whose effects come weeks later, under a spec that leaves carryover open."""

import json
from pathlib import Path

import pytest
from support.brief import LENIENT_GATES

from benchmarks.recovery.hard_worlds import generate_hard_world
from schemas.documents.diagnostics import Diagnostics
from schemas.documents.effects import RoiMetrics
from schemas.documents.features import FeatureMetadata
from schemas.documents.fit import ModelMetadata
from schemas.documents.shapes import Shape
from schemas.names import Artifact
from schemas.outcomes import Verdict
from schemas.spec.channels import AdstockKind, Carryover
from schemas.spec.model import ModelSpec
from schemas.spec.plan_request import PlannedModel, PlanRequest
from schemas.spec.refit_request import RefitRequest
from schemas.spec.run_spec import RunSpec
from tasks.models.sampling import NutsKind

pytestmark = [pytest.mark.orchestration, pytest.mark.slow]

SPEC = {
    "dataset_id": "late",
    "sampler": {"draws": 500, "tune": 500, "chains": 2, "escalation": {"max_retries": 2}},
    "gates": LENIENT_GATES,
    "optimizer": {"n_starts": 2, "horizon": 4, "n_draws": 50},
    "explain": {"in_refit": False},
}


@pytest.fixture
def world(tmp_path):
    """Rows of a world of ``benchmarks/worlds.py``, as the file of a refit."""
    made = generate_hard_world("delayed", 1003)
    path = tmp_path / "late.csv"
    made.world.rows.to_csv(path, index=False)
    return made, str(path)


@pytest.fixture
def fits(monkeypatch):
    """Every fit that is sampled: kind of carryover, draws."""
    sampled, fit = [], NutsKind.fit

    def counted(self, panel, inputs, settings, watch):
        sampled.append((inputs.metadata.channels[0].adstock.kind, settings.draws))
        return fit(self, panel, inputs, settings, watch)

    monkeypatch.setattr(NutsKind, "fit", counted)
    return sampled


def test_a_refit_takes_what_data_prefer_says_so_and_goes_on_with_it_after_a_fault(
    prefect_env, home, world, fits, monkeypatch
):
    from flows import shapes
    from flows.plan_budget import plan_budget
    from flows.refit_weekly import refit_weekly

    made, path = world
    request = RefitRequest(spec=RunSpec.model_validate(SPEC), data=path)

    def full(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shapes, "adopt_shape", full)
        with pytest.raises(OSError, match="no space left"):
            refit_weekly(request)
    kinds = [kind for kind, _ in fits]
    assert kinds[0] is AdstockKind.GEOMETRIC
    assert kinds[-1] is AdstockKind.DELAYED
    before = len(fits)

    report = refit_weekly(request)
    assert len(fits) == before, "every fit of the interrupted run is taken over"
    assert report.verdict is not Verdict.FAIL
    folder = Path(report.artifacts_dir)

    def read(name, model):
        return model.model_validate_json((folder / name).read_text())

    described = read(Artifact.MODEL_METADATA, ModelMetadata)
    assert described.shapes.chosen == [Shape.DELAYED]
    gains = {t.shape: t.elpd_difference for t in described.shapes.tried}
    assert gains[Shape.DELAYED] > 20 > gains[Shape.LONG]
    for channel in read(Artifact.FEATURE_METADATA, FeatureMetadata).channels:
        assert (channel.adstock.kind, channel.adstock.carryover) == (
            AdstockKind.DELAYED,
            Carryover.LONG,
        )
    stated = RunSpec.model_validate(json.loads((folder / Artifact.RUN_SPEC).read_text()))
    assert stated.model.adstock.kind is AdstockKind.DELAYED
    (note,) = [
        n for n in read(Artifact.DIAGNOSTICS, Diagnostics).notes if n.startswith("shape_chosen")
    ]
    assert "carryover with a peak weeks later in place of what is assumed by default" in note
    assert "peak weeks later in place of what is assumed" in (folder / Artifact.REPORT).read_text()

    truth = float(made.world.truth.sum())
    returns = read(Artifact.ROI_METRICS, RoiMetrics).root
    brought = sum(row.contribution_mean for row in returns.values())
    assert brought == pytest.approx(truth, rel=0.25)

    model = PlannedModel(dataset_id="late", run_id=report.run_id)
    plan = plan_budget(PlanRequest(models=[model], settings=request.spec.optimizer))
    assert Path(plan.plan_file).is_file()

    again = refit_weekly(request.model_copy(update={"as_of": None}))
    kept = ModelMetadata.model_validate_json(
        (Path(again.artifacts_dir) / Artifact.MODEL_METADATA).read_text()
    )
    assert kept.shapes.champion == [Shape.DELAYED]
    assert kept.shapes.chosen == [Shape.DELAYED]


def test_what_a_spec_states_is_fitted_and_nothing_else(prefect_env, home, world, fits):
    from flows.refit_weekly import refit_weekly

    stated = {"adstock": {"kind": "geometric"}, "trend": True, "saturation": {"kind": "hill"}}
    spec = RunSpec.model_validate({**SPEC, "model": stated})
    report = refit_weekly(RefitRequest(spec=spec, data=world[1]))
    assert len(fits) == 1
    described = json.loads((Path(report.artifacts_dir) / Artifact.MODEL_METADATA).read_text())
    assert "shapes" not in described
    assert ModelSpec.model_validate(described["model"]) == spec.model
