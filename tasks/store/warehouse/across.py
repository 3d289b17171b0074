"""Questions to the warehouses of all datasets, and to that of a run: the one place that opens many.

They are opened one after another, not all at once: a thousand brands are a thousand files, which is
what a process may have open.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import duckdb

from schemas.errors import CorruptArtifactError
from tasks.store.home import Home
from tasks.store.warehouse import files, moving
from tasks.store.warehouse.connection import WAIT_SECONDS, empty, lost, reading
from tasks.store.warehouse.places import datasets, nearest_first, published_runs, warehouse_of


def ask_all[T](
    home: Home,
    question: Callable[[duckdb.DuckDBPyConnection], Iterable[T]],
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> list[T]:
    """Return the answers of all datasets to one question, by the name of the dataset.

    Raises
    ------
    CorruptArtifactError
        If a warehouse is damaged or gone: what it would say is unknown, not nothing.
    ResourceUnavailableError
        If a program that is not ours has one open for writing for longer than ``wait_seconds``.
    """
    known = all_datasets(home)
    _require_none_lost(home, set(known))
    found: list[T] = []
    with files.for_reading() as shared:
        for dataset_id in known:
            with _opened(shared, home, dataset_id, wait_seconds) as con:
                found += question(con)
    return found


def ask[T](
    home: Home, dataset_id: str | None, question: Callable[[duckdb.DuckDBPyConnection], Iterable[T]]
) -> list[T]:
    """Return the answers of one dataset, or of all where ``dataset_id`` is None."""
    if dataset_id is None:
        return ask_all(home, question)
    with reading(home, dataset_id) as con:
        return list(question(con))


def all_datasets(home: Home) -> list[str]:
    """Return every dataset that has a warehouse, in alphabetical order."""
    if moving.has_moved_in(home, wait_seconds=WAIT_SECONDS):
        return datasets(home)
    return moving.not_moved_datasets(home)


def find_dataset(home: Home, run_id: str) -> str | None:
    """Return the dataset whose warehouse knows a run; None where none does.

    The dataset that the id names is asked first, so that others need not be sound.
    """
    with files.for_reading() as shared:
        for dataset_id in nearest_first(home, run_id, all_datasets(home)):
            with _opened(shared, home, dataset_id, WAIT_SECONDS) as con:
                if con.execute("select 1 from ops.runs where run_id = ?", [run_id]).fetchone():
                    return dataset_id
    return None


@contextmanager
def reading_run(home: Home, run_id: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse that knows a run, as ``reading``; empty tables where none does."""
    dataset_id = find_dataset(home, run_id)
    with empty() if dataset_id is None else reading(home, dataset_id) as con:
        yield con


@contextmanager
def _opened(
    shared: duckdb.DuckDBPyConnection, home: Home, dataset_id: str, wait_seconds: float
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a dataset in a connection that others are opened in, too, one after another."""
    path = warehouse_of(home, dataset_id)
    if path.exists():
        with (
            files.naming_damage(path),
            files.attached(shared, path, wait_seconds=wait_seconds),
        ):
            if files.has_every_table(shared):
                yield shared
                return
    with reading(home, dataset_id, wait_seconds=wait_seconds) as own:
        yield own


def _require_none_lost(home: Home, known: set[str]) -> None:
    """Raise if there is a dataset whose published runs are there and whose warehouse is not."""
    owners = [owner for owner, _ in published_runs(home, without=known)]
    if owners:
        raise CorruptArtifactError(lost(warehouse_of(home, owners[0]), owners.count(owners[0])))
