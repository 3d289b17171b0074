"""The registered model: expected KPI and contributions for rows of a canonical panel.

MLflow stores this file itself (models from code), with ``tasks`` and ``schemas`` as an archive in
``code``, so it loads outside the checkout and without unpickling anything.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

# MLflow puts the folder on the path; what is imported from the archive is imported in functions.
sys.path[:0] = map(str, Path(__file__).parent.glob("code/*.zip"))

FILES = ("posterior", "feature_metadata", "feature_scaler")
"""Names of the artifacts that a prediction needs."""


class KpiModel(PythonModel):
    """Predicts ``kpi_mean, kpi_low, kpi_high`` and ``contribution_<component>`` per row.

    Rows are history plus new periods: carryover needs the periods before the first one of interest.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Open the fitted model from its artifacts."""
        import xarray as xr

        from schemas.documents.features import FeatureMetadata, FeatureScaler
        from tasks.models.opening import open_fitted

        files = {name: Path(context.artifacts[name]) for name in FILES}
        self.metadata = FeatureMetadata.model_validate_json(
            files["feature_metadata"].read_text(encoding="utf-8")
        )
        scaler = FeatureScaler.model_validate_json(
            files["feature_scaler"].read_text(encoding="utf-8")
        )
        with xr.open_datatree(files["posterior"], engine="h5netcdf") as tree:
            posterior = tree.load()
        self.fitted = open_fitted(posterior, self.metadata, scaler)

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow calls it so
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Predict each row; ``params["seed"]`` seeds the observation noise of the interval."""
        from tasks.models.opening import predict_rows

        return predict_rows(
            self.fitted, model_input, self.metadata, seed=int((params or {}).get("seed", 0))
        )


set_model(KpiModel())
