"""MLflow: experiments, runs, artifacts, the model registry and its server."""
