"""A version of a dataset's registered model: its code, artifacts, signature and requirements."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tasks.store.home import CHECKOUT

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
    with warnings.catch_warnings(), _without_chatter():
        # An example would be predicted here and now; the signature is complete without it.
        warnings.filterwarnings("ignore", message=".*input example was not provided")
        info = mlflow.pyfunc.log_model(
            name="kpi_model",
            python_model=str(model.code),
            artifacts={name: str(path) for name, path in model.artifacts.items()},
            code_paths=[str(CHECKOUT / "tasks"), str(CHECKOUT / "schemas")],
            pip_requirements=[f"{name}=={version(name)}" for name in MODEL_LIBRARIES],
            signature=ModelSignature(
                inputs=Schema(columns), outputs=Schema(outputs), params=ParamSchema([seed])
            ),
        )
        made = mlflow.register_model(info.model_uri, dataset_id, tags=dict(tags))
    return MadeVersion(int(made.version), str(info.model_id))
