"""Run specs that are being written in a browser: kept, guessed, turned into text and back.

Plain functions, for who serves them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from schemas.answers.datasets import DraftSpec
from schemas.answers.guessed_spec import GuessedSpec
from schemas.errors import SpecError
from tasks.ingest.task_uploads import DEMO_ID, require_dataset_id
from tasks.store.home import CHECKOUT, current_home
from tasks.store.inputs import commented, drafts
from tasks.store.inputs.spec_file import dump_document, parse_document

MOST_CHARACTERS = 1_000_000
_NAME = "The run spec"
_PLACED = re.compile(r"^((# *)?data:|# Try it:).*\n?", re.M)
"""Where a file lies, and how a command is given it, is nothing that a draft says: the file is the
one that was uploaded."""


def find_draft(dataset_id: str) -> DraftSpec | None:
    """Return the draft of a dataset; None where nobody has written one."""
    require_dataset_id(dataset_id)
    return drafts.find_draft(current_home(), dataset_id)


def save_draft(dataset_id: str, text: str, *, origin: str, reasons: Mapping[str, str]) -> DraftSpec:
    """Keep a draft in the place of the one before, and return it.

    Raises
    ------
    SpecError
        If it is longer than any run spec.
    """
    require_dataset_id(dataset_id)
    if len(text) > MOST_CHARACTERS:
        raise SpecError(f"{_NAME} has more than {MOST_CHARACTERS:,} characters.")
    draft = make_draft(dataset_id, text, origin=origin, reasons=reasons)
    drafts.write_draft(current_home(), draft)
    return draft


def make_draft(dataset_id: str, text: str, *, origin: str, reasons: Mapping[str, str]) -> DraftSpec:
    """Return a draft that is not kept yet."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return DraftSpec(
        dataset_id=dataset_id, text=text, sha256=digest, origin=origin, reasons=dict(reasons)
    )


def draft_of_guess(dataset_id: str, text: str, guessed: GuessedSpec) -> DraftSpec:
    """Return a guessed spec as the draft of a dataset.

    Parameters
    ----------
    dataset_id
        Dataset, which a guess names after its file.
    text
        The spec as it was written.
    guessed
        What it was guessed from.
    """
    named = f"dataset_id: {json.dumps(dataset_id)}"
    text = re.sub(r"^dataset_id:.*$", lambda _: named, text, count=1, flags=re.M)
    reasons = {column: line.reason for line in guessed.guessed for column in line.columns}
    return make_draft(
        dataset_id,
        _PLACED.sub("", text),
        origin="guessed from names and values of the file",
        reasons={**guessed.unused, **reasons},
    )


def save_demo_draft() -> DraftSpec:
    """Keep the run spec of the demo as its draft."""
    text = (CHECKOUT / "data" / "demo" / "run_spec.yaml").read_text(encoding="utf-8")
    return save_draft(DEMO_ID, _PLACED.sub("", text), origin="the run spec of the demo", reasons={})


def parse_text(text: str) -> dict[str, Any]:
    """Return a run spec in YAML or JSON as a document.

    Returns
    -------
    dict
        Keys and values as they are written.

    Raises
    ------
    SpecError
        With the line of the first mistake.
    """
    document = parse_document(text, name=_NAME)
    if not isinstance(document, dict):
        raise SpecError(f"{_NAME}: expected keys and values, got {type(document).__name__}.")
    return document


def write_text(document: Mapping[str, Any]) -> str:
    """Return a document as YAML, its keys in their order.

    Parameters
    ----------
    document
        A run spec as JSON would hold it.
    """
    return dump_document(document)


def rewrite_text(text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """Return a draft with what differs between two documents, its comments as they were.

    Parameters
    ----------
    text
        YAML as somebody wrote it.
    before, after
        What it says, and what it is to say.

    Returns
    -------
    str or None
        None where it cannot be changed so: JSON, or what stands in two places by an anchor.
    """
    written = commented.rewrite(text, before, after)
    return written if written and written.strip() else None
