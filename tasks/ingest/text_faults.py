"""Find every structural fault of a delimited text file and say where it is.

Belongs here: delimiter, header, ragged rows, quotes, encoding; over streams of bytes or text.
Does not: opening files, landing rows, values and roles (``tasks.validate``).
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from schemas.names import LINE_COLUMN
from schemas.outcomes import MAX_PLACES, Finding, Layer, Verdict

MAX_COUNTED = 50_000
"""Of a file that breaks one rule in more lines, no further lines are read."""
DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def fault(
    file: str,
    rule: str,
    message: str,
    remedy: str,
    *,
    column: str | None = None,
    rows: Sequence[int] = (),
    n_affected: int | None = None,
) -> Finding:
    """Make a failing finding about the structure of a file."""
    return Finding(
        layer=Layer.RAW,
        rule=rule,
        verdict=Verdict.FAIL,
        message=f"{file}: {message}",
        remedy=remedy,
        file=file,
        column=column,
        rows=list(rows)[:MAX_PLACES],
        n_affected=n_affected,
    )


def sniff_delimiter(header_line: str) -> str:
    """Return the delimiter that occurs most often outside quotes in the header line."""
    outside = "".join(header_line.split('"')[::2])
    return max(DELIMITERS, key=lambda mark: (outside.count(mark), -DELIMITERS.index(mark)))


def open_text(stream: BinaryIO) -> io.TextIOWrapper:
    """Decode a byte stream as UTF-8 without its mark; broken bytes stay recognisable."""
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def records(text: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every record with the line it starts on, blank lines left out.

    Raises
    ------
    csv.Error
        If a quote is not closed or is followed by text.
    """
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    start = 1
    for fields in reader:
        if fields:
            yield start, fields
        start = reader.line_num + 1


def land_names(header: Sequence[str]) -> list[str]:
    """Name a blank first column, as pandas writes its index, so that it can land and be ignored."""
    if header and not header[0].strip():
        return ["column_1" if "column_1" not in header else "column_1_unnamed", *header[1:]]
    return list(header)


def header_faults(file: str, header: Sequence[str]) -> list[Finding]:
    """Judge the names of a header: each present, none twice."""
    faults = []
    empty = [i + 1 for i, name in enumerate(header) if i and not name.strip()]
    if empty:
        faults.append(
            fault(
                file,
                "empty_header_name",
                f"line 1: column {', '.join(map(str, empty[:MAX_PLACES]))} has no name.",
                "Name every column, or remove the empty one (often a delimiter at the line's end).",
                rows=[1],
                n_affected=len(empty),
            )
        )
    seen: dict[str, list[int]] = {}
    for i, name in enumerate(header):
        if name.strip():
            seen.setdefault(name.casefold(), []).append(i + 1)
    for places in (p for p in seen.values() if len(p) > 1):
        names = {header[p - 1] for p in places}
        reported = " and ".join(sorted(map(repr, names)))
        faults.append(
            fault(
                file,
                "duplicate_header",
                f"line 1: {reported} names columns {', '.join(map(str, places))}"
                f"{' (they differ only in upper and lower case)' if len(names) > 1 else ''}.",
                "Give every column its own name, or remove the repeated one.",
                column=header[places[0] - 1],
                rows=[1],
                n_affected=len(places),
            )
        )
    if LINE_COLUMN in (name.casefold() for name in header):
        faults.append(
            fault(
                file,
                "reserved_name",
                f"line 1: a column is named {LINE_COLUMN!r}, which is kept for line numbers.",
                "Rename that column.",
                column=LINE_COLUMN,
                rows=[1],
            )
        )
    return faults


def encoding_faults(file: str, stream: BinaryIO) -> list[Finding]:
    """Find the lines that are not UTF-8, with the first bad byte of each."""
    places: list[tuple[int, int, int]] = []
    count = 0
    for number, raw in enumerate(stream, start=1):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            count += 1
            if len(places) < MAX_PLACES:
                places.append((number, error.start + 1, raw[error.start]))
    if not places:
        return []
    reported = "; ".join(f"line {n}, byte {at} (0x{byte:02x})" for n, at, byte in places)
    return [
        fault(
            file,
            "wrong_encoding",
            f"not UTF-8 text: {reported}; {count} line(s) in all.",
            "Save the file as UTF-8 (in Excel: CSV UTF-8) and give it again.",
            rows=[n for n, _, _ in places],
            n_affected=count,
        )
    ]


def binary_fault(file: str, head: bytes, first_nul: int) -> Finding:
    """Report UTF-16 text from bytes that are no text at all."""
    if head.startswith(_UTF16_MARKS):
        return fault(
            file,
            "wrong_encoding",
            "line 1, byte 1: the text is UTF-16.",
            "Save the file as UTF-8 (in Excel: CSV UTF-8) and give it again.",
            rows=[1],
        )
    line = head[:first_nul].count(b"\n") + 1
    return fault(
        file,
        "not_text",
        f"binary content: NUL byte at byte {first_nul + 1} of the file, line {line} or later.",
        "Give a CSV file in UTF-8; a workbook needs the ending .xlsx, a Parquet file .parquet.",
        rows=[line],
    )


def row_faults(file: str, text: Iterable[str], *, delimiter: str, n_fields: int) -> list[Finding]:
    """Find every ragged row, and a quote that breaks the file, with their lines."""
    ragged: list[tuple[int, int]] = []
    count, line = 0, 0
    faults = []
    try:
        for line, fields in records(text, delimiter):
            if not fits(fields, n_fields):
                count += 1
                if count <= MAX_PLACES:
                    ragged.append((line, len(fields)))
                if count == MAX_COUNTED:
                    break
    except csv.Error as error:
        faults.append(
            fault(
                file,
                "broken_quotes",
                f"after line {line}: a quoted field is not closed, or text follows it ({error}).",
                'Close every quote; write a quote inside a quoted field twice ("").',
                rows=[line + 1],
            )
        )
    if ragged:
        reported = "; ".join(f"line {n} has {found}" for n, found in ragged)
        least = "at least " if count == MAX_COUNTED else ""
        more = f"; {least}{count - len(ragged)} more line(s)" if count > len(ragged) else ""
        faults.insert(
            0,
            fault(
                file,
                "ragged_row",
                f"the header has {n_fields} fields, but {reported}{more}.",
                "Give every line the header's number of fields; quote a field that holds a comma.",
                rows=[n for n, _ in ragged],
                n_affected=count,
            ),
        )
    return faults


def fits(fields: Sequence[str], n_fields: int) -> bool:
    """Say whether a record has the header's fields; one empty field more is forgiven."""
    return len(fields) == n_fields or (len(fields) == n_fields + 1 and fields[-1] == "")
