"""What routers get from the application and from headers."""

from typing import Annotated

from fastapi import Depends, Header, Request

from flows.api.services import JobService


def _jobs(request: Request) -> JobService:
    service: JobService = request.app.state.jobs
    return service


Jobs = Annotated[JobService, Depends(_jobs)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=200,
        description="The same key again starts nothing anew and answers as before.",
    ),
]
