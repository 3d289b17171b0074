"""Where the warehouse of a dataset lies: the one place that makes a file name of a dataset id.

The folder is the catalogue. A name says its dataset, so what lies there is what there is: nothing
can disagree with it after a kill, a restored backup or a file that was copied in, and nothing has
to be asked before a dataset is opened.
Invariant: ids are anybody's. No name leads out of the folder, and two ids never share one, not
even where the disk does not tell upper from lower case.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.documents.results import StatusFile
from schemas.errors import SpecError
from schemas.names import Artifact
from tasks.store.home import Home
from tasks.store.runs.ids import is_run_of

_SUFFIX = ".duckdb"
_AS_IT_IS = re.compile(r"[a-z0-9_-]")
_ENCODED = re.compile(r"=([0-9a-f]{2})")
_MAX_STEM = 192
"""64 characters, three each; with what is written around it below the 255 of a file name."""


def stem_of(dataset_id: str) -> str:
    """Return a file name for a dataset, without suffix.

    Lower-case letters, digits, ``_`` and ``-`` stand for themselves, every other byte is ``=`` and
    two hex digits. So no name has a dot: ``<stem>.previous.duckdb`` and ``<stem>.lock`` are free.

    Raises
    ------
    SpecError
        If it is empty or too long to be one.
    """
    stem = "".join(
        char if _AS_IT_IS.fullmatch(char) else "".join(f"={byte:02x}" for byte in char.encode())
        for char in dataset_id
    )
    if not 0 < len(stem) <= _MAX_STEM:
        raise SpecError(
            f"dataset_id: {dataset_id[:64]!r} cannot name a dataset; use 1 to 64 letters, digits, "
            "`_`, `.` or `-`."
        )
    return stem


def warehouse_of(home: Home, dataset_id: str) -> Path:
    """Return the file of a dataset, whether or not it is there.

    Raises
    ------
    SpecError
        If no dataset can have this id.
    """
    return home.warehouses / f"{stem_of(dataset_id)}{_SUFFIX}"


def datasets(home: Home) -> list[str]:
    """Return every dataset that has a warehouse, in alphabetical order."""
    stems = (path.stem for path in home.warehouses.glob(f"*{_SUFFIX}"))
    return sorted(found for stem in stems if (found := _dataset_of(stem)) is not None)


def lock_of(warehouse: Path) -> Path:
    """Return the lock file of all who write to a warehouse."""
    return warehouse.with_suffix(".lock")


def previous_of(warehouse: Path) -> Path:
    """Return where a warehouse is kept as it was before the last write."""
    return warehouse.resolve().with_name(f"{warehouse.stem}.previous{warehouse.suffix}")


def published_runs(home: Home, *, without: set[str]) -> Iterator[tuple[str, str]]:
    """Yield dataset and id of the published runs whose folders are there.

    Parameters
    ----------
    home
        The home.
    without
        Datasets whose runs are left out; then hardly a file has to be opened.
    """
    for run_id in sorted(path.name for path in home.runs.glob("*")):
        if run_id.rsplit("-", 2)[0] in without:
            continue
        folder = home.run_dir(run_id)
        dataset_id = dataset_of_folder(folder) if (folder / Artifact.DIGESTS).is_file() else None
        if dataset_id is not None and dataset_id not in without:
            yield dataset_id, run_id


def nearest_first(home: Home, run_id: str, known: Sequence[str]) -> list[str]:
    """Return the known datasets, those first that a run's id and its folder name."""
    is_name = Path(run_id).name == run_id
    named = dataset_of_folder(home.run_dir(run_id)) if is_name else None
    return sorted(known, key=lambda d: (d != named, not is_run_of(run_id, d), d))


def _dataset_of(stem: str) -> str | None:
    """Return the dataset that a file name says; None where it is none of ours."""
    try:
        found = _ENCODED.sub(lambda code: chr(int(code[1], 16)), stem).encode("latin-1").decode()
        return found if stem_of(found) == stem else None
    except (UnicodeError, SpecError):
        return None


def dataset_of_folder(folder: Path) -> str | None:
    """Return the dataset that the folder of a run says it is of; None where it does not say it."""
    try:
        text = (folder / Artifact.RUN_STATUS).read_text(encoding="utf-8")
        return StatusFile.model_validate_json(text).dataset_id
    except (OSError, ValueError):
        return None
