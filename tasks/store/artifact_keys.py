"""Keys of Prefect artifacts: one per kind and dataset, so that the UI keeps their history."""

import hashlib


def artifact_key(kind: str, dataset_id: str) -> str:
    """Return a Prefect artifact key (lowercase, digits, dashes); two datasets never share one."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in dataset_id.lower())
    suffix = (
        "" if plain == dataset_id else f"-{hashlib.sha256(dataset_id.encode()).hexdigest()[:6]}"
    )
    return f"{kind}-{plain}{suffix}"
