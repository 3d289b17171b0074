"""A landed batch as typed rows: what may become known, and what it plans of coming periods."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from schemas.errors import SpecError
from schemas.names import Artifact
from schemas.refs import BatchRef, FileRef
from schemas.spec.roles import ColumnRoles, resolve_roles
from schemas.spec.run_spec import RunSpec
from tasks.canonicalize.panel_rules import require_distinct_columns
from tasks.mathematics.calendar import continue_month_ends
from tasks.store.files.artifacts import write_whole
from tasks.store.home import Home
from tasks.store.inputs import keys, landing, landing_rows, text_values
from tasks.store.warehouse import canonical, connection

if TYPE_CHECKING:
    import pandas as pd


class BatchRows(NamedTuple):
    """Rows of one batch."""

    roles: ColumnRoles
    long: FileRef
    """``role, entity_id, period_start, name, value``: what may become known."""
    coming: "pd.DataFrame"
    """Rows of coming periods, which never do: a plan is no knowledge."""


def read_batch(home: Home, batch: BatchRef, spec: RunSpec, folder: Path, as_of: date) -> BatchRows:
    """Read a landed batch as the spec and what is known on a day have it.

    Raises
    ------
    SpecError
        If two roles would share a canonical column.
    """
    with connection.reading(home, spec.dataset_id) as known:
        names = {name for _, name in canonical.stored_names(known, spec.dataset_id, as_of)}
        entities, starts = canonical.stored_keys(known, spec.dataset_id, as_of)
    decimal = text_values.effective_decimal(batch.source_name, spec.decimal)
    with landing.opened(home, batch) as con:
        roles = resolve_roles(spec, landing.header_of(con), names)
        if problems := require_distinct_columns(roles):
            listing = "\n- ".join(["The spec names two columns alike:", *problems])
            raise SpecError(listing, problems)
        keys.unify_entities(con, roles, entities)
        reading = landing_rows.read_dates(con, roles, spec.date_format)
        days = landing_rows.distinct_days(con, roles, reading)
        reading = reading.with_month_ends(continue_month_ends(days, starts))
        coming = landing_rows.coming_sql(con, roles, reading, max(starts, default=None))
        write = partial(
            landing_rows.write_long_rows,
            con,
            roles=roles,
            reading=reading,
            decimal=decimal,
            coming=coming,
        )
        return BatchRows(
            roles,
            write_whole(home, folder / Artifact.CANONICAL_LONG, write),
            landing_rows.read_coming(con, roles, reading, decimal, coming),
        )
