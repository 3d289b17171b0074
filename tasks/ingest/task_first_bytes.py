"""Whether a file that is being received can be a table, by its first bytes.

Does not: judge the whole file, which is read once all of it has come.
"""

from pathlib import PurePath

from schemas.names import PARQUET_SUFFIXES, TEXT_SUFFIXES
from tasks.ingest.file_faults import raise_faults, too_large, unreadable
from tasks.ingest.text_faults import DELIMITERS
from tasks.store.inputs.limits import TooLargeError, current_limits
from tasks.store.inputs.uploads import safe_name

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def require_table(file_name: str, head: bytes) -> None:
    """Raise if the first bytes of a file are those of no table, whatever its ending says.

    Parameters
    ----------
    file_name
        Name that it is sent under.
    head
        As many bytes as have come first.

    Raises
    ------
    DataContractError
        If a text file holds what no text does, a typed one does not begin as its type, or the
        header has more columns than a file may have.
    """
    name = safe_name(file_name)
    suffix = PurePath(name).suffix
    if suffix not in TEXT_SUFFIXES:
        kind, begins = ("Parquet", b"PAR1") if suffix in PARQUET_SUFFIXES else ("Excel", b"PK")
        if len(head) >= len(begins) and not head.startswith(begins):
            raise_faults([unreadable(name, kind, f"it does not begin as {kind} files do")])
        return
    if b"\0" in head and not head.startswith(_UTF_16):  # another encoding is said to be one later
        raise_faults([unreadable(name, "text", "it holds bytes that no text does")])
    header = head.partition(b"\n")[0]
    try:
        current_limits().require_columns(
            1 + max(header.count(mark.encode()) for mark in DELIMITERS)
        )
    except TooLargeError as error:
        raise_faults([too_large(name, error)])
