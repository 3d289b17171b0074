"""Results of Great Expectations, found once for all tests of a session.

What a suite finds depends on the rows, the suite and its parameters alone, and hundreds of tests
send the same few panels through the gates. Each is judged by the library once, whichever worker
comes first; whoever sends the very same again is given what was found. How a suite is run is held
by ``unit/store/test_gx.py``, which is not given results.
"""

import hashlib
import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.store import gx


def share_results(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Keep in ``folder`` what ``run_suite`` returns; what it raises is raised anew."""
    run = gx.run_suite
    folder.mkdir(exist_ok=True)

    def run_suite(
        frame: pd.DataFrame,
        suite: Mapping[str, Any],
        *,
        parameters: Mapping[str, Any],
        index_columns: Sequence[str],
    ) -> dict[str, Any]:
        asked = pickle.dumps((frame, suite, parameters, index_columns))
        known = folder / hashlib.sha256(asked).hexdigest()
        if known.exists():
            return pickle.loads(known.read_bytes())  # noqa: S301 - written by this session
        found = run(frame, suite, parameters=parameters, index_columns=index_columns)
        partial = known.with_suffix(f".{os.getpid()}")
        partial.write_bytes(pickle.dumps(found))
        partial.rename(known)
        return found

    patch.setattr(gx, "run_suite", run_suite)
