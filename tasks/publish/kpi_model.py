"""The registered model: expected KPI and contributions for rows of a canonical panel.

MLflow stores this file itself (models from code), with copies of ``tasks`` and ``schemas``, so it
loads outside the checkout and without unpickling anything.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

FILES = ("posterior", "feature_metadata", "feature_scaler", "model_metadata")
"""Names of the artifacts; ``model_metadata`` only adds to ``feature_metadata``."""


class KpiModel(PythonModel):
    """Predicts ``kpi_mean, kpi_low, kpi_high`` and ``contribution_<component>`` per row.

    Rows are history plus new periods: carryover needs the periods before the first one of interest.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Open the fitted model from its artifacts."""
        import xarray as xr

        from tasks.models.registry import open_fitted

        files = {name: Path(context.artifacts[name]) for name in FILES}
        read = {
            name: json.loads(path.read_text(encoding="utf-8"))
            for name, path in files.items()
            if name != "posterior"
        }
        with xr.open_datatree(files["posterior"], engine="h5netcdf") as tree:
            posterior = tree.load()
        self.metadata = {**read["model_metadata"], **read["feature_metadata"]}
        self.fitted = open_fitted(posterior, self.metadata, read["feature_scaler"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow calls it so
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Predict each row; ``params["seed"]`` seeds the observation noise of the interval."""
        from tasks.models.registry import predict_rows

        return predict_rows(
            self.fitted, model_input, self.metadata, seed=int((params or {}).get("seed", 0))
        )


set_model(KpiModel())
