"""A version of a dataset's registered model: its code, artifacts, signature and requirements."""

import importlib
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tasks.store.home import CHECKOUT

_PACKAGES = ("tasks", "schemas")
_CODE_FILE = "steady_mmm.zip"
"""What a version has of our own code; ``tasks.publish.kpi_model`` imports from it."""

MODEL_LIBRARIES = (
    "mlflow",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "h5netcdf",
    "pydantic",
    "pymc",
    "pymc-marketing",
)
"""What the registered model needs when it is loaded elsewhere."""


@dataclass(frozen=True)
class ModelFiles:
    """Files and columns of a model version."""

    code: Path
    artifacts: Mapping[str, Path]
    input_columns: list[str]
    output_columns: list[str]


@dataclass(frozen=True)
class MadeVersion:
    """A version of the registered model, and the logged model that it is of."""

    number: int
    model_id: str


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep MLflow from printing that a version was made: the refit says it in its own words."""
    from mlflow.utils.logging_utils import disable_logging, enable_logging

    disable_logging()
    try:
        yield
    finally:
        enable_logging()


@contextmanager
def _without_second_look() -> Iterator[None]:
    """Keep MLflow from comparing requirements with what is installed, of which they were made.

    It lists every file of every installed package for that: half a second of a first refit.
    """
    environment: Any = importlib.import_module("mlflow.utils.environment")
    compare = environment.warn_dependency_requirement_mismatches
    environment.warn_dependency_requirement_mismatches = lambda _requirements: None
    try:
        yield
    finally:
        environment.warn_dependency_requirement_mismatches = compare


@cache
def _packed_code() -> bytes:
    """Our packages as one archive: as files they are five hundred, copied twice by each version."""
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for package in _PACKAGES:
            for path in sorted((CHECKOUT / package).rglob("*.py")):
                entry = ZipInfo(str(path.relative_to(CHECKOUT)))  # no date: same code, same bytes
                archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED)
    return packed.getvalue()


@contextmanager
def _code_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mmm-code-") as folder:
        path = Path(folder) / _CODE_FILE
        path.write_bytes(_packed_code())
        yield path


def register_version(dataset_id: str, model: ModelFiles, tags: Mapping[str, str]) -> MadeVersion:
    """Log the model of the active MLflow run and register it with tags.

    Parameters
    ----------
    dataset_id
        Name of the registered model.
    model
        What is logged.
    tags
        Of the version. Set one by one they would cost two queries each.

    Returns
    -------
    MadeVersion
        What was made.
    """
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    kinds = {"entity_id": DataType.string, "period_start": DataType.datetime}
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(kinds.get(name, DataType.double), name) for name in model.input_columns
    ]
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(kinds.get(name, DataType.double), name) for name in model.output_columns
    ]
    seed = ParamSpec("seed", DataType.integer, 0)
    with (
        warnings.catch_warnings(),
        _without_chatter(),
        _without_second_look(),
        _code_file() as ours,
    ):
        # An example would be predicted here and now; the signature is complete without it.
        warnings.filterwarnings("ignore", message=".*input example was not provided")
        info = mlflow.pyfunc.log_model(
            name="kpi_model",
            python_model=str(model.code),
            artifacts={name: str(path) for name, path in model.artifacts.items()},
            code_paths=[str(ours)],
            pip_requirements=[f"{name}=={version(name)}" for name in MODEL_LIBRARIES],
            signature=ModelSignature(
                inputs=Schema(columns), outputs=Schema(outputs), params=ParamSchema([seed])
            ),
        )
        made = mlflow.register_model(info.model_uri, dataset_id, tags=dict(tags))
    return MadeVersion(int(made.version), str(info.model_id))
