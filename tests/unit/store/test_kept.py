"""What was read from files is kept as long as the files are the same, and no longer."""

import threading

import pytest

from tasks.store import kept
from tasks.store.files.artifacts import kept_sha256_of, sha256_of
from tasks.store.kept import Kept, settled_state_of, state_of


class Reader:
    """Counts how often something is read."""

    def __init__(self, value):
        self.value = value
        self.n = 0

    def __call__(self):
        self.n += 1
        return self.value


@pytest.fixture
def later(monkeypatch):
    """Let a second go by for the clock that says whether a file was just written."""
    now = kept.time.time_ns
    monkeypatch.setattr(kept.time, "time_ns", lambda: now() + 1_000_000_000)


def test_the_same_state_is_read_once_and_another_one_again():
    memory, reader = Kept(10, lambda _: 1), Reader("a")
    assert [memory.get("key", "then", reader) for _ in range(3)] == ["a"] * 3
    assert reader.n == 1
    reader.value = "b"
    assert memory.get("key", "now", reader) == "b"
    assert memory.get("key", "now", reader) == "b"
    assert reader.n == 2


def test_what_has_no_state_is_never_kept():
    memory, reader = Kept(10, lambda _: 1), Reader("a")
    for _ in range(2):
        memory.get("key", None, reader)
    assert reader.n == 2


def test_nothing_is_a_value_too():
    memory, reader = Kept(10, lambda _: 1), Reader(None)
    assert [memory.get("key", "then", reader) for _ in range(2)] == [None, None]
    assert reader.n == 1


def test_what_was_not_asked_for_the_longest_is_forgotten_first():
    memory, readers = Kept(20, len), {name: Reader("xx") for name in "abcdefghijk"}
    for name in "abcdefghij":  # ten of two: full
        memory.get(name, "then", readers[name])
    memory.get("a", "then", readers["a"])
    memory.get("k", "then", readers["k"])
    memory.get("a", "then", readers["a"])
    memory.get("b", "then", readers["b"])
    assert (readers["a"].n, readers["b"].n) == (1, 2)


def test_one_value_does_not_fill_the_memory():
    memory, reader = Kept(20, len), Reader("xxx")
    for _ in range(2):
        memory.get("key", "then", reader)
    assert reader.n == 2


def test_a_new_value_takes_the_weight_of_the_one_before():
    memory = Kept(20, len)
    for state in range(50):
        memory.get("key", state, Reader("xx"))
    others = {name: Reader("xx") for name in "abcdefghi"}
    for _ in range(2):
        for name, reader in others.items():
            memory.get(name, "then", reader)
    assert {reader.n for reader in others.values()} == {1}


def test_what_raises_is_raised_and_read_again():
    memory = Kept(10, lambda _: 1)

    def fail():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        memory.get("key", "then", fail)
    assert memory.get("key", "then", Reader("a")) == "a"


def test_of_threads_that_want_the_same_one_reads_it():
    memory, reading, go = Kept(10, lambda _: 1), threading.Event(), threading.Event()
    reader, found = Reader("a"), []

    def slowly():
        reading.set()
        assert go.wait(30)
        return reader()

    threads = [
        threading.Thread(target=lambda: found.append(memory.get("key", "then", slowly)))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    assert reading.wait(30)
    go.set()
    for thread in threads:
        thread.join()
    assert (found, reader.n) == (["a"] * 5, 1)


def test_a_file_in_the_place_of_another_has_another_state(tmp_path):
    path, other = tmp_path / "file", tmp_path / "other"
    assert state_of(path) is None
    path.write_text("a")
    before = state_of(path)
    other.write_text("b")
    other.replace(path)
    assert state_of(path) != before


def test_a_file_that_was_just_written_may_be_written_again_without_a_new_time(tmp_path):
    path = tmp_path / "file"
    path.write_text("a")
    assert settled_state_of(path) is None


def test_a_digest_follows_its_file(tmp_path, later):
    path = tmp_path / "file"
    path.write_text("a")
    first = kept_sha256_of(path)
    assert first == kept_sha256_of(path) == sha256_of(path)
    path.write_text("bc")
    assert kept_sha256_of(path) == sha256_of(path) != first
