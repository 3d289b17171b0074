"""What routers get from the application and from headers."""

from typing import Annotated

from fastapi import Depends, Header, Request

from flows.api.evaluator import Evaluator
from flows.api.services import JobService


def _jobs(request: Request) -> JobService:
    service: JobService = request.app.state.jobs
    return service


Jobs = Annotated[JobService, Depends(_jobs)]


def _evaluator(request: Request) -> Evaluator:
    evaluator: Evaluator = request.app.state.evaluator
    return evaluator


Plans = Annotated[Evaluator, Depends(_evaluator)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=200,
        description="The same key again starts nothing anew and answers as before.",
    ),
]
