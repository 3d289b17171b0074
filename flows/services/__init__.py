"""What starts Prefect, MLflow and the worker, and ends them with the process that asked."""
