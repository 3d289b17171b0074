"""Questions to the warehouses of all datasets, and to that of a run: the one place that opens many.

They are opened one after another, not all at once: a thousand brands are a thousand files, which is
what a process may have open. A file is never changed, only replaced, so its answers are kept until
another one is in its place: opening it costs many times what a server does otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import duckdb

from schemas.errors import CorruptArtifactError
from tasks.store.home import Home
from tasks.store.kept import Kept, state_of
from tasks.store.warehouse import files, moving
from tasks.store.warehouse.connection import WAIT_SECONDS, empty, lost, reading
from tasks.store.warehouse.places import datasets, nearest_first, published_runs, warehouse_of

type Rows = list[tuple[Any, ...]]
type Values = Sequence[object] | Mapping[str, object]

_MOST_ROWS = 50_000
"""Some 50 MB, as most rows are of runs."""
_answers: Kept[Rows] = Kept(_MOST_ROWS, lambda rows: 1 + len(rows))


def ask_all(home: Home, query: str, values: Values = ()) -> Rows:
    """Return the rows of all datasets for one query, by the name of the dataset.

    Raises
    ------
    CorruptArtifactError
        If a warehouse is damaged or gone: what it would say is unknown, not nothing.
    ResourceUnavailableError
        If a program that is not ours has one open for writing.
    """
    known = all_datasets(home)
    _require_none_lost(home, set(known))
    with _Opener(home) as opener:
        return [row for dataset_id in known for row in opener.ask(dataset_id, query, values)]


def ask(home: Home, dataset_id: str | None, query: str, values: Values = ()) -> Rows:
    """Return the rows of one dataset, or of all where ``dataset_id`` is None."""
    if dataset_id is None:
        return ask_all(home, query, values)
    with _Opener(home) as opener:
        return list(opener.ask(dataset_id, query, values))


def ask_run(home: Home, run_id: str, query: str, values: Values = ()) -> Rows:
    """Return the rows of the warehouse that knows a run; none where none does."""
    dataset_id = find_dataset(home, run_id)
    return [] if dataset_id is None else ask(home, dataset_id, query, values)


def all_datasets(home: Home) -> list[str]:
    """Return every dataset that has a warehouse, in alphabetical order."""
    if moving.has_moved_in(home, wait_seconds=WAIT_SECONDS):
        return datasets(home)
    return moving.not_moved_datasets(home)


def find_dataset(home: Home, run_id: str) -> str | None:
    """Return the dataset whose warehouse knows a run; None where none does.

    The dataset that the id names is asked first, so that others need not be sound.
    """
    query = "select 1 from ops.runs where run_id = ?"
    with _Opener(home) as opener:
        for dataset_id in nearest_first(home, run_id, all_datasets(home)):
            if opener.ask(dataset_id, query, [run_id]):
                return dataset_id
    return None


@contextmanager
def reading_run(home: Home, run_id: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse that knows a run, as ``reading``; empty tables where none does."""
    dataset_id = find_dataset(home, run_id)
    with empty() if dataset_id is None else reading(home, dataset_id) as con:
        yield con


def require_all_open(home: Home, *, wait_seconds: float) -> None:
    """Open the warehouse of every dataset, whatever is kept of it; raises as ``ask_all``."""
    known = all_datasets(home)
    _require_none_lost(home, set(known))
    with _Opener(home, wait_seconds=wait_seconds) as opener:
        for dataset_id in known:
            opener.read(dataset_id, "select 1", ())


class _Opener:
    """Asks datasets one after another in one connection, which is made when a file has to be read.

    Another file in the same connection costs a sixth of a connection of its own.
    """

    def __init__(self, home: Home, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._home = home
        self._wait_seconds = wait_seconds
        self._stack = ExitStack()
        self._shared: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> "_Opener":
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)  # a connection that failed is not lent again

    def ask(self, dataset_id: str, query: str, values: Values) -> Rows:
        """Return the rows of a dataset; they are kept, and nobody may change them."""
        path = warehouse_of(self._home, dataset_id)
        # Another program writes in place, and into a log beside the file.
        states = state_of(path), state_of(files.log_of(path))
        is_there = states[0] is not None
        return _answers.get(
            (str(path), query, repr(values)),
            states if is_there else None,
            lambda: self.read(dataset_id, query, values),
        )

    def read(self, dataset_id: str, query: str, values: Values) -> Rows:
        """Open a dataset and return its rows."""
        with self._opened(dataset_id) as con:
            return con.execute(query, values).fetchall()

    @contextmanager
    def _opened(self, dataset_id: str) -> Iterator[duckdb.DuckDBPyConnection]:
        path = warehouse_of(self._home, dataset_id)
        if path.exists():
            con = self._connection()
            with (
                files.naming_damage(path),
                files.attached(con, path, wait_seconds=self._wait_seconds),
            ):
                if files.has_every_table(con):
                    yield con
                    return
        with reading(self._home, dataset_id, wait_seconds=self._wait_seconds) as own:
            yield own

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._shared is None:
            self._shared = self._stack.enter_context(files.for_reading())
        return self._shared


def _require_none_lost(home: Home, known: set[str]) -> None:
    """Raise if there is a dataset whose published runs are there and whose warehouse is not."""
    owners = [owner for owner, _ in published_runs(home, without=known)]
    if owners:
        raise CorruptArtifactError(lost(warehouse_of(home, owners[0]), owners.count(owners[0])))
