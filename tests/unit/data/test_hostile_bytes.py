"""Whatever bytes arrive as a file, they are read, or refused in words of ours."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.errors import MmmError
from tasks.store.home import current_home

GOOD = b"entity_id,period_start,sales,act_tv,spend_tv\n" + b"".join(
    f"north,2023-{month:02}-02,{1000 + 13 * month},{month},{2.5 * month}\n".encode()
    for month in range(1, 13)
)
PIECES = [
    b"", b"\x00", b'"', b"'", b",", b";", b"\t", b"\r", b"\r\n", b"\n\n", b"\xff\xfe",
    b"\xef\xbb\xbf", b"1e309", b"-inf", b"nan", b"NULL", b"0x1F", b"9" * 400, b"2023-02-30",
    b"10000-01-01",
    b"=cmd()", b"../../etc/passwd", b"');--", "\u202e\u200b".encode(), "１２".encode(),
    b"PK\x03\x04",
    b"PAR1",
]  # fmt: skip
SUFFIXES = ["csv", "CSV", "csv.gz", "tsv", "txt", "parquet", "xlsx", "json", ""]


@st.composite
def tampered(draw) -> bytes:
    """The bytes of a good file with a few pieces put in, taken out or replaced."""
    content = GOOD
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        cut = draw(st.integers(0, 40))
        content = content[:at] + draw(st.sampled_from(PIECES)) + content[at + cut :]
    return content


def read(world, content: bytes, name: str) -> None:
    """Take a file through ingest and the rules of the raw layer, as a refit does first."""
    refused = None
    try:
        world.raw(content, name)
    except MmmError as error:
        refused = error
    assert refused is None or (refused.exit_code == 2 and str(refused))
    landed = {path.suffix for path in current_home().landing.rglob("*") if path.is_file()}
    assert not landed & {".partial", ".tmp"}


HARMLESS = settings(
    deadline=None,
    max_examples=settings.default.max_examples // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@HARMLESS
@given(content=tampered())
@example(content=GOOD)
@example(content=b'"' + GOOD)
@example(content=GOOD.replace(b"\n", b"\r"))
def test_a_good_file_that_was_tampered_with(world, content):
    read(world, content, "panel.csv")


@HARMLESS
@given(content=st.binary(max_size=400), suffix=st.sampled_from(SUFFIXES))
def test_any_bytes_under_any_suffix(world, content, suffix):
    read(world, content, f"panel.{suffix}")


@pytest.mark.parametrize(
    "name", ["-rf.csv", "a\nb.csv", "'; drop table kpi;.csv", "ü" * 80 + ".csv"]
)
def test_any_name_of_a_file(world, name):
    read(world, GOOD, name)
