"""What is kept of runs across warehouse, files and MLflow: status, champion, digests, steps."""
