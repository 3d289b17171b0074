"""Names and numbers as MLflow accepts them."""

import hashlib
import math
import re
from collections.abc import Mapping

MAX_NAME = 200


def clean_metrics(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """Drop what is not a finite number and make every name one that MLflow accepts."""
    finite = {k: float(v) for k, v in metrics.items() if v is not None and math.isfinite(v)}
    return {clean_name(k): v for k, v in finite.items()}


def clean_name(name: str) -> str:
    """Return a name that MLflow accepts; a changed name ends in a hash, so two never become one."""
    kept = re.sub(r"[^A-Za-z0-9_.\- /]", "_", name)
    parts = [part.strip() for part in kept.split("/")]
    kept = "/".join(part for part in parts if part.strip("."))[:MAX_NAME]
    if kept == name != "":
        return name
    return f"{kept or 'name'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def quoted(text: str) -> str:
    """Return what may stand between the quotes of a search: nothing that ends them."""
    return text.replace("'", "")
