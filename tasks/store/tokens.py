"""Tokens of the REST API: who may read, who may write. Nobody but its holder keeps its text.

Belongs here: the file of hashes, made and read. Does not: where one is asked for (``flows.api``).
A token has 256 random bits, so its SHA-256 cannot be searched and needs no salt.
"""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from schemas.documents.base import Document, Part
from schemas.errors import SpecError
from tasks.store.files.artifacts import parse_document, write_document
from tasks.store.home import Home

_RANDOM_BYTES = 32
_MARK = "mmm_"
"""How a token begins, so that a scanner for secrets can find it."""


class Role(StrEnum):
    """What a token lets its holder do."""

    READ = "read"
    WRITE = "write"
    """Read, and change: upload, start, cancel, accept, delete."""


class TokenRecord(Part):
    """One token, without its text."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """Who or what has it."""
    role: Role
    """What it lets its holder do."""
    sha256: str
    """Of its text."""
    created_at: datetime
    """When it was made."""


class TokenFile(Document):
    """Every token of a home, in ``.prefect/api_tokens.json``."""

    tokens: list[TokenRecord] = []
    """In the order in which they were made."""


def tokens_path(home: Home) -> Path:
    """Return the file that holds the hashes."""
    return home.root / ".prefect" / "api_tokens.json"


def list_tokens(home: Home) -> list[TokenRecord]:
    """Return every token; none where none was made.

    Raises
    ------
    CorruptArtifactError
        If the file is not whole: nobody is let in then, rather than everybody.
    """
    path = tokens_path(home)
    return parse_document(path, TokenFile).tokens if path.exists() else []


def make_token(home: Home, name: str, role: Role) -> str:
    """Make a token and return its text, which cannot be read again.

    Raises
    ------
    SpecError
        If there is a token of that name.
    """
    known = list_tokens(home)
    if any(record.name == name for record in known):
        raise SpecError(f"token: {name!r} exists already; choose another name, or revoke it first.")
    text = _MARK + secrets.token_urlsafe(_RANDOM_BYTES)
    record = TokenRecord(name=name, role=role, sha256=_hash(text), created_at=datetime.now(UTC))
    _write(home, [*known, record])
    return text


def revoke_token(home: Home, name: str) -> None:
    """Forget a token.

    Raises
    ------
    SpecError
        If there is none of that name.
    """
    known = list_tokens(home)
    kept = [record for record in known if record.name != name]
    if len(kept) == len(known):
        names = ", ".join(record.name for record in known) or "none"
        raise SpecError(f"token: there is no {name!r}; tokens of this home: {names}.")
    _write(home, kept)


def find_role(records: list[TokenRecord], text: str) -> Role | None:
    """Return what a token lets its holder do; None where it is none of ours.

    Every record is compared, in constant time each: how long it takes says nothing.
    """
    given, found = _hash(text), None
    for record in records:
        if hmac.compare_digest(record.sha256, given):
            found = record.role
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()


def _write(home: Home, records: list[TokenRecord]) -> None:
    path = tokens_path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_document(home, path, TokenFile(tokens=records))
    path.chmod(0o600)
