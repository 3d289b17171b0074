"""Files of a run: written to a temporary name, hashed, then renamed; checked when read.

Belongs here: Parquet, JSON and netCDF in and out, and the hash in every reference.
Does not: what the files mean.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError

from schemas.errors import CorruptArtifactError
from schemas.refs import FileRef
from tasks.store.home import Home
from tasks.store.kept import Kept, settled_state_of
from tasks.store.redaction import redact
from tasks.store.storage import writing_to

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_digests: Kept[str] = Kept(20_000, lambda _: 1)
_documents: Kept[BaseModel] = Kept(2_000, lambda _: 1)
_newest_draws: "dict[str, xr.DataTree]" = {}
"""The draws that were read last, by the hash of their file; one or none."""
_LARGEST_KEPT = 16_000_000
"""Bytes of a file of draws that is kept in memory; a larger one takes little longer to read again
than to copy, and would hold memory that the stage after it needs."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def kept_sha256_of(path: Path) -> str:
    """Return what ``sha256_of`` does, read again only where the file has changed since."""
    return _digests.get(str(path), settled_state_of(path), lambda: sha256_of(path))


def write_whole(home: Home, path: Path, write: Callable[[Path], object]) -> FileRef:
    """Call ``write`` on a temporary sibling of ``path``, then rename it into place.

    A crash leaves either the old file or the new one, never half of one.

    Raises
    ------
    StorageError
        If the disk is full, or the folder may not be written to.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(partial)
            digest = sha256_of(partial)
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return FileRef(path=home.relative(path), sha256=digest)


def sweep_partials(folder: Path) -> None:
    """Remove what killed writers left under a folder; nobody may be writing into it."""
    for left in folder.rglob(".*.partial*"):
        left.unlink(missing_ok=True)


def copy_file(home: Home, source: Path, path: Path) -> FileRef:
    """Copy a file to ``path``, whole or not at all."""
    return write_whole(home, path, lambda partial: shutil.copyfile(source, partial))


def open_ref(home: Home, ref: FileRef) -> Path:
    """Return the path of a referenced file after checking its hash.

    Raises
    ------
    CorruptArtifactError
        If the file is missing or its bytes are not those that were written.
    """
    path = home.root / ref.path
    if not path.is_file():
        raise CorruptArtifactError(f"{ref.path} is missing; restore it or run the refit again.")
    if sha256_of(path) != ref.sha256:
        raise CorruptArtifactError(
            f"{ref.path} was changed after it was written; restore it or run the refit again."
        )
    return path


def write_json(home: Home, path: Path, document: Any) -> FileRef:
    """Write a JSON document without secrets; a number that is not finite is refused, not NaN."""
    text = redact(json.dumps(document, indent=2, allow_nan=False, default=str))
    return write_whole(home, path, lambda p: p.write_text(text + "\n", encoding="utf-8"))


def read_json(home: Home, ref: FileRef) -> Any:
    """Read a referenced JSON document."""
    return json.loads(open_ref(home, ref).read_text(encoding="utf-8"))


def write_document(home: Home, path: Path, document: BaseModel) -> FileRef:
    """Write a typed document under its published field names."""
    return write_json(home, path, document.model_dump(mode="json", by_alias=True))


def read_document[Doc: BaseModel](home: Home, ref: FileRef, model: type[Doc]) -> Doc:
    """Read a referenced document as its model.

    Raises
    ------
    CorruptArtifactError
        If the file is missing, was changed, or does not have the fields of the model.
    """
    return parse_document(open_ref(home, ref), model)


def parse_document[Doc: BaseModel](path: Path, model: type[Doc]) -> Doc:
    """Read a file as its model, whether or not a reference has its hash.

    Raises
    ------
    CorruptArtifactError
        If the file does not have the fields of the model.
    """
    try:
        return model.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        what = f"not a {model.__name__}: {where}: {first['msg']}"
        raise CorruptArtifactError(
            f"{path} is {'not whole' if first['type'] == 'json_invalid' else what}; restore it or "
            "run the refit again."
        ) from error


def kept_document[Doc: BaseModel](path: Path, model: type[Doc]) -> Doc:
    """Return what ``parse_document`` does, parsed again only where the file has changed since.

    Who gets it changes nothing in it: others get the same.
    """
    return cast(
        "Doc",
        _documents.get(
            (str(path), model),
            settled_state_of(path),
            lambda: parse_document(path, model),
        ),
    )


def write_parquet(home: Home, path: Path, frame: "pd.DataFrame") -> FileRef:
    """Write a frame without its index.

    Parameters
    ----------
    home, path
        Where it goes.
    frame
        Any frame; its index is dropped.
    """
    return write_whole(home, path, lambda p: frame.to_parquet(p, index=False))


def read_parquet(home: Home, ref: FileRef) -> "pd.DataFrame":
    """Read a referenced frame.

    Returns
    -------
    pd.DataFrame
        Its columns as they were written.
    """
    import pandas as pd

    return pd.read_parquet(open_ref(home, ref))


def write_netcdf(home: Home, path: Path, tree: "xr.DataTree") -> FileRef:
    """Write a DataTree of draws, compressed, in one file.

    Parameters
    ----------
    home, path
        Where it goes.
    tree
        Draws by group, dims ``(chain, draw, ...)``.
    """

    def write(partial: Path) -> None:
        encoding = {
            group: {
                str(name): {"zlib": True, "complevel": 4, "shuffle": True}
                for name, variable in node.data_vars.items()
                if variable.dtype.kind in "fiub" and variable.ndim
            }
            for group, node in ((n.path, n) for n in tree.subtree)
        }
        tree.to_netcdf(partial, engine="h5netcdf", encoding=encoding)

    return write_whole(home, path, write)


def read_netcdf(home: Home, ref: FileRef) -> "xr.DataTree":
    """Read a referenced DataTree into memory and close the file.

    The stages of a refit ask for the same file one after another, so the newest one is kept.

    Returns
    -------
    xr.DataTree
        Its groups as they were written, in memory; the caller's own to change.
    """
    path = open_ref(home, ref)
    # By its bytes, which were just looked at: the fit that is chosen is copied to another path.
    if (kept := _newest_draws.get(ref.sha256)) is not None:
        return kept.copy(deep=True)
    tree = _load_netcdf(path)
    if path.stat().st_size <= _LARGEST_KEPT:
        _newest_draws.clear()
        _newest_draws[ref.sha256] = tree.copy(deep=True)
    return tree


def _load_netcdf(path: Path) -> "xr.DataTree":
    import xarray as xr

    with xr.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()
