"""Finished steps of an unfinished run, so that the next try does not repeat them.

A step leaves a record under ``data/steps/<run_id>`` once it has ended: the key of its inputs and
code, and the references it returned. The record counts only while the key is the same and every
file that it refers to still has the bytes that were written; anything else is done again. Prefect's
own result cache cannot look at the files behind a result.
"""

import functools
import hashlib
import inspect
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Concatenate, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.errors import CorruptArtifactError
from schemas.refs import FileRef, StepKey
from schemas.spec.run_spec import RunSpec
from tasks.store.files.artifacts import open_ref, write_json, write_whole
from tasks.store.fingerprint import code_fingerprint, lock_fingerprint
from tasks.store.home import Home, current_home

log = logging.getLogger(__name__)

CODE = ("tasks", "schemas")
"""Packages whose code decides what a step returns."""
_REQUEST = "request"
_OUTCOME = "outcome"


def resumable[**P, R](
    step: Callable[Concatenate[StepKey, P], R],
) -> Callable[Concatenate[StepKey, P], R]:
    """Make a step of a run return what it returned before the run was interrupted.

    Parameters
    ----------
    step
        Takes its key first, then references, specs and plain values; returns references. Each
        retry of a step that a run does several times has a record of its own.

    Raises
    ------
    TypeError
        Where it is applied to a function whose first parameter is no ``StepKey``.
    """
    signature = inspect.signature(step)
    hints = get_type_hints(step)
    if hints.get(next(iter(signature.parameters), "")) is not StepKey:
        raise TypeError(f"{step.__name__}: the first parameter of a resumable step is a StepKey.")
    answer: TypeAdapter[R] = TypeAdapter(hints["return"])

    @functools.wraps(step)
    def resumed(key: StepKey, /, *args: P.args, **kwargs: P.kwargs) -> R:
        home, arguments = current_home(), signature.bind(key, *args, **kwargs).arguments
        path = _record_path(home, key.run_id, _record_name(step.__name__, key))
        digest = input_digest(step.__name__, arguments)
        known = _read_record(home, path, digest, answer)
        if known is not None:
            log.info("%s is taken over from the interrupted run", step.__name__)
            return known
        found = step(key, *args, **kwargs)
        write_json(home, path, {"key": digest, "result": answer.dump_python(found, mode="json")})
        return found

    return resumed


def input_digest(name: str, arguments: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a step's inputs, its code and the installed libraries.

    Parameters
    ----------
    name
        Name of the step.
    arguments
        By name: documents, references and plain values.
    """
    text = json.dumps(
        {
            "step": name,
            "arguments": {k: _plain(v) for k, v in arguments.items()},
            "code": code_fingerprint(*CODE),
            "lock": lock_fingerprint(),
        },
        sort_keys=True,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def run_key(spec: RunSpec, snapshot_id: str, as_of: date) -> str:
    """Return the SHA-256 of all that decides what a run gives: snapshot, spec, day and code."""
    # The snapshot stands for the data; which file the spec names is of no account.
    asked = spec.model_copy(update={"data": None})
    return input_digest("run", {"spec": asked, "snapshot": snapshot_id, "as_of": as_of.isoformat()})


def read_request(home: Home, run_id: str) -> str | None:
    """Return the key of what a run was asked for; None where it left none."""
    path = _record_path(home, run_id, _REQUEST)
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def write_request(home: Home, run_id: str, key: str) -> None:
    """Keep the key of what a run was asked for."""
    path = _record_path(home, run_id, _REQUEST)
    write_whole(home, path, lambda partial: partial.write_text(key + "\n", encoding="utf-8"))


def find_requests(home: Home, key: str) -> list[str]:
    """Return the runs that were asked for this and are not forgotten, the newest first."""
    found = (path.parent.name for path in home.steps.glob(f"*/{_REQUEST}.json"))
    return [run_id for run_id in sorted(found, reverse=True) if read_request(home, run_id) == key]


def keep_outcome(home: Home, run_id: str, outcome: BaseModel) -> None:
    """Keep what a run came to, until it has been reported."""
    write_json(home, _record_path(home, run_id, _OUTCOME), outcome.model_dump(mode="json"))


def read_outcome[T: BaseModel](home: Home, run_id: str, kind: type[T]) -> T | None:
    """Return what a run came to; None where it left nothing, or a file of it has changed since."""
    path = _record_path(home, run_id, _OUTCOME)
    if not path.is_file():
        return None
    try:
        outcome = kind.model_validate_json(path.read_text(encoding="utf-8"))
        for ref in _files(outcome):
            open_ref(home, ref)
    except (ValueError, CorruptArtifactError) as error:
        log.warning("what run %s came to cannot be reported again: %s", run_id, error)
        return None
    return outcome


def has_record(home: Home, run_id: str, step: str) -> bool:
    """Say whether a step of a run has ended once, whatever became of its files."""
    return _record_path(home, run_id, step).is_file()


def fit_dir(home: Home, key: StepKey) -> Path:
    """Return the folder of a fit's files: the run's own, or a retry's until it is chosen.

    A fit with a name is never chosen: its files go when the run ends (``forget_steps``). Another
    shape of the model waits, features included, like a retry.
    """
    if key.shape is None:
        own = home.run_dir(key.run_id)
        return own if key.retry is None else home.steps / key.run_id / f"rung_{key.retry}"
    retry = "" if key.retry is None else f"_rung_{key.retry}"
    return home.steps / key.run_id / f"shape_{key.shape}{retry}"


def forget_steps(home: Home, run_id: str) -> None:
    """Drop the records of a run that has ended well; nothing will resume it."""
    # First of all what a next try looks for: killed in between, the rest is only litter.
    _record_path(home, run_id, _REQUEST).unlink(missing_ok=True)
    shutil.rmtree(home.steps / run_id, ignore_errors=True)


def _read_record[R](home: Home, path: Path, digest: str, answer: TypeAdapter[R]) -> R | None:
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["key"] != digest:
            return None
        known = answer.validate_python(record["result"])
        for ref in _files(known):
            open_ref(home, ref)
    except (ValueError, KeyError, TypeError, ValidationError, CorruptArtifactError) as error:
        log.warning("%s is done again: %s", path.stem, error)
        return None
    return known


def _files(value: Any) -> Iterator[FileRef]:
    """Every file that a result refers to."""
    if isinstance(value, FileRef):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _files(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _files(item)


def _record_path(home: Home, run_id: str, step: str) -> Path:
    return home.steps / run_id / f"{step}.json"


def _record_name(step: str, key: StepKey) -> str:
    """Name of a record: the step, the shape where there is another, the retry after the first."""
    parts = [step, *(str(p) for p in (key.shape, key.retry) if p)]
    return "_".join(parts)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | float | bool) or value is None else str(value)
