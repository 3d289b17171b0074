"""A file in a request, written to disk as it comes: as the body itself, or as a field of a form."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from werkzeug.exceptions import HTTPException as FormError
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, File, MultipartDecoder, NeedData

from flows.api.problems import ProblemError
from schemas.answers.datasets import UploadedFile
from tasks.ingest import task_uploads
from tasks.ingest.task_first_bytes import require_table
from tasks.ingest.task_uploads import Incoming

MAX_SECONDS = 900.0
"""How long a file may take to come."""
FORM_FIELD = "file"
_MAX_PARTS = 20
_MAX_KEPT_BYTES = 1_000_000
"""What a form may hold back until a field has begun or ended."""
_STEP_BYTES = 65_536
_ESCAPES_OF_FORMS = {"%0D": "\r", "%0A": "\n", "%22": '"'}
"""What a browser writes for signs that would end the name in a form (HTML, multipart/form-data)."""


async def receive_body(request: Request, dataset_id: str, file_name: str) -> UploadedFile:
    """Receive a file that is the body of a request.

    Raises
    ------
    ProblemError
        408 where it takes too long, 400 where it is cut off.
    MmmError
        As ``task_uploads.receive``; where it is beyond a limit, no table, empty or there already.
    """
    pieces = ((file_name, piece) async for piece in request.stream())
    return await receive_pieces(
        dataset_id, file_name, pieces, n_stated=_stated(request), is_repeatable=False
    )


async def receive_form(request: Request, dataset_id: str) -> UploadedFile:
    """Receive the field ``file`` of a multipart form.

    Raises
    ------
    ProblemError
        415 where it is no such form, 422 where the field is missing, else as ``receive_body``.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get("boundary")
    if kind != "multipart/form-data" or not boundary:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Send the file as field `{FORM_FIELD}` of a multipart form: curl -F file=@panel.csv.",
        )
    return await receive_pieces(dataset_id, None, _form_pieces(request, boundary.encode("latin-1")))


async def receive_pieces(
    dataset_id: str,
    file_name: str | None,
    pieces: AsyncIterator[tuple[str, bytes]],
    *,
    n_stated: int = 0,
    is_repeatable: bool = True,
) -> UploadedFile:
    """Write pieces of a file, each with the name that it is sent under, until there are no more.

    One that states more bytes than it may have is refused before the first of them comes, one
    whose first bytes are of no table with the first piece. What is not repeatable is refused where
    its bytes are the newest file already; clients of the earlier backend send a file as they like.

    Raises
    ------
    ProblemError
        As ``receive_body``; 422 where no piece came.
    """
    incoming = await _begin(dataset_id, file_name) if file_name is not None else None
    is_first = True
    try:
        if incoming is not None:
            incoming.expect(n_stated)
        async with asyncio.timeout(MAX_SECONDS):
            async for name, piece in pieces:
                incoming = incoming or await _begin(dataset_id, name)
                if is_first and piece:
                    require_table(name, piece)
                    is_first = False
                incoming.write(piece)
        if incoming is None:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"The form has no file in field `{FORM_FIELD}`."
            )
        if not is_repeatable:
            await run_in_threadpool(incoming.require_new)
        return await run_in_threadpool(incoming.finish)
    except TimeoutError as error:
        raise ProblemError(
            HTTPStatus.REQUEST_TIMEOUT, f"The file took longer than {MAX_SECONDS:.0f} s."
        ) from error
    except ClientDisconnect as error:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "The file was cut off; send it again."
        ) from error
    finally:
        if incoming is not None:
            incoming.abandon()


def _stated(request: Request) -> int:
    """Return how many bytes a request says that it has; 0 where it does not say."""
    stated = request.headers.get("content-length", "")
    return int(stated) if stated.isascii() and stated.isdigit() else 0


async def _begin(dataset_id: str, file_name: str) -> Incoming:
    return await run_in_threadpool(task_uploads.receive, dataset_id, file_name)


async def _form_pieces(request: Request, boundary: bytes) -> AsyncIterator[tuple[str, bytes]]:
    """Yield name and bytes of the one field that is the file; other fields are left out."""
    form = _Form(boundary)
    try:
        async for piece in request.stream():
            for start in range(0, len(piece), _STEP_BYTES):
                for part in form.split(piece[start : start + _STEP_BYTES]):
                    yield part
        for part in form.split(None):
            yield part
    except (FormError, ValueError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The form is not whole, or not one.") from error
    if not form.is_whole:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The form was cut off; send it again.")


class _Form:
    """A multipart form that comes in pieces; of its fields, the first file is let through."""

    def __init__(self, boundary: bytes) -> None:
        self._decoder = MultipartDecoder(boundary, _MAX_KEPT_BYTES, max_parts=_MAX_PARTS)
        self._name: str | None = None
        self._was_there = False
        self.is_whole = False

    def split(self, piece: bytes | None) -> Iterator[tuple[str, bytes]]:
        """Yield what a piece of the form holds of the file; None: there is no more of it."""
        self._decoder.receive_data(piece)
        while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Data):
                if self._name is not None:
                    yield self._name, event.data
            else:
                self._name = self._file_in(event)
        self.is_whole = self.is_whole or isinstance(event, Epilogue)

    def _file_in(self, event: Event) -> str | None:
        """Return the name of the file that begins here; None where another field does."""
        if self._was_there or not isinstance(event, File) or event.name != FORM_FIELD:
            return None
        self._was_there = True
        name = event.filename
        for written, meant in _ESCAPES_OF_FORMS.items():
            name = name.replace(written, meant)
        return name
