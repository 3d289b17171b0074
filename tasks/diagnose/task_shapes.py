"""Choose the shape of a model: read the fit and the champion's shape, try others, write.

Logic: ``shape_choice``, ``shape_trials``.
"""

import logging
import os
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.documents.diagnostics import Diagnostics
from schemas.documents.features import FeatureMetadata
from schemas.documents.fit import ModelMetadata
from schemas.documents.retries import ShapedFit
from schemas.documents.shapes import Shape, ShapeChoice
from schemas.errors import CorruptArtifactError
from schemas.names import Artifact
from schemas.refs import FeaturesRef, FileRef, PosteriorRef, StepKey
from schemas.spec.run_spec import Grain, RunSpec
from tasks.store.files.artifacts import (
    copy_file,
    open_ref,
    read_document,
    read_netcdf,
    write_document,
    write_json,
)
from tasks.store.files.fits import read_features
from tasks.store.files.scratch import own_scratch
from tasks.store.home import Home, current_home
from tasks.store.runs.champions import find_champion
from tasks.store.runs.documents import open_document
from tasks.store.runs.resume import resumable

log = logging.getLogger(__name__)


@task(name="choose-shape", cache_policy=NO_CACHE, timeout_seconds=1800)
@resumable
def choose_shape(
    key: StepKey, posterior: PosteriorRef, features: FeaturesRef, spec: RunSpec
) -> ShapeChoice:
    """Try other shapes where the draws of a fit call for them, and choose.

    ``posterior`` is of the fit with what is assumed by default. A shape of the champion is tried
    whatever the draws say.
    """
    from tasks.diagnose.shape_choice import open_shapes
    from tasks.diagnose.shape_trials import try_shapes
    from tasks.models.kind import Watch
    from tasks.models.opening import open_fit

    if not open_shapes(spec.model):
        return ShapeChoice()
    home = current_home()
    fit = open_fit(read_netcdf(home, posterior.posterior), read_features(home, features))
    if not fit.kind.learns_shapes:
        return ShapeChoice()
    watch, seconds = Watch(len(os.sched_getaffinity(0))), sum(posterior.wall_seconds.values())
    with own_scratch():
        return try_shapes(fit, spec, _of_champion(home, spec, key.run_id), watch, seconds)


def _of_champion(home: Home, spec: RunSpec, run_id: str) -> list[Shape]:
    """Shapes that the champion's refit chose; none where its files do not say."""
    champion = find_champion(home, spec.dataset_id)
    if champion is None or champion.run_id == run_id:
        return []
    try:
        made = open_document(home, champion.run_id, Artifact.MODEL_METADATA, ModelMetadata)
    except CorruptArtifactError as error:
        log.warning("%s", error)
        return []
    return list(made.shapes.chosen) if made and made.shapes else []


def shape_as_champion(spec: RunSpec) -> tuple[RunSpec, str | None]:
    """Return a spec with what the champion's refit chose of the shapes that it leaves open.

    For fits that choose nothing themselves, so that they are of the model that is published.

    Parameters
    ----------
    spec
        As a person wrote it.

    Returns
    -------
    tuple
        The spec, and a note on it; None where the spec leaves no shape open.
    """
    from tasks.diagnose.shape_choice import note_shape_of, open_shapes, with_shapes
    from tasks.models.registry import find_kind

    may = open_shapes(spec.model) if find_kind(spec.model.kind).learns_shapes else []
    if not may:
        return spec, None
    home = current_home()
    taken = [shape for shape in _of_champion(home, spec, "") if shape in may]
    champion = find_champion(home, spec.dataset_id)
    if taken and champion is not None:
        made = open_document(home, champion.run_id, Artifact.FEATURE_METADATA, FeatureMetadata)
        grain = made.grain if made else spec.grain or Grain.WEEK
        spec = spec.model_copy(update={"model": with_shapes(spec.model, taken, grain)})
    return spec, note_shape_of(taken)


def reshape_spec(spec: RunSpec, choice: ShapeChoice, grain: Grain) -> RunSpec:
    """Return the spec that states the chosen shapes. Logic: ``shape_choice.with_shapes``."""
    from tasks.diagnose.shape_choice import with_shapes

    return spec.model_copy(update={"model": with_shapes(spec.model, choice.chosen, grain)})


@task(name="adopt-shape", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def adopt_shape(made: ShapedFit, choice: ShapeChoice, run_id: str) -> ShapedFit:
    """Put what a fit in a chosen shape was made of into the run's folder, and say why.

    ``run_spec.json`` states the shapes from here on, so whatever opens the run or repeats its fit
    has them. ``model_metadata.json`` gets the record, the diagnostics a note.
    """
    from tasks.diagnose.shape_choice import note_choice

    record = choice.record
    if record is None:
        return made
    home = current_home()
    folder = home.run_dir(run_id)
    posterior, diagnostics = made.fit.posterior, made.fit.diagnostics
    described = read_document(home, posterior.metadata, ModelMetadata)
    judged = read_document(home, diagnostics.file, Diagnostics)
    note = note_choice(record)
    with_record = described.model_copy(update={"shapes": record})
    notes = [*diagnostics.notes, note]
    with_note = judged.model_copy(update={"notes": [*judged.notes, note]})
    metadata = write_document(home, folder / Artifact.MODEL_METADATA, with_record)
    file = write_document(home, folder / Artifact.DIAGNOSTICS, with_note)
    write_json(home, folder / Artifact.RUN_SPEC, made.spec.model_dump(mode="json"))
    copied = {
        name: _copied(home, ref, folder) for name, ref in made.features if isinstance(ref, FileRef)
    }
    fit = made.fit.model_copy(
        update={
            "posterior": posterior.model_copy(update={"metadata": metadata}),
            "diagnostics": diagnostics.model_copy(update={"file": file, "notes": notes}),
        }
    )
    return ShapedFit(fit=fit, features=made.features.model_copy(update=copied), spec=made.spec)


def _copied(home: Home, ref: FileRef, folder: Path) -> FileRef:
    source = open_ref(home, ref)
    return ref if source.parent == folder else copy_file(home, source, folder / source.name)
