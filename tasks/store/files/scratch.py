"""A temporary folder of its own for what compiles: each compiler leaves dozens of files behind."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_scratch() -> Iterator[None]:
    """Let temporary files of this process lie in a folder that goes at the end."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="mmm-fit-") as folder:
        tempfile.tempdir = str(Path(folder))
        try:
            yield
        finally:
            tempfile.tempdir = before
