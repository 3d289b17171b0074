"""What the server says of itself and of what went wrong."""

from typing import Literal

from pydantic import Field

from schemas.documents.base import Count, Part
from schemas.outcomes import Finding


class Problem(Part):
    """Problem details of RFC 9457, with the findings that the command line reports."""

    type: str = "about:blank"
    """Kind of problem; ``about:blank``: what the status says."""
    title: str
    """The status in words."""
    status: Count
    """HTTP status."""
    detail: str
    """What is wrong and what to do, in a sentence or a list."""
    code: str
    """Name of the error, as ``--json`` of the command line has it."""
    problems: list[str] = []
    """Every problem of a run spec or a request, each with its key."""
    findings: list[Finding] = []
    """Every place of a file that breaks a rule: file, column, rows, rule, remedy."""


class Health(Part):
    """The server is there."""

    status: Literal["ok"] = "ok"
    version: str
    """Version of the product."""


class ReadyCheck(Part):
    """One thing that work needs."""

    name: str
    """warehouse, MLflow, Prefect or disk."""
    is_ready: bool
    """Whether it can be used now."""
    detail: str = ""
    """What is wrong with it and what to do."""


class Readiness(Part):
    """Whether work can be taken on."""

    is_ready: bool
    """Whether everything is there."""
    checks: list[ReadyCheck]
    """One per service."""


class Page[Item](Part):
    """Some items of a list, and where it goes on."""

    items: list[Item]
    """In the order of the list."""
    next_cursor: str | None = Field(None, description="``cursor`` of what follows; null: the end.")
    total: Count
    """Items of the whole list."""
