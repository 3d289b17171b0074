"""Markets of a batch as they are meant: spellings that differ in case or blanks are one name.

Belongs here: the mapping of spellings and the view that applies it. Does not: saying so
(``tasks.validate``).
"""
# ruff: noqa: S608 - identifiers and literals are quoted by text_values

from collections.abc import Collection

import duckdb

from schemas.names import LINE_COLUMN
from schemas.spec.roles import ColumnRoles
from schemas.spec.spelling import Spelling, Unified, group_spellings
from tasks.store.inputs.text_values import quote


def unify_entities(
    con: duckdb.DuckDBPyConnection, roles: ColumnRoles, stored: Collection[str] = ()
) -> list[Unified]:
    """Let view ``landed`` have one name for all spellings of a market; return what was unified.

    Parameters
    ----------
    con
        An opened batch.
    roles
        Roles of its columns.
    stored
        Markets that the dataset has already: they keep their spelling.
    """
    if roles.entity is None:
        return []
    column = quote(roles.entity)
    rows = con.execute(
        f"select {column}, count(*), min({LINE_COLUMN}) from received "
        f"where {column} is not null group by 1 order by 2 desc, 3"
    ).fetchall()
    unified = group_spellings([Spelling(*row) for row in rows], stored)
    pairs = [[s.text, one.name] for one in unified for s in one.spellings if s.text != one.name]
    con.execute("create or replace table spellings (written varchar, name varchar)")
    if pairs:
        con.executemany("insert into spellings values (?, ?)", pairs)
    con.execute(
        f"create or replace view landed as select r.* "
        f"replace (coalesce(s.name, r.{column}) as {column}) "
        f"from received r left join spellings s on s.written = r.{column}"
    )
    return unified
